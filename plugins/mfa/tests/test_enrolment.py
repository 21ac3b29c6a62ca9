"""Setting a second step up and taking it down."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
import time_machine

from core.api import utcnow
from plugins.mfa.enrolment import tidy

from .conftest import CROWD, Site, Somebody, code, crowd


def test_an_app_gets_what_it_needs(site: Site) -> None:
    ann = site.somebody()
    begun = ann.enroll("Phone")

    uri = urlsplit(begun["uri"])
    said = {key: values[0] for key, values in parse_qs(uri.query).items()}
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", f"/Jobstead:{ann.person.email}")
    assert said["secret"] == begun["secret"]
    assert said["issuer"] == "Jobstead"
    assert len(base64.b32decode(begun["secret"])) == 20
    kind, _, drawn = begun["qr"].partition(",")
    assert kind == "data:image/svg+xml;charset=utf-8"
    assert ElementTree.fromstring(unquote(drawn)).tag == "{http://www.w3.org/2000/svg}svg"


def test_until_it_is_confirmed_nothing_is_guarded(site: Site) -> None:
    ann = site.somebody()
    begun = ann.enroll()
    assert "accessToken" in (ann.login().json or {})
    assert ann.person.get("/auth/mfa").json == {"enabled": False, "factors": [], "recoveryCodesLeft": 0}

    wrong = ann.person.post("/auth/mfa/totp/confirm", {"code": code(begun["secret"], step=9)})
    assert (wrong.status_code, wrong.json["code"]) == (400, "invalid_code")
    with time_machine.travel(utcnow() + timedelta(minutes=10, seconds=1)):
        late = ann.person.post("/auth/mfa/totp/confirm", {"code": code(begun["secret"])})
        assert (late.status_code, late.json["code"]) == (409, "nothing_to_confirm")
        with site.instance.app.app_context():
            assert tidy()["forgotten"] >= 1
            assert tidy() == {"forgotten": 0}
    assert "accessToken" in (ann.login().json or {})


def test_beginning_again_forgets_what_was_begun(site: Site) -> None:
    ann = site.somebody()
    first, second = ann.enroll(), ann.enroll()
    assert ann.person.post("/auth/mfa/totp/confirm", {"code": code(first["secret"])}).status_code == 400
    assert ann.person.post("/auth/mfa/totp/confirm", {"code": code(second["secret"])}).status_code == 200


def test_confirmed_it_is_asked_for_and_the_other_sessions_end(site: Site) -> None:
    ann = site.somebody()
    elsewhere = ann.login().json["accessToken"]
    begun = ann.enroll("Phone")
    answer = ann.person.post("/auth/mfa/totp/confirm", {"code": code(begun["secret"])})

    assert answer.json["factorId"] == begun["factorId"]
    assert len(set(answer.json["recoveryCodes"])) == 10
    assert ann.login().json["methods"] == ["totp", "recovery_code"]
    shown = ann.person.get("/auth/mfa").json
    assert (shown["enabled"], shown["recoveryCodesLeft"]) == (True, 10)
    assert [(factor["kind"], factor["label"]) for factor in shown["factors"]] == [("totp", "Phone")]
    client = site.instance.app.test_client()
    ended = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {elsewhere}"})
    assert ended.status_code == 401
    assert [event["first"] for event in site.events("mfa.factor_added", ann)] == [True]
    assert [event["kind"] for event in site.events("security.alert", ann)] == ["mfa_factor_added"]
    assert {event["reason"] for event in site.events("session.ended", ann)} == {"mfa_changed"}


def test_of_a_crowd_that_confirms_one_gets_codes(site: Site) -> None:
    ann = site.somebody()
    given = {"code": code(ann.enroll()["secret"])}
    answers = crowd(lambda _: ann.person.post("/auth/mfa/totp/confirm", given))
    assert answers == [200] + [409] * (CROWD - 1)
    assert len([r for r in site.rows("mfa_recovery_code") if r["user_id"] == ann.person.id]) == 10


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/mfa/totp/enroll"),
        ("POST", "/auth/mfa/recovery-codes"),
        ("DELETE", "/auth/mfa/{factor}"),
        ("DELETE", "/users/{id}/mfa"),
    ],
)
def test_a_session_of_long_ago_changes_nothing(site: Site, method: str, path: str) -> None:
    ann = site.somebody(role="superadmin").protect()
    where = path.format(factor=ann.factor, id=ann.person.id)
    with time_machine.travel(utcnow() + timedelta(hours=1)):
        answer = ann.person.call(method, where)
    assert (answer.status_code, answer.json["code"]) == (403, "fresh_login_required")
    assert ann.person.get("/auth/mfa").json["recoveryCodesLeft"] == 10


def test_a_second_app_shares_the_recovery_codes_and_the_last_takes_them_along(site: Site) -> None:
    ann = site.somebody().protect()
    tablet = ann.enroll("Tablet")
    answer = ann.person.post("/auth/mfa/totp/confirm", {"code": code(tablet["secret"], step=-1)})
    assert answer.json["recoveryCodes"] == []
    assert ann.verify(code=code(tablet["secret"])).status_code == 200
    assert ann.verify().status_code == 200

    assert ann.person.delete(f"/auth/mfa/{ann.factor}").status_code == 204
    assert ann.person.get("/auth/mfa").json["recoveryCodesLeft"] == 10
    assert ann.verify(code=code(ann.secret, step=1)).status_code == 401
    waiting = ann.ticket()
    assert ann.person.delete(f"/auth/mfa/{tablet['factorId']}").status_code == 204
    assert ann.person.get("/auth/mfa").json == {"enabled": False, "factors": [], "recoveryCodesLeft": 0}
    assert ann.verify(waiting, recovery_code=ann.recovery[0]).status_code == 422
    assert ann.verify(waiting, recoveryCode=ann.recovery[0]).json["code"] == "invalid_ticket"
    assert "accessToken" in (ann.login().json or {})
    assert [event["last"] for event in site.events("mfa.factor_removed", ann)] == [False, True]
    assert not [row for row in site.rows("core_second_step") if row["user_id"] == ann.person.id]


def test_nobody_removes_anothers(site: Site, ann: Somebody) -> None:
    bob = site.somebody().protect()
    assert bob.person.delete(f"/auth/mfa/{ann.factor}").status_code == 404
    assert bob.person.get("/auth/mfa").json["factors"][0]["id"] == bob.factor
    assert ann.person.get("/auth/mfa").json["factors"][0]["id"] == ann.factor


def test_there_is_an_end_to_apps(site: Site) -> None:
    ann = site.somebody()
    for _ in range(5):
        begun = ann.enroll()
        assert ann.person.post("/auth/mfa/totp/confirm", {"code": code(begun["secret"])}).status_code == 200
    answer = ann.person.post("/auth/mfa/totp/enroll")
    assert (answer.status_code, answer.json["code"]) == (409, "too_many_factors")


def test_new_recovery_codes_replace_the_old_ones(site: Site, ann: Somebody) -> None:
    answer = ann.person.post("/auth/mfa/recovery-codes")
    assert answer.status_code == 201
    new = answer.json["recoveryCodes"]
    assert len(new) == 10
    assert not set(new) & set(ann.recovery)
    assert ann.verify(recoveryCode=ann.recovery[0]).status_code == 401
    assert ann.verify(recoveryCode=new[0]).status_code == 200
    bare = site.somebody()
    assert bare.person.post("/auth/mfa/recovery-codes").json["code"] == "no_factor"


def test_nothing_stored_is_a_credential(site: Site, ann: Somebody) -> None:
    ticket = ann.ticket()
    ann.verify(ticket, recoveryCode=ann.recovery[0])
    stored = site.everything_stored()
    key = base64.b32decode(ann.secret)
    assert ann.person.email in stored  # the look goes everywhere
    for secret in (ann.secret, key.hex(), repr(key), ticket, ticket.rpartition("_")[2], *ann.recovery):
        assert secret not in stored
    assert not [word for word in ann.recovery if word.replace("-", "") in stored]


def test_a_secret_opens_in_its_own_row_alone(site: Site, ann: Somebody) -> None:
    bob = site.somebody().protect()
    secrets = {row["user_id"]: row["secret"] for row in site.rows("mfa_factor")}
    database = site.instance.app.extensions["jobstead.db"]
    with site.instance.app.app_context(), database.engine.begin() as connection:
        theirs, his = secrets[ann.person.id], secrets[bob.person.id]
        connection.exec_driver_sql(f"UPDATE mfa_factor SET secret = '{theirs}' WHERE secret = '{his}'")
    assert bob.verify(code=code(ann.secret)).json["code"] == "invalid_code"
    assert bob.verify(recoveryCode=bob.recovery[0]).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/auth/mfa/totp/enroll", {"label": "x" * 65}, 422),
        ("/auth/mfa/totp/enroll", {"label": "a\u0007"}, 422),
        ("/auth/mfa/totp/enroll", {"label": 7}, 422),
        ("/auth/mfa/totp/enroll", [], 422),
        ("/auth/mfa/totp/confirm", {}, 422),
        ("/auth/mfa/totp/confirm", {"code": "١٢٣٤٥٦"}, 422),
        ("/auth/mfa/totp/confirm", {"code": "123456\n"}, 422),
        ("/auth/mfa/totp/confirm", {"code": 123456}, 422),
        ("/auth/mfa/totp/confirm", {"code": "123456"}, 409),
    ],
)
def test_bad_input_is_a_problem(site: Site, path: str, body: object, status: int) -> None:
    answer = site.somebody().person.post(path, body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_strangers_are_turned_away(site: Site) -> None:
    client = site.instance.app.test_client()
    for method, path in (
        ("GET", ""),
        ("POST", "/totp/enroll"),
        ("POST", "/totp/confirm"),
        ("POST", "/recovery-codes"),
        ("DELETE", "/01890000-0000-7000-8000-000000000000"),
    ):
        assert client.open(f"/api/v1/auth/mfa{path}", method=method).status_code == 401
