"""Texts of strangers: cleaned, bounded, compared."""

from __future__ import annotations

import pytest

from plugins.job_boards.api import Advert
from plugins.job_boards.normalise import employment_type, fingerprint, salary
from plugins.job_boards.text import excerpt, fold, plain, sanitise, web_address


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("  R&amp;D \n lead ", "R&D lead"),
        ("Senior <strong>Python</strong> Dev", "Senior Python Dev"),
        ("a < b & c", "a < b & c"),
        ("nul\x00l \u202eback", "nul l back"),
        ("half \ud800 pair", "half pair"),
        ("<script>x</script>", ""),
        ("x" * 400, "x" * 300),
    ],
)
def test_plain(told: str, meant: str) -> None:
    assert plain(told, 300) == meant


def test_html_of_any_size_is_cut_and_whole() -> None:
    safe = sanitise("<ul>" + "<li>one</li>" * 50_000)

    assert len(safe) < 101_000
    assert safe.endswith("</ul>")


def test_surrogates_and_nul_never_reach_the_database() -> None:
    assert sanitise("<p>a\x00b\ud83d</p>").encode() == b"<p>ab</p>"


def test_excerpt_is_cut_at_a_word_without_markup() -> None:
    assert excerpt("<p>One <b>two</b>, three.</p><p>Four</p>", 300) == "One two, three. Four"
    assert excerpt("<p>alpha beta gamma</p>", 12) == "alpha beta…"


@pytest.mark.parametrize(
    ("told", "usable"),
    [
        ("https://a.example/x?y=1", True),
        ("http://a.example:8080/", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//a.example", False),
        ("https://user:pass@a.example", False),
        ("https://a.example/ b", False),
        ("https://a.example:99999", False),
        ("https://[::1", False),
        ("https://a.example/" + "x" * 2000, False),
        ("", False),
    ],
)
def test_addresses(told: str, usable: bool) -> None:
    assert web_address(told) == (told if usable else None)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("FullTime", "full_time"),
        ("Full-time", "full_time"),
        ("full_time", "full_time"),
        ("Permanent", "full_time"),
        ("Vollzeit", "full_time"),
        ("part time", "part_time"),
        ("Freelance", "contract"),
        ("Full time internship", "internship"),
        ("Fixed-term", "temporary"),
        ("internal tools", None),
        ("", None),
        (None, None),
    ],
)
def test_types(told: str | None, meant: str | None) -> None:
    assert employment_type(told) == meant


def test_one_job_told_twice_has_one_fingerprint() -> None:
    first = fingerprint("Acme GmbH", "Senior Engineer (m/w/d)", "Berlin, Germany")

    assert first == fingerprint("ACME", "Senior  engineer", "Berlin")
    assert first != fingerprint("Acme", "Senior Engineer", "Hamburg")
    assert first != fingerprint("Apex", "Senior Engineer", "Berlin")
    assert fingerprint("Acme", "C++ Developer", "") != fingerprint("Acme", "C Developer", "")


def test_salaries_are_put_in_order_and_made_a_years() -> None:
    def told(**values: object) -> dict[str, object]:
        return salary(Advert("1", "t", "c", "u", **values))  # type: ignore[arg-type]

    assert told(salary_min=90, salary_max=60, salary_currency="eur", salary_period="hour") == {
        "salary_min": 60,
        "salary_max": 90,
        "salary_currency": "EUR",
        "salary_period": "hour",
        "salary_year_min": 60 * 2080,
        "salary_year_max": 90 * 2080,
    }
    assert told(salary_min=3000, salary_currency="dollars", salary_period="month")["salary_year_max"] == 36000
    for useless in (0, -5, True, float("nan"), float("inf"), "60k", 10**12):
        assert set(told(salary_min=useless, salary_currency="USD").values()) == {None}


def test_fold() -> None:
    assert fold("  STRASSE ﬁn ") == fold("straße fin")
