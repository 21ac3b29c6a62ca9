"""Who is loaded before whom."""

from __future__ import annotations

from core.host.manifest import Manifest, parse
from core.host.order import in_order


def plugins(**wants: dict[str, list[str]]) -> dict[str, Manifest]:
    least = {"version": "1", "api": ">=1", "summary": "x"}
    return {name: parse({"name": name, **least, **want}) for name, want in wants.items()}


def test_required_plugins_come_first_and_names_decide_the_rest() -> None:
    found = plugins(a={"requires": ["c"]}, b={}, c={"requires": ["d"]}, d={})
    assert in_order(found) == (["b", "d", "c", "a"], {})


def test_after_is_followed_where_the_other_is_there() -> None:
    found = plugins(a={"after": ["b", "nowhere"]}, b={})
    assert in_order(found)[0] == ["b", "a"]


def test_after_never_closes_a_circle() -> None:
    found = plugins(a={"after": ["b"]}, b={"requires": ["a"]})
    assert in_order(found) == (["a", "b"], {})
    found = plugins(a={"after": ["b"]}, b={"after": ["a"]})
    assert in_order(found)[0] == ["b", "a"]


def test_a_circle_is_told_and_keeps_nobody_else_up() -> None:
    found = plugins(a={"requires": ["b"]}, b={"requires": ["a"]}, c={"requires": ["a"]}, d={})
    ordered, circles = in_order(found)
    assert ordered == ["c", "d"]
    assert circles == {"a": ["a", "b", "a"], "b": ["b", "a", "b"]}


def test_a_plugin_that_requires_itself_is_a_circle() -> None:
    assert in_order(plugins(a={"requires": ["a"]}))[1] == {"a": ["a", "a"]}
