"""What is written down: one line an event, with what belongs to it, and no secret."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from core import context
from core.config import Log
from core.log import get_logger, init
from core.typed import Secret

ORGANISATIONS = (UUID(int=1), UUID(int=2))
Lines = Callable[[], list[str]]


@pytest.fixture
def pipe() -> Iterator[tuple[int, Lines]]:
    """Where the log of a process goes, and what has arrived there."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def lines() -> list[str]:
        try:
            return os.read(reader, 1 << 20).decode().splitlines()
        except BlockingIOError:
            return []

    yield writer, lines
    root.handlers[:] = before
    root.setLevel(level)
    os.close(reader)
    os.close(writer)


@pytest.fixture
def lines(pipe: tuple[int, Lines]) -> Lines:
    init(Log(), descriptor=pipe[0])
    return pipe[1]


@pytest.fixture
def last(lines: Lines) -> Callable[[], dict[str, Any]]:
    def parsed() -> dict[str, Any]:
        (line,) = lines()
        found = json.loads(line)
        assert isinstance(found, dict)
        return found

    return parsed


Last = Callable[[], dict[str, Any]]


def test_a_line_says_when_who_and_what(last: Last) -> None:
    get_logger("core.engine").info("delivered", attempt=2, handler="mail.welcome", nothing=None)
    line = last()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "core.engine",
        "message": "delivered",
        "attempt": 2,
        "handler": "mail.welcome",
    }


def test_a_line_carries_the_request_and_the_organisation_it_belongs_to(last: Last) -> None:
    for organisation in ORGANISATIONS:
        with context.request(f"r-{organisation.int}"), context.within(organisation):
            get_logger("x").info("here")
        line = last()
        assert (line["request_id"], line["organisation"]) == (f"r-{organisation.int}", str(organisation))
    get_logger("x").info("outside")
    assert {"request_id", "organisation"}.isdisjoint(last())


def test_a_plugins_lines_carry_its_name(last: Last) -> None:
    get_logger("plugins.mail.jobs").info("sent")
    assert last()["plugin"] == "mail"
    get_logger("core.hooks").error("hook failed", plugin="job_boards")
    assert last()["plugin"] == "job_boards"


def test_what_libraries_say_goes_the_same_way(last: Last) -> None:
    logging.getLogger("somebody").warning("cannot reach %s with %s", "x", "Bearer abcdef123456")
    assert last()["message"] == "cannot reach x with Bearer ********"


def test_only_what_is_worth_a_line_is_written(pipe: tuple[int, Lines]) -> None:
    init(Log(level="warning"), descriptor=pipe[0])
    get_logger("x").info("no")
    get_logger("x").warning("yes")
    assert len(pipe[1]()) == 1


def test_starting_twice_does_not_write_twice(pipe: tuple[int, Lines]) -> None:
    init(Log(), descriptor=pipe[0])
    init(Log(), descriptor=pipe[0])
    get_logger("x").info("once")
    assert len(pipe[1]()) == 1


def test_a_trace_is_part_of_its_line(last: Last) -> None:
    try:
        raise ValueError("two\nlines, token=opensesame")
    except ValueError:
        get_logger("x").exception("failed", exc_info_is_no_field=1)
    trace = last()["exception"]
    assert "ValueError: two\nlines" in trace
    assert "opensesame" not in trace


CARD = "4242 4242 4242 4242"


