"""Searching, and that alerts mean the same by a filter as the search does."""

from __future__ import annotations

from typing import Any

import pytest

from core.api import begin, db, select, utcnow
from core.testing import Instance, Person
from plugins.job_boards.models import Posting
from plugins.job_boards.schemas import FiltersSchema, filters_of
from plugins.job_boards.search import Filters, conditions, matches

from .conftest import found
from .test_command import ingest


def post(number: int, **more: Any) -> dict[str, Any]:
    """A Remote OK record."""
    url = f"https://remoteok.com/remote-jobs/{number}"
    date = f"2026-01-{1 + number % 28:02d}T00:00:00+00:00"
    return {
        "id": str(number),
        "position": f"Job {number}",
        "company": "Acme",
        "url": url,
        "date": date,
        **more,
    }


JOBS = [
    post(1, position="Python Developer", location="Berlin, Germany", salary_min=70000, salary_max=90000),
    post(2, position="PYTHON Ärztin", location="Köln", company="Größe & Co", tags=["part time"]),
    post(3, position="100% Remote", salary_min=40000),
    post(4, position="1000 Remotes", salary_max=30000),
    post(5, position="under_score", company="Acme Rockets"),
    post(6, position="underXscore", tags=["contract", "c++"]),
    post(7, position="back\\slash/er", tags=["internship"]),
]


@pytest.fixture
def stocked(boards: Instance) -> Instance:
    assert ingest(boards, JOBS, "remoteok")["created"] == len(JOBS)
    board = {
        "id": 9,
        "title": "Harbour Pilot",
        "absolute_url": "https://a.example/9",
        "company_name": "Tidewater",
    }
    ingest(boards, {"jobs": [{**board, "location": {"name": "Lisbon"}}]}, "greenhouse")
    return boards


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"query": "python"}, {"Python Developer", "PYTHON Ärztin"}),
    ({"query": "ÄRZTIN python"}, {"PYTHON Ärztin"}),
    ({"query": "python astronaut"}, set()),
    ({"query": "100%"}, {"100% Remote"}),
    ({"query": "under_score"}, {"under_score"}),
    ({"query": "\\"}, {"back\\slash/er"}),
    ({"query": "h/e"}, {"back\\slash/er"}),
    ({"query": "c++"}, {"underXscore"}),
    ({"location": "germany berlin"}, {"Python Developer"}),
    ({"location": "KÖLN"}, {"PYTHON Ärztin"}),
    ({"company": "GRÖSSE & co"}, {"PYTHON Ärztin"}),
    ({"type": "part_time"}, {"PYTHON Ärztin"}),
    ({"type": "part_time,internship"}, {"PYTHON Ärztin", "back\\slash/er"}),
    ({"remote": "false"}, {"Harbour Pilot"}),
    ({"salaryMin": 80000}, {"Python Developer"}),
    ({"salaryMin": 40000}, {"Python Developer", "100% Remote"}),
    ({"salaryMax": 40000}, {"100% Remote", "1000 Remotes"}),
    ({"source": "greenhouse"}, {"Harbour Pilot"}),
    ({"query": "'; DROP TABLE job_boards_posting; --"}, set()),
]


def test_filters(stocked: Instance, ada: Person, subtests: pytest.Subtests) -> None:
    for query, titles in FILTERS:
        with subtests.test(str(query)):
            assert set(found(ada, **query)) == titles


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "fulltime"}, "type.0"),
    ({"salaryMin": -1}, "salaryMin"),
    ({"salaryMin": "lots"}, "salaryMin"),
    ({"remote": "perhaps"}, "remote"),
    ({"postedWithin": "yesterday"}, "postedWithin"),
    ({"postedWithin": "0d"}, "postedWithin"),
    ({"limit": 101}, "limit"),
    ({"cursor": "bm9uc2Vuc2U"}, "cursor"),
    ({"cursor": "é"}, "cursor"),
    ({"page": 51, "limit": 20}, "page"),
    ({"colour": "red"}, "colour"),
    ({"query": "a\x00b"}, "query"),
]


def test_a_filter_that_cannot_be_is_refused_by_name(ada: Person, subtests: pytest.Subtests) -> None:
    for query, field in REFUSED:
        with subtests.test(str(query)):
            answer = ada.get("/job-postings/search", query_string=query)

            assert answer.status_code == 422
            assert list((answer.json or {})["errors"]) == [field]


def test_posted_within(boards: Instance, ada: Person) -> None:
    ingest(boards, [post(1, date=utcnow().isoformat()), post(2, date="2020-01-01T00:00:00Z")], "remoteok")

    assert found(ada, postedWithin="24h") == found(ada, postedWithin="7") == ["Job 1"]
    assert len(found(ada)) == 2


def test_pages_by_cursor_and_by_number_are_the_same_list(boards: Instance, ada: Person) -> None:
    ingest(boards, [post(n, date="2026-01-01T00:00:00Z") for n in range(1, 48)], "remoteok")
    by_number = [title for page in (1, 2, 3) for title in found(ada, limit=20, page=page)]
    by_cursor: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = ada.get("/job-postings/search", query_string={"limit": 20, **cursor}).json or {}
        assert (answer["total"], answer["totalIsExact"]) == (47, True)
        by_cursor += [item["title"] for item in answer["items"]]
        if answer["nextCursor"] is None:
            break
        cursor = {"cursor": answer["nextCursor"]}

    assert by_cursor == by_number
    assert len(set(by_cursor)) == 47


def test_total_is_exact_to_a_thousand(boards: Instance, ada: Person) -> None:
    ingest(boards, [post(n) for n in range(1, 1002)], "remoteok")
    answer = ada.get("/job-postings/search", query_string={"limit": 1}).json or {}

    assert (answer["total"], answer["totalIsExact"]) == (1000, False)
    assert found(ada, limit=1, page=1000) != []


def test_a_posting_whole(stocked: Instance, ada: Person) -> None:
    item = (ada.get("/job-postings/search", query_string={"salaryMin": 80000}).json or {})["items"][0]
    whole = ada.get(f"/job-postings/{item['id']}").json or {}

    assert item.items() <= whole.items()
    assert whole["salary"] == {"min": 70000, "max": 90000, "currency": "USD", "period": "year"}
    assert (whole["attribution"], whole["sourceUrl"]) == ("Remote OK", "https://remoteok.com/remote-jobs/1")
    assert ada.get("/job-postings/00000000-0000-7000-8000-000000000000").status_code == 404
    assert stocked.app.test_client().get(f"/api/v1/job-postings/{item['id']}").status_code == 401


WANTED: list[dict[str, Any]] = [
    {},
    {"query": "PYTHON"},
    {"query": "100%"},
    {"query": "under_score"},
    {"query": "back\\slash"},
    {"location": "köln"},
    {"type": ["part_time", "contract"]},
    {"remote": True},
    {"remote": False},
    {"salaryMin": 35000},
    {"salaryMax": 35000},
    {"salaryMin": 35000, "salaryMax": 65000},
    {"companies": ["acme", "tide"]},
    {"companies": ["größe"], "query": "python"},
    {"query": "nobody"},
]


def test_an_alert_means_what_the_search_means(stocked: Instance, subtests: pytest.Subtests) -> None:
    with stocked.app.app_context(), begin(write=False):
        every = db.session.scalars(select(Posting)).all()
        for wanted in WANTED:
            filters = Filters.from_json(filters_of(FiltersSchema().load(wanted)).as_json())
            with subtests.test(str(wanted)):
                by_search = set(db.session.scalars(select(Posting.title).where(conditions(filters))))

                assert {posting.title for posting in every if matches(filters, posting)} == by_search
