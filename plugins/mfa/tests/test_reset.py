"""Whoever lost their app is helped by an admin or an operator, and hears of it."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP

from click.testing import CliRunner, Result

from core.testing import Instance
from plugins.mfa.commands import mfa

from .conftest import Site, Somebody, code


def run(site: Site, *arguments: str) -> Result:
    with site.instance.app.app_context():
        return CliRunner().invoke(mfa, list(arguments))


def test_an_admin_takes_it_away_and_every_session_ends(site: Site, ann: Somebody) -> None:
    admin = site.somebody(role="admin")
    for _ in range(10):
        ann.verify(code=code(ann.secret, step=5))
    assert ann.verify().status_code == 429

    assert admin.person.delete(f"/users/{ann.person.id}/mfa").status_code == 204
    assert ann.person.get("/auth/me").status_code == 401
    assert "accessToken" in (ann.login().json or {})
    assert not [row for row in site.rows("mfa_recovery_code") if row["user_id"] == ann.person.id]
    assert [event["factors"] for event in site.events("mfa.reset", ann)] == [1]
    assert site.events("security.alert", ann)[-1]["kind"] == "mfa_reset"
    ann.person.sign_in()
    assert ann.protect().verify().status_code == 200

    nothing = site.somebody()
    assert admin.person.delete(f"/users/{nothing.person.id}/mfa").status_code == 204
    assert nothing.person.get("/auth/me").status_code == 200
    assert site.events("mfa.reset", nothing) == []


def test_who_may_not(site: Site, ann: Somebody) -> None:
    admin, above = site.somebody(role="admin"), site.somebody(role="superadmin").protect()
    assert site.somebody().person.delete(f"/users/{ann.person.id}/mfa").status_code == 403
    refused = admin.person.delete(f"/users/{above.person.id}/mfa")
    assert (refused.status_code, refused.json["code"]) == (403, "above_you")
    assert above.person.get("/auth/mfa").json["recoveryCodesLeft"] == 10
    assert above.person.get("/auth/me").status_code == 200
    unknown = "/users/01890000-0000-7000-8000-000000000000/mfa"
    assert admin.person.delete(unknown).status_code == 404
    assert site.instance.app.test_client().delete(f"/api/v1/users/{ann.person.id}/mfa").status_code == 401
    assert ann.login().json["mfaRequired"] is True


def test_an_operator_does_so_by_address(site: Site, ann: Somebody) -> None:
    done = run(site, "reset", f" {ann.person.email.upper()}")
    assert (done.exit_code, ann.person.email in done.output) == (0, True)
    assert "accessToken" in (ann.login().json or {})
    assert site.events("security.alert", ann)[-1]["ip"] == ""
    assert "has no second step" in run(site, "reset", ann.person.email).output
    unknown = run(site, "reset", "nobody@example.org")
    assert (unknown.exit_code, unknown.output) == (1, "Error: Nobody has the address nobody@example.org.\n")


def test_the_owner_hears_of_it_by_mail(instance: Instance) -> None:
    site = Site(instance.plugins("mfa", "mail"))
    ann = site.somebody().protect()
    ann.verify(recoveryCode=ann.recovery[0])
    run(site, "reset", ann.person.email)
    instance.drain()

    mails = [
        message_from_bytes(path.read_bytes(), policy=SMTP) for path in (instance.home / "var/mail").iterdir()
    ]
    texts = [
        " ".join(body.get_content().split())
        for mail in mails
        if str(mail["Subject"]).startswith("Look after") and (body := mail.get_body(("plain",))) is not None
    ]
    for sentence in (
        "an authenticator app was added to your account, from the address 127.0.0.1",
        "signed in to your account with a recovery code, from the address 127.0.0.1",
        "an administrator took the second step of signing in away from your account: your",
    ):
        assert sum(sentence in text for text in texts) == 1
    for secret in (ann.secret, *ann.recovery):
        assert not any(secret in text for text in texts)