@pytest.mark.parametrize(
    ("secret", "fields"),
    [
        ("sesame", {"password": "sesame"}),
        ("sesame", {"db_password": "sesame"}),
        ("sesame", {"api_key": "sesame"}),
        ("sesame", {"X-Api-Key": "sesame"}),
        ("sesame", {"refreshToken": "sesame"}),
        ("123456", {"otp": 123456}),
        ("sesame", {"headers": {"Authorization": "sesame", "Cookie": ["sesame"]}}),
        ("sesame", {"given": [{"client_secret": "sesame"}]}),
        ("sesame", {"given": Secret("sesame")}),
        ("sesame", {"given": {"deep": (Secret("sesame"),)}}),
        ("abcdef123456", {"given": "Authorization: Bearer abcdef123456"}),
        ("abcdef123456", {"given": "bearer abcdef123456"}),
        ("abcdef123456", {"given": "Basic abcdef123456=="}),
        ("abcdefgh12345678", {"given": "jst_live_abcdefgh12345678"}),
        ("abcdefgh12345678", {"given": "it was rt_abcdefgh12345678, twice"}),
        ("abcdefgh12345678", {"given": "whsec_abcdefgh12345678=="}),
        ("abcdefgh12345678", {"given": "sk_live_abcdefgh12345678"}),
        ("cGF5bG9hZA", {"given": "eyJhbGciOiJSUzI1NiJ9.cGF5bG9hZA.c2lnbmF0dXJl"}),
        ("sesame", {"given": "redis://:sesame@h:6379"}),
        ("sesame", {"given": "postgresql://bob:sesame@h/d"}),
        ("sesame", {"given": "/setup?token=sesame&x=1"}),
        ("sesame", {"given": '{"password": "sesame"}'}),
        ("MIIE", {"given": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"}),
        ("4242", {"given": f"card {CARD}."}),
        ("4242", {"given": CARD.replace(" ", "")}),
        ("sesame", {"given": {"password=sesame": 1}}),
    ],
)
def test_no_secret_is_written_by_name_or_by_look(lines: Lines, secret: str, fields: dict[str, Any]) -> None:
    get_logger("x").warning("told", **fields)
    try:
        raise RuntimeError(str(fields.get("given", "")))
    except RuntimeError:
        get_logger("x").exception("again")
    written = "\n".join(lines())
    assert "told" in written
    assert "********" in written
    assert secret not in written


@pytest.mark.parametrize(
    "fields",
    [
        {"order_key": "ingest-1"},
        {"code": "conflict"},
        {"author": "bob", "note": "a secret meeting"},
        {"id": "01890000-0000-7000-8000-000000000001"},
        {"number": "4242 4242 4242 4243"},
        {"url": "https://h:8000/p?q=1"},
        {"verified": True, "count": 10**17},
    ],
)
def test_what_is_no_secret_stays(last: Last, fields: dict[str, Any]) -> None:
    get_logger("x").info("told", **fields)
    line = last()
    assert {key: line[key] for key in fields} == fields


def test_a_field_cannot_pose_as_what_the_line_itself_says(last: Last) -> None:
    get_logger("x").info("told", level="critical", time="never", logger="y")
    line = last()
    assert (line["level"], line["logger"], line["level_"]) == ("info", "x", "critical")


class Broken:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value", [Broken(), "\ud800", 2**80, float("nan"), b"\xff", {1: 2}, {frozenset({1})}]
)
def test_no_value_can_keep_the_work_from_going_on(lines: Lines, value: object) -> None:
    get_logger("x").info("told", value=value)
    (line,) = lines()
    assert json.loads(line)


def test_a_value_that_contains_itself_ends(lines: Lines) -> None:
    value: list[Any] = []
    value.append(value)
    get_logger("x").info("told", value=value)
    assert len(lines()) == 1


def test_a_long_value_is_cut(last: Last) -> None:
    get_logger("x").info("told", value="x" * 100_000)
    assert len(last()["value"]) < 5_000


def test_a_reader_that_went_away_ends_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        init(Log(), descriptor=writer)
        get_logger("x").error("nobody hears this")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        os.close(writer)


@pytest.mark.parametrize("form", ["json", "console"])
def test_nobody_can_forge_a_line_or_colour_the_terminal(pipe: tuple[int, Lines], form: Any) -> None:
    init(Log(format=form), descriptor=pipe[0])
    get_logger("x").info("one\nlevel=error\x1b[31m", path="/\r\nforged\u2028\x1b]0;x\x07")
    (line,) = pipe[1]()
    assert "\x1b" not in line
    assert line.isprintable()


def test_for_people_a_trace_stands_below_its_line(pipe: tuple[int, Lines]) -> None:
    init(Log(format="console"), descriptor=pipe[0])
    try:
        raise ValueError("no\nforged")
    except ValueError:
        get_logger("plugins.mail").error("not sent", exc_info=True, attempt=2)
    first, *trace = pipe[1]()
    assert first[9:] == 'ERROR plugins.mail not sent plugin="mail" attempt=2'
    assert trace
    assert all(line.startswith("    | ") for line in trace)


def test_auto_is_for_people_on_a_terminal_and_for_machines_elsewhere(pipe: tuple[int, Lines]) -> None:
    reader, terminal = os.openpty()
    init(Log(), descriptor=terminal)
    get_logger("x").info("hello", who="ada")
    assert b'INFO x hello who="ada"' in os.read(reader, 1000)
    init(Log(), descriptor=pipe[0])
    get_logger("x").info("hello", who="ada")
    (line,) = pipe[1]()
    assert line.startswith("{")
    os.close(reader)
    os.close(terminal)
