"""The second step of a log-in: who gets in, once, and who does not."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
import time_machine
from werkzeug.test import TestResponse

from core.api import utcnow

from .conftest import CROWD, PASSWORD, Site, Somebody, code, crowd

OURS = {"Sec-Fetch-Site": "same-origin"}


def refused(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, (answer.json or {})["code"]


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_code_of_now_or_beside_it_lets_in(site: Site, step: int) -> None:
    ann = site.somebody().protect()
    with time_machine.travel(utcnow() + timedelta(minutes=2)):
        answer = ann.verify(code=code(ann.secret, step=step))
        assert answer.status_code == 200
        assert {"accessToken", "refreshToken", "mustChangePassword", "userId"} <= set(answer.json)
        client = site.instance.app.test_client()
        bearer = {"Authorization": f"Bearer {answer.json['accessToken']}"}
        assert client.get("/api/v1/auth/me", headers=bearer).json["email"] == ann.person.email
    assert [event["amr"] for event in site.events("user.login", ann)] == [["pwd", "otp"]]
    last = [row["amr"] for row in site.rows("core_session") if row["user_id"] == ann.person.id][-1]
    assert last == ["pwd", "otp"]


@pytest.mark.parametrize("step", [-2, 2])
def test_a_code_further_off_does_not(site: Site, step: int) -> None:
    ann = site.somebody().protect()
    with time_machine.travel(utcnow() + timedelta(minutes=2)):
        assert refused(ann.verify(code=code(ann.secret, step=step))) == (401, "invalid_code")


def test_a_code_is_good_once_and_none_before_it_afterwards(ann: Somebody) -> None:
    given = code(ann.secret, step=1)
    assert ann.verify(code=given).status_code == 200
    assert refused(ann.verify(code=given)) == (401, "invalid_code")
    assert refused(ann.verify(code=code(ann.secret))) == (401, "invalid_code")
    with time_machine.travel(utcnow() + timedelta(seconds=30)):
        assert refused(ann.verify(code=given)) == (401, "invalid_code")
        assert ann.verify(code=code(ann.secret, step=1)).status_code == 200


def test_the_code_that_confirmed_is_used_up(site: Site) -> None:
    ann = site.somebody()
    given = code(ann.enroll()["secret"])
    assert ann.person.post("/auth/mfa/totp/confirm", {"code": given}).status_code == 200
    assert refused(ann.verify(code=given)) == (401, "invalid_code")


def test_of_a_crowd_with_one_code_and_tickets_of_their_own_one_gets_in(site: Site, ann: Somebody) -> None:
    tickets, given = [ann.ticket() for _ in range(CROWD)], code(ann.secret)
    answers = crowd(lambda number: ann.verify(tickets[number], code=given))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 401, 429}
    assert [event["amr"] for event in site.events("user.login", ann)] == [["pwd", "otp"]]


def test_a_recovery_code_is_good_once_however_it_is_typed(site: Site, ann: Somebody) -> None:
    first, second = ann.recovery[0], ann.recovery[1]
    assert ann.verify(recoveryCode=first).status_code == 200
    assert refused(ann.verify(recoveryCode=first)) == (401, "invalid_code")
    assert ann.verify(recoveryCode=f" {second.upper().replace('-', ' ')} ").status_code == 200
    assert ann.person.get("/auth/mfa").json["recoveryCodesLeft"] == 8
    assert [event["left"] for event in site.events("mfa.recovery_code_used", ann)] == [9, 8]
    kinds = [event["kind"] for event in site.events("security.alert", ann)]
    assert kinds.count("mfa_recovery_code_used") == 2
    assert [event["amr"] for event in site.events("user.login", ann)] == [["pwd", "recovery"]] * 2


def test_of_a_crowd_with_one_recovery_code_one_gets_in(ann: Somebody) -> None:
    tickets = [ann.ticket() for _ in range(CROWD)]
    answers = crowd(lambda number: ann.verify(tickets[number], recoveryCode=ann.recovery[0]))
    assert answers.count(200) == 1
    assert set(answers) <= {200, 401, 429}


def test_anothers_codes_are_worth_nothing(site: Site, ann: Somebody) -> None:
    bob = site.somebody().protect()
    assert refused(bob.verify(code=code(ann.secret))) == (401, "invalid_code")
    assert refused(bob.verify(recoveryCode=ann.recovery[0])) == (401, "invalid_code")
    assert ann.verify(recoveryCode=ann.recovery[0]).status_code == 200


def test_when_the_recovery_codes_are_gone_they_are_not_offered(ann: Somebody) -> None:
    for word in ann.recovery:
        assert ann.verify(recoveryCode=word).status_code == 200
    assert ann.login().json["methods"] == ["totp"]


def test_a_ticket_bears_five_tries(ann: Somebody) -> None:
    ticket, wrong = ann.ticket(), code(ann.secret, step=5)
    for _ in range(5):
        assert refused(ann.verify(ticket, code=wrong)) == (401, "invalid_code")
    assert refused(ann.verify(ticket)) == (401, "invalid_ticket")
    assert ann.verify().status_code == 200


def test_more_tickets_give_no_more_guesses(site: Site, ann: Somebody) -> None:
    bob = site.somebody().protect()
    wrong = code(ann.secret, step=5)
    for number in range(10):
        shown = {"code": wrong} if number % 2 else {"recoveryCode": "aaaa-aaaa-aaaa"}
        assert refused(ann.verify(**shown)) == (401, "invalid_code")
    for shown in ({"code": code(ann.secret)}, {"recoveryCode": ann.recovery[0]}):
        answer = ann.verify(**shown)
        assert refused(answer) == (429, "rate_limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert bob.verify().status_code == 200  # it is counted by person
    assert len(site.events("mfa.tries_exhausted", ann)) == 1
    kinds = [event["kind"] for event in site.events("security.alert", ann)]
    assert kinds == ["mfa_factor_added", "mfa_tries_exhausted"]
    with time_machine.travel(utcnow() + timedelta(hours=1, seconds=1)):
        assert ann.verify().status_code == 200


def test_of_a_crowd_of_guesses_ten_are_judged(ann: Somebody) -> None:
    tickets, wrong = [ann.ticket() for _ in range(CROWD)], code(ann.secret, step=5)
    answers = crowd(lambda number: ann.verify(tickets[number], code=wrong))
    assert answers == [401] * 10 + [429] * (CROWD - 10)


def test_right_codes_are_not_counted(ann: Somebody) -> None:
    for word in ann.recovery:
        assert ann.verify(recoveryCode=word).status_code == 200
    assert ann.verify().status_code == 200


def test_suspended_or_deleted_between_the_steps(site: Site, ann: Somebody) -> None:
    admin, bob = site.somebody(role="superadmin"), site.somebody().protect()
    waiting = ann.ticket()
    assert admin.person.post(f"/users/{ann.person.id}/suspend").status_code == 200
    assert refused(ann.verify(waiting)) == (401, "invalid_ticket")
    assert refused(ann.login()) == (403, "account_suspended")
    waiting = bob.ticket()
    assert admin.person.delete(f"/users/{bob.person.id}").status_code == 204
    assert refused(bob.verify(waiting)) == (401, "invalid_ticket")
    assert site.events("user.login", ann) == site.events("user.login", bob) == []


def test_a_new_password_does_not_do_without_the_second_step(ann: Somebody) -> None:
    waiting, new = ann.ticket(), "another horse battery"
    changed = ann.person.put("/auth/change-password", {"currentPassword": PASSWORD, "newPassword": new})
    assert changed.status_code == 200
    assert refused(ann.verify(waiting)) == (401, "invalid_ticket")
    again = ann.site.post("/auth/login", {"email": ann.person.email, "password": new})
    assert again.json["mfaRequired"] is True


def test_browsers_get_cookies_at_the_second_step(site: Site, ann: Somebody) -> None:
    first = site.post(
        "/auth/login", {"email": ann.person.email, "password": PASSWORD, "cookies": True}, headers=OURS
    )
    assert first.json["mfaRequired"] is True
    assert "Set-Cookie" not in first.headers

    shown = {"ticket": first.json["ticket"], "code": code(ann.secret), "cookies": True}
    foreign = site.post("/auth/mfa/verify", shown, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused(foreign) == (403, "csrf_failed")
    answer = site.post("/auth/mfa/verify", shown, headers=OURS)
    assert answer.status_code == 200
    assert answer.json["tokenType"] == "Cookie"
    assert not {"accessToken", "refreshToken"} & set(answer.json)
    given: SimpleCookie = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        given.load(line)
    assert set(given) == {f"__Host-jobstead_{name}" for name in ("access", "refresh", "csrf")}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"ticket": "x"},
        {"code": "123456"},
        {"ticket": "x", "code": "123456", "recoveryCode": "aaaa-aaaa-aaaa"},
        {"ticket": "x", "code": "12345"},
        {"ticket": "x", "code": "١٢٣٤٥٦"},
        {"ticket": "x", "code": "123456\n"},
        {"ticket": "x", "code": 123456},
        {"ticket": None, "code": "123456"},
        {"ticket": "x" * 201, "code": "123456"},
        {"ticket": "x", "recoveryCode": ""},
        {"ticket": "x", "recoveryCode": "a\0b"},
        {"ticket": "x", "code": "123456", "cookies": "yes"},
        {"ticket": "x", "code": "123456", "userId": "somebody"},
    ],
)
def test_bad_input_is_a_problem(site: Site, body: object) -> None:
    answer = site.post("/auth/mfa/verify", body)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_a_ticket_that_is_none(site: Site) -> None:
    for ticket in ("", "x", "lt_x_y", f"lt_{'a' * 26}_{'b' * 43}"):
        for shown in ({"code": "123456"}, {"recoveryCode": "ünsinn"}):
            answer = site.post("/auth/mfa/verify", {"ticket": ticket, **shown})
            assert refused(answer) == (401, "invalid_ticket")
