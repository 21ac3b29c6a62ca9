"""``jobstead ingest``: a saved answer, or one sentence about why not."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from core.testing import Instance, Person

from .conftest import SAMPLES, found


def run(boards: Instance, *arguments: object) -> Result:
    from plugins.job_boards.commands import ingest_file

    with boards.app.app_context():
        return CliRunner().invoke(ingest_file, [str(argument) for argument in arguments])


def ingest(boards: Instance, document: Any, provider: str) -> dict[str, Any]:
    """Read a document as the command does, and let what follows happen."""
    file = boards.home / "answer.json"
    file.write_text(json.dumps(document))
    result = run(boards, file, "--provider", provider, "--json")
    assert result.exit_code == 0, result.output
    boards.drain()
    return dict(json.loads(result.stdout))


def test_a_saved_answer_is_stored_once(boards: Instance, ada: Person) -> None:
    first = run(boards, SAMPLES / "remoteok.json", "--provider", "remoteok")
    second = run(boards, SAMPLES / "remoteok.json", "--provider", "remoteok", "--json")

    assert (first.exit_code, first.stdout) == (0, "6 created, 0 updated, 0 unchanged, 0 skipped\n")
    counts = json.loads(second.stdout)
    assert [counts[name] for name in ("created", "updated", "unchanged", "skipped")] == [0, 0, 6, 0]
    assert len(found(ada)) == 6


def test_what_was_skipped_is_named(boards: Instance) -> None:
    result = run(boards, SAMPLES / "remoteok_missing_titles.json", "--provider", "remoteok")

    assert result.stdout == "2 created, 0 updated, 0 unchanged, 7 skipped\n"
    assert "skipped 900102: no title" in result.stderr
    assert "skipped a record: no id" in result.stderr


def test_a_board_gives_its_name(boards: Instance, ada: Person) -> None:
    result = run(boards, SAMPLES / "greenhouse.json", "--provider", "greenhouse", "--board", "tidewater")

    assert result.exit_code == 0
    assert "Expired Lighthouse Keeper" not in found(ada, source="greenhouse")
    assert len(found(ada, source="greenhouse")) == 4


UNREADABLE = [
    ("missing.json", "remoteok", "missing.json does not exist."),
    ("folder", "remoteok", "folder is a directory, not a file."),
    ("list.json/inner", "remoteok", "list.json/inner cannot be read: Not a directory."),
    ("text.json", "remoteok", "cannot be read as an answer of Remote OK. The answer is not valid JSON"),
    ("page.json", "remoteok", "The answer is HTML, not JSON."),
    ("board.json", "remoteok", "The answer is no Remote OK answer: it is not an array."),
    ("list.json", "greenhouse", 'it has no list "jobs".'),
    ("list.json", "remotok", "No provider is called 'remotok'; did you mean remoteok?"),
    ("list.json", "zzz", "No provider is called 'zzz'; there are: greenhouse, remoteok."),
    ("huge.json", "remoteok", "huge.json is larger than 10,000,000 bytes."),
]


def test_what_cannot_be_read_is_told_in_one_sentence(
    boards: Instance, ada: Person, subtests: pytest.Subtests
) -> None:
    home = boards.home
    (home / "folder").mkdir()
    (home / "text.json").write_text("hello, world and more")
    (home / "page.json").write_bytes((SAMPLES / "maintenance.html").read_bytes())
    (home / "board.json").write_text('{"jobs": []}')
    (home / "list.json").write_text("[]")
    with (home / "huge.json").open("wb") as huge:
        huge.truncate(10_000_001)
    for file, provider, said in UNREADABLE:
        with subtests.test(f"{file} {provider}"):
            result = run(boards, home / file, "--provider", provider)

            assert result.exit_code == 1
            assert result.stderr.startswith("Error: ")
            assert said in result.stderr
            assert result.stderr.count("\n") == 1
    assert found(ada) == []


def test_progress_is_shown_on_a_terminal(boards: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.job_boards.commands import ingest_file

    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as terminal, monkeypatch.context() as patch, boards.app.app_context():
        patch.setattr(sys, "stderr", terminal)
        ingest_file([str(SAMPLES / "remoteok.json"), "--provider", "remoteok"], standalone_mode=False)
        terminal.flush()
        shown = os.read(reader, 10_000).decode()
    os.close(reader)

    assert "Storing postings" in shown
    assert "100%" in shown


def test_captured_answers_come_in_once(boards: Instance, ada: Person) -> None:
    """The twin of ``test_a_saved_answer_is_stored_once`` on answers of the real feeds."""
    folder = os.environ.get("JOBSTEAD_SAMPLES")
    if not folder:
        pytest.skip("JOBSTEAD_SAMPLES names no folder with captured answers")
    stored = 0
    for file in sorted((Path(folder) / "feeds").glob("*.json")):
        provider = file.name.split("_")[0]
        if provider not in ("remoteok", "greenhouse"):
            continue
        first, second = (
            json.loads(run(boards, file, "--provider", provider, "--json").stdout) for _ in range(2)
        )
        assert first["created"] > 0, file.name
        assert (second["created"], second["updated"]) == (0, 0), file.name
        assert second["unchanged"] == first["created"], file.name
        stored += first["created"]

    assert (ada.get("/job-postings/search").json or {})["total"] == min(stored, 1000)
