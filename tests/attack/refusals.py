"""What a refusal must look like, and what is tried to get none."""

from __future__ import annotations

from werkzeug.test import TestResponse

from tests.attack.operations import Operation
from tests.attack.scene import MARK, Scene

FOR_EVERYBODY = {
    "job_boards.job_postings.show": "postings are the instance's, to be read by all who are signed in",
}
"""Operations that give out rows of others by their ids on purpose."""


def in_org(op: Operation, scene: Scene) -> dict[str, str]:
    return {"org": str(scene.org["slug"])} if any(name == "org" for name, _ in op.places) else {}


def names_for(op: Operation, scene: Scene) -> list[str]:
    """What to put where the path wants a name: of things that there are."""
    uuids = all(kind == "uuid" for name, kind in op.places if name != "org")
    ids = scene.foreign_ids(scene.outsider)
    return ids if uuids else [*ids[:5], MARK, "mail", "admin", "user", "remoteok"]


def unlike(op: Operation, answer: TestResponse, wanted: set[int], how: str) -> list[str]:
    faults = []
    if answer.status_code not in wanted:
        faults.append(f"{op} {how}: {answer.status_code} {answer.text[:150]}")
    elif answer.mimetype != "application/problem+json":
        faults.append(f"{op} {how}: {answer.mimetype}")
    if answer.status_code == 401 and "WWW-Authenticate" not in answer.headers:
        faults.append(f"{op} {how}: 401 without WWW-Authenticate")
    return faults


def leaks(op: Operation, answer: TestResponse) -> list[str]:
    """The victims' texts in an answer, where the caller had not written them there."""
    told = answer.text.lower().replace(answer.request.path.lower(), "")
    return [f"{op}: tells {answer.text[:200]}"] if MARK in told else []
