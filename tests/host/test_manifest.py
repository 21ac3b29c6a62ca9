"""``plugin.toml``: what is taken, and the sentence that refuses the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.host.manifest import ManifestError, parse, read

LEAST: dict[str, Any] = {"name": "notes", "version": "1.0", "api": ">=1,<2", "summary": "Notes."}


def test_the_least_manifest_has_defaults() -> None:
    manifest = parse(LEAST)
    assert (manifest.scope, manifest.default, manifest.category) == ("tenant", "on", "other")
    assert manifest.urls == manifest.requires == manifest.permissions == ()


def test_everything_a_manifest_may_say() -> None:
    manifest = parse(
        LEAST
        | {
            "urls": ["notes", "note-colours"],
            "scope": "instance",
            "default": "off",
            "requires": ["job_boards>=1.2", "mail"],
            "after": ["notifications"],
            "python": ["SQLAlchemy>=2"],
            "permissions": {
                "notes.note.read": {"summary": "See notes", "roles": ["user"]},
                "notes": {"note": {"write": {"summary": "Write notes"}}},
            },
            "capabilities": {"hosts": ["a.example"], "secrets": ["token"]},
        }
    )
    assert manifest.needs == ("job_boards", "mail")
    assert [p.name for p in manifest.permissions] == ["notes.note.read", "notes.note.write"]
    assert manifest.permissions[0].roles == ("user",)
    assert manifest.capabilities["hosts"] == ("a.example",)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "Notes"}, "lower_snake_case"),
        ({"name": "core"}, "reserved"),
        ({"name": 3}, "name must be a text"),
        ({"name": "n" * 41}, "at most 40"),
        ({"version": "one"}, "version: "),
        ({"version": ""}, "version must be a text and is needed"),
        ({"api": "1.0"}, "api: "),
        ({"summary": " "}, "summary must be a text and is needed"),
        ({"require": ["mail"]}, "unknown key 'require', did you mean 'requires'?"),
        ({"urls": ["a//b"]}, "'a//b' is not a path such as"),
        ({"urls": ["/a"]}, "'/a' is not a path such as"),
        ({"urls": ["*"]}, "'*' is not a path such as"),
        ({"urls": ["a/<b>"]}, "'a/<b>' is not a path such as"),
        ({"urls": ["a", "a"]}, "twice"),
        ({"urls": "a"}, "list of texts"),
        ({"scope": "global"}, "tenant, instance"),
        ({"requires": ["mail >> 1"]}, "requires: "),
        ({"permissions": {"mail.note.read": {"summary": "x"}}}, "notes.<resource>.<verb>"),
        ({"permissions": {"notes.read": {"summary": "x"}}}, "notes.<resource>.<verb>"),
        ({"permissions": {"notes.note.read": "x"}}, "summary"),
        ({"permissions": {"notes.note.read": {"summary": "x", "role": []}}}, "unknown key 'role'"),
        ({"capabilities": {"host": []}}, "unknown key 'host'"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ManifestError) as refused:
        parse(LEAST | change)
    assert sentence in str(refused.value)


def test_a_missing_or_torn_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"plugin\.toml is missing"):
        read(tmp_path)
    (tmp_path / "plugin.toml").write_text('name = "no')
    with pytest.raises(ManifestError, match="not valid TOML"):
        read(tmp_path)
