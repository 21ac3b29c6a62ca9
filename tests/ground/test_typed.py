"""Dataclasses as schemas: what they take, what they refuse, what they give back."""

# ruff: noqa: RUF009  defaults of dataclasses are what is tested
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

import pytest
from marshmallow import ValidationError, validate

from core.typed import Bytes, Secret, schema_of

ID = UUID("01890000-0000-7000-8000-000000000001")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Range:
    low: int
    high: int | None = None

    def __post_init__(self) -> None:
        if self.high is not None and self.high < self.low:
            raise ValueError("high is below low")


@dataclass(frozen=True)
class Everything:
    kind: ClassVar[str] = "left out of the schema"
    id: UUID
    name: str = field(metadata={"validate": validate.Length(1, 20)})
    mode: Literal["fast", "slow"] = "fast"
    on: bool = False
    ratio: float = 0.5
    at: datetime | None = None
    day: date | None = None
    life: timedelta = timedelta(hours=1)
    size: Bytes = Bytes(1024)
    salary: Range = Range(1)
    others: list[Range] = field(default_factory=list)
    tags: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    extra: dict = field(default_factory=dict)  # type: ignore[type-arg]
    anything: Any = None
    password: Secret | None = None


def load(**given: Any) -> Everything:
    loaded = schema_of(Everything)().load({"id": str(ID), "name": "x", **given})
    assert isinstance(loaded, Everything)
    return loaded


def test_what_is_not_given_has_the_default_of_the_dataclass() -> None:
    assert load() == Everything(ID, "x")


def test_values_load_as_the_types_the_dataclass_names() -> None:
    loaded = load(
        mode="slow",
        at="2026-03-01T13:00:00+01:00",
        day="2026-03-01",
        life="90m",
        size="10MB",
        salary={"low": 1, "high": 2},
        others=[{"low": 3}],
        tags=["a", "b"],
        counts={"a": 1},
        extra={"free": [1, None]},
        anything=[1],
        password="open sesame",
    )
    assert loaded == Everything(
        ID,
        "x",
        mode="slow",
        at=NOON,
        day=date(2026, 3, 1),
        life=timedelta(minutes=90),
        size=Bytes(10_485_760),
        salary=Range(1, 2),
        others=[Range(3)],
        tags=("a", "b"),
        counts={"a": 1},
        extra={"free": [1, None]},
        anything=[1],
        password=Secret("open sesame"),
    )
    assert hash(loaded.tags), "a tuple, so that a frozen dataclass stays hashable"


def test_what_is_dumped_loads_as_the_same_again_except_a_secret() -> None:
    schema = schema_of(Everything)()
    one = load(at="2026-03-01T12:00:00Z", life="1500ms", salary={"low": 1, "high": 2}, tags=["a"], size="1kB")
    dumped = schema.dump(one)
    assert schema.load(dumped) == one
    assert dumped["at"] == "2026-03-01T12:00:00Z"
    assert schema.dump(load(password="open sesame"))["password"] == "********"


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"nmae": "x"}, "nmae"),
        ({"id": None}, "id"),
        ({"id": "1"}, "id"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"mode": "medium"}, "mode"),
        ({"ratio": float("nan")}, "ratio"),
        ({"at": "2026-03-01T12:00:00"}, "at"),
        ({"life": "soon"}, "life"),
        ({"life": -1}, "life"),
        ({"life": True}, "life"),
        ({"life": "9" * 30 + "w"}, "life"),
        ({"size": "ten"}, "size"),
        ({"size": "-1"}, "size"),
        ({"salary": {"low": "1"}}, "salary"),
        ({"salary": {"low": 1.5}}, "salary"),
        ({"salary": {"low": True}}, "salary"),
        ({"salary": {}}, "salary"),
        ({"salary": {"low": 1, "hihg": 2}}, "salary"),
        ({"salary": {"low": 2, "high": 1}}, "salary"),
        ({"counts": {"a": "x"}}, "counts"),
        ({"password": 123456}, "password"),
        ({"password": {"file": "/etc/hostname"}}, "password"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(given: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        load(**given)
    assert list(refused.value.normalized_messages()) == [key]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("24h", 86400),
        ("7d", 604800),
        ("2w", 1209600),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("45", 45),
        (45, 45),
        (0.5, 0.5),
        ("0s", 0),
    ],
)
def test_durations(text: str | float, seconds: float) -> None:
    assert load(life=text).life == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10MB", 10485760),
        ("10mb", 10485760),
        ("10MiB", 10485760),
        ("64kB", 65536),
        ("1.5K", 1536),
        ("2GB", 2**31),
        ("512", 512),
        ("512B", 512),
        (512, 512),
    ],
)
def test_sizes(text: str | int, count: int) -> None:
    assert load(size=text).size == count


def test_a_type_without_a_schema_is_refused_by_name() -> None:
    @dataclass
    class Odd:
        both: int | str

    with pytest.raises(TypeError, match=r"Odd\.both"):
        schema_of(Odd)
    with pytest.raises(TypeError, match="not a dataclass"):
        schema_of(int)


@pytest.mark.parametrize(
    "text",
    ["changeme", "change-me-please", "your-api-key", "<password>", "xxxx", "TODO", "********"],
)
def test_a_placeholder_is_no_secret(text: str) -> None:
    with pytest.raises(ValidationError, match="placeholder"):
        load(password=text)


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        "{}".format,
        "{:>3}".format,
        "%s".__mod__,
        lambda secret: f"{secret!r:s}",
        lambda s: repr([s]),
    ],
)
def test_a_secret_shows_its_mask(show: Callable[[Secret], str]) -> None:
    shown = show(Secret("open sesame"))
    assert "********" in shown
    assert "sesame" not in shown


def test_a_secret_is_handed_over_only_on_demand() -> None:
    import json
    import pickle

    import orjson

    secret = Secret("open sesame")
    for write in (json.dumps, orjson.dumps, pickle.dumps, "".join):
        with pytest.raises(TypeError):
            write([secret])
    assert secret.reveal() == "open sesame"
    assert type(secret.reveal()) is str
    assert secret == Secret(secret)
    assert secret != Secret("open barley")
    assert secret != "open sesame"
    assert len({secret, Secret("open sesame")}) == 1
    assert not Secret("")
