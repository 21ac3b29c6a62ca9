"""What providers make of answers: small samples of our own, and captured ones where they are given."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from plugins.job_boards.api import Advert, Feed, FeedError, Provider, Skipped, moment, read_each, read_json
from plugins.job_boards.normalise import normalise
from plugins.job_boards.providers import greenhouse, remoteok

SAMPLES = Path(__file__).parents[3] / "tests" / "samples" / "feeds"
NOW = datetime(2026, 1, 10, tzinfo=UTC)


def read(
    provider: Provider, body: bytes, board: str = "", now: datetime = NOW
) -> tuple[list[dict[str, Any]], list[Skipped]]:
    """What would be stored of an answer, and what skipped."""
    found = [
        normalise(record, provider, now) if isinstance(record, Advert) else record
        for record in provider.read(body, Feed("", board))
    ]
    return [f for f in found if isinstance(f, dict)], [f for f in found if isinstance(f, Skipped)]


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def test_remoteok_yields_every_posting_and_not_the_notice() -> None:
    good, bad = read(remoteok.provider(), sample("remoteok.json"))

    assert [posting["external_id"] for posting in good] == [str(n) for n in range(900001, 900007)]
    assert bad == []
    first = good[0]
    assert (first["title"], first["company"], first["location"]) == (
        "Python Developer",
        "Waterwheel",
        "Worldwide",
    )
    assert (first["salary_min"], first["salary_max"]) == (70000, 95000)
    assert (first["salary_currency"], first["salary_period"]) == ("USD", "year")
    assert first["posted_at"] == datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    assert first["attribution"] == "Remote OK"
    assert first["source_url"] == "https://remoteok.com/remote-jobs/900001"
    assert [posting["type"] for posting in good] == ["full_time", None, "internship", "contract", None, None]
    assert all(posting["remote"] for posting in good)


def test_remoteok_zero_is_no_salary() -> None:
    good, _ = read(remoteok.provider(), sample("remoteok.json"))

    assert (good[2]["salary_min"], good[2]["salary_period"], good[2]["salary_year_max"]) == (None, None, None)
    assert (good[3]["salary_min"], good[3]["salary_max"]) == (None, 60000)


def test_remoteok_texts_read_as_latin_1_are_mended() -> None:
    good, _ = read(remoteok.provider(), sample("remoteok.json"))

    assert (good[2]["company"], good[2]["location"]) == ("Café Clavier", "Montréal")
    assert good[2]["excerpt"].startswith("🎹 Pianos")


def test_descriptions_lose_what_could_act_or_track() -> None:
    good, _ = read(remoteok.provider(), sample("remoteok.json"))
    board, _ = read(greenhouse.provider(), sample("greenhouse.json"))
    everything = " ".join(posting["description"] for posting in good + board).lower()

    assert "<strong>python</strong>" in everything
    assert 'href="https://nordlicht.example/jobs"' in everything
    for bad in ("<script", "alert", "onclick", "javascript:", "<img", "<iframe"):
        assert bad not in everything


def test_records_that_cannot_be_used_are_skipped_with_a_reason() -> None:
    good, bad = read(remoteok.provider(), sample("remoteok_missing_titles.json"))

    assert {posting["title"] for posting in good} == {"Gardener", "Gardener again", "Beekeeper"}
    assert [(skip.external_id, skip.reason) for skip in bad] == [
        ("900102", "no title"),
        ("900103", "no title"),
        ("900104", "no title"),
        ("", "no id"),
        ("", "a record is str, not an object"),
        ("900106", "no usable address"),
    ]


def test_greenhouse_content_is_unescaped_once_and_dates_and_types_are_read() -> None:
    good, bad = read(greenhouse.provider(), sample("greenhouse.json"))

    assert bad == []
    first, second, third, fourth, fifth = good
    assert first["excerpt"] == "About us: Boats & tides. Come aboard. Python"
    assert first["posted_at"] == datetime(2025, 12, 19, 10, 34, 15, tzinfo=UTC)
    assert first["attribution"] == "Tidewater careers, by Greenhouse"
    assert (first["type"], first["remote"]) == ("full_time", False)
    assert (second["remote"], second["type"]) == (True, None)
    assert third["type"] == "internship"
    assert third["posted_at"] == datetime(2026, 1, 6, 15, 34, 32, tzinfo=UTC)
    assert fourth["expires_at"] == datetime(2020, 1, 1, tzinfo=UTC)
    assert (fifth["salary_min"], fifth["salary_max"], fifth["salary_period"]) == (25, 31, "hour")
    assert fifth["salary_year_min"] == 25 * 2080


def test_greenhouse_company_falls_back_to_the_board() -> None:
    job = {"id": 1, "title": "Cook", "absolute_url": "https://boards.greenhouse.io/galley/jobs/1"}
    body = json.dumps({"jobs": [job]}).encode()

    assert read(greenhouse.provider(), body, "kombuse")[0][0]["company"] == "kombuse"
    assert read(greenhouse.provider(), body)[0][0]["company"] == "galley"


def test_greenhouse_has_one_feed_a_board_and_none_when_switched_off() -> None:
    on = greenhouse.provider(True, "https://boards.example/v1/", ["acme", "o_1"])

    assert [feed.url for feed in on.feeds] == [
        "https://boards.example/v1/acme/jobs?content=true",
        "https://boards.example/v1/o_1/jobs?content=true",
    ]
    assert greenhouse.provider(False, boards=["acme"]).feeds == ()
    assert remoteok.provider(False).feeds == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "The answer is empty."),
        (b" \n\xef\xbb\xbf ", "The answer is empty."),
        (sample("maintenance.html"), "The answer is HTML, not JSON."),
        (sample("remoteok_truncated.json"), "The answer breaks off before its JSON ends"),
        (b'[{"id": "1", "position": "Coo', "The answer breaks off before its JSON ends"),
        (b'{"id": nope, "and": "so on"}', "The answer is not valid JSON"),
        (b'["\xff"]', "The answer is not UTF-8 (byte 2)."),
        (b"[" * 200_000 + b"]" * 200_000, "too deep or too large"),
        (b"[" + b"9" * 10_000 + b"]", "too deep or too large"),
    ],
)
def test_an_answer_that_is_none_says_what_it_is(body: bytes, said: str) -> None:
    with pytest.raises(FeedError, match=said.replace("(", r"\(").replace(")", r"\)")):
        read_json(body)


@pytest.mark.parametrize("body", [b"{}", b'"jobs"', b'{"jobs": {}}', b"null"])
def test_json_of_another_shape_is_refused(body: bytes) -> None:
    for provider in (remoteok.provider(), greenhouse.provider()):
        with pytest.raises(FeedError, match=r"is no .* answer"):
            read(provider, body)


def test_one_odd_record_does_not_spoil_the_rest() -> None:
    def strict(record: Any) -> Advert:
        return Advert(record["id"], record["title"], "", "https://a.example")

    found = list(read_each([{"id": "1", "title": "a"}, {"id": 2}, None], strict))

    assert isinstance(found[0], Advert)
    assert [(skip.external_id, skip.reason) for skip in found[1:] if isinstance(skip, Skipped)] == [
        ("2", "not readable: KeyError: 'title'"),
        ("", "a record is NoneType, not an object"),
    ]


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("2026-01-02T10:00:00Z", datetime(2026, 1, 2, 10, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        ("soon", None),
        (10**30, None),
        (True, None),
        (None, None),
    ],
)
def test_moments(told: object, meant: datetime | None) -> None:
    assert moment(told) == meant


@pytest.mark.parametrize(
    ("pattern", "provider"),
    [("remoteok_*.json", remoteok.provider()), ("greenhouse_*.json", greenhouse.provider())],
    ids=["remoteok", "greenhouse"],
)
def test_captured_answers_lose_no_posting(pattern: str, provider: Provider) -> None:
    """The twin of the tests above on answers of the real feeds."""
    folder = os.environ.get("JOBSTEAD_SAMPLES")
    if not folder:
        pytest.skip("JOBSTEAD_SAMPLES names no folder with captured answers")
    files = sorted((Path(folder) / "feeds").glob(pattern))
    if not files:
        pytest.skip(f"no {pattern} in JOBSTEAD_SAMPLES")
    for file in files:
        document = json.loads(file.read_bytes())
        records = [r for r in (document if isinstance(document, list) else document["jobs"]) if "id" in r]
        good, bad = read(provider, file.read_bytes(), now=datetime(2100, 1, 1, tzinfo=UTC))
        titled = [r for r in records if (r.get("title") or r.get("position") or "").strip()]

        assert {posting["external_id"] for posting in good} == {str(r["id"]) for r in titled}, file.name
        assert len(good) + len(bad) == len(records), file.name
        assert all(skip.reason == "no title" for skip in bad), file.name
        assert all(posting["company"] and posting["posted_at"] and posting["source_url"] for posting in good)
