"""A plugin's fault stays with the plugin."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pluggy
import pytest
from flask import Flask

from core.context import within
from core.db import uuid7
from core.hooks import HookFailed, Hooks, hookimpl, hookspec
from core.switch import Switch


class Specs:
    @hookspec
    def greet(self, name: str) -> str | None: ...


def plugin(answer: object) -> SimpleNamespace:
    @hookimpl
    def greet(name: str) -> object:
        return answer(name) if callable(answer) else answer

    return SimpleNamespace(greet=greet)


def exits(_name: str) -> None:
    sys.exit(3)


@pytest.fixture(autouse=True)
def app() -> Iterator[Flask]:
    app = Flask(__name__)
    app.extensions["jobstead.switch"] = Switch(defaults={"one": True, "two": True, "three": False})
    with app.app_context():
        yield app


@pytest.fixture
def hooks() -> Hooks:
    return Hooks(Specs)


def test_results_come_in_order_with_their_plugins(hooks: Hooks) -> None:
    hooks.register("one", plugin(lambda name: f"hello {name}"))
    hooks.register("two", plugin(None))
    hooks.register("three", plugin("hi"))
    assert hooks.each("greet", name="Ada") == [("one", "hello Ada"), ("three", "hi")]
    assert hooks.first("greet", name="Ada") == "hello Ada"
    assert hooks.implemented_by("one") == ["greet"]


@pytest.mark.parametrize("fault", [exits, lambda _name: 1 / 0], ids=["sys.exit", "exception"])
def test_a_fault_silences_nobody_else(hooks: Hooks, fault: object) -> None:
    hooks.register("one", plugin(fault))
    hooks.register("two", plugin("still here"))
    assert hooks.each("greet", name="Ada") == [("two", "still here")]
    with pytest.raises(HookFailed, match="one: greet raised"):
        hooks.of("one", "greet", name="Ada")


def test_whoever_says_something_first_decides_and_a_fault_before_it_is_raised(hooks: Hooks) -> None:
    hooks.register("one", plugin(None))
    assert hooks.decided("greet", name="Ada") is None
    hooks.register("two", plugin("hi"))
    assert hooks.decided("greet", name="Ada") == ("two", "hi")
    hooks.unregister("one")
    hooks.unregister("two")
    hooks.register("one", plugin(lambda name: 1 / 0))
    hooks.register("two", plugin("hi"))
    for _ in range(5):  # nobody who decides is left out for earlier faults
        with pytest.raises(HookFailed, match="one: greet raised"):
            hooks.decided("greet", name="Ada")


def test_a_hook_that_keeps_failing_is_suspended(hooks: Hooks) -> None:
    calls: list[str] = []

    def fail(name: str) -> None:
        calls.append(name)
        raise ValueError("again")

    hooks.register("one", plugin(fail))
    for _ in range(5):
        hooks.each("greet", name="Ada")
    assert len(calls) == 3
    assert hooks.faults["one", "greet"].last == "ValueError: again"


def test_a_plugin_that_does_not_serve_is_not_called(hooks: Hooks) -> None:
    hooks.register("three", plugin("off for organisations by default"))
    hooks.register("unknown", plugin("not running"))
    with within(uuid7()):
        assert hooks.each("greet", name="Ada") == []
    assert hooks.each("greet", name="Ada") == [("three", "off for organisations by default")]


def test_an_organisations_choice_wins_over_the_default(app: Flask) -> None:
    off, other = uuid7(), uuid7()
    switch = Switch(
        defaults={"one": True}, load=lambda organisation: {"one": False} if organisation == off else {}
    )
    assert not switch.active("one", off)
    assert switch.active("one", other)
    assert switch.active("one")
    assert not switch.active("never heard of")
    assert switch.active("core", off)


def test_a_misspelt_hook_is_told(hooks: Hooks) -> None:
    @hookimpl
    def grete(name: str) -> str:
        return name

    hooks.register("one", SimpleNamespace(grete=grete))
    with pytest.raises(pluggy.PluginValidationError):
        hooks.check_pending()


def test_what_must_be_answered_raises_for_the_first_fault_and_never_tires(hooks: Hooks) -> None:
    hooks.register("one", plugin("hi"))
    hooks.register("three", plugin(None))
    assert hooks.all("greet", name="Ada") == [("one", "hi")]
    hooks.register("two", plugin(exits))
    for _ in range(5):
        with pytest.raises(HookFailed) as fault:
            hooks.all("greet", name="Ada")
        assert (fault.value.plugin, fault.value.hook) == ("two", "greet")
