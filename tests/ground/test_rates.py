"""Rates as operators write them."""

from __future__ import annotations

import pytest

from core.config import ConfigError
from core.typed import Rate, rates

from .conftest import Configure


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("5/15m", (Rate(5, 900),)),
        ("3/h", (Rate(3, 3600),)),
        ("10/h, 5/m", (Rate(5, 60), Rate(10, 3600))),
        (" 100/1d  2/s ", (Rate(2, 1), Rate(100, 86_400))),
        ("off", ()),
    ],
)
def test_read(text: str, read: tuple[Rate, ...]) -> None:
    assert rates(text) == read


@pytest.mark.parametrize(
    "text", ["", "5", "0/m", "5/0m", "-1/m", "5/week", "5/m;3/h", "1e3/m", "½/m", "5/m off"]
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Must be rates"):
        rates(text)


@pytest.mark.parametrize("text", ["5/15m", "3/h", "2/s", "7/90s", "1/d"])
def test_written_as_it_was_read(text: str) -> None:
    assert [str(rate) for rate in rates(text)] == [text]


def test_multiplied_and_never_nothing() -> None:
    assert Rate(5, 60).times(3) == Rate(15, 60)
    assert Rate(5, 60).times(0.01) == Rate(1, 60)


def test_a_policy_that_cannot_be_is_named(configure: Configure) -> None:
    with pytest.raises(ConfigError, match=r"auth\.login.*5/15m"):
        configure('[limits.policies]\n"auth.login" = "five"')
    assert configure('[limits.policies]\n"auth.*" = "9/m"').limits.policies == {"auth.*": "9/m"}


def test_limits_that_are_scaled_in_production_are_told(configure: Configure) -> None:
    assert configure("", NODE_ENV="production").warnings == ()
    (said,) = configure("", NODE_ENV="production", JOBSTEAD_LIMITS_SCALE="100000").warnings
    assert "limits.scale" in said
    assert configure("", JOBSTEAD_LIMITS_SCALE="100000").warnings == ()
