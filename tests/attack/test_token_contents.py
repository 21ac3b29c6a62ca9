"""Access tokens rightly signed that say too little, too much, or belong elsewhere: none is believed."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwe, jws
from joserfc.jwk import RSAKey

from core.testing import Databases, Instance
from tests.attack.forge import Forge, Json, b64, encoded
from tests.attack.scene import instance_of

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def forge(house: Instance) -> Forge:
    return Forge(house, house.person("bearer@example.org"))


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "tid", "amr", "ver"])
def test_every_claim_is_needed(forge: Forge, name: str) -> None:
    """Signed by the right key."""
    forge.refused(forge.made(without=(name,)))


OTHER_KINDS = (None, 0, -1, 1.5, True, False, "x", [], {}, ["x"], "\0", 2**70, "1e9", "99999999999")


def _as_good(name: str, value: Any) -> bool:
    """As what we write ourselves: no organisation, some methods, and ``True`` is 1 to Python."""
    return (
        (name == "tid" and not value)
        or (name == "amr" and value in ([], ["x"]))
        or (name, value) == ("ver", True)
    )


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "iat", "exp", "tid", "amr", "ver"])
def test_claims_of_other_kinds(forge: Forge, name: str) -> None:
    for value in OTHER_KINDS:
        if not _as_good(name, value):
            forge.refused(forge.made(**{name: value}))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["{aud}"]},
        {"aud": ["{aud}", "other"]},
        {"aud": "{aud} "},
        {"aud": "other"},
        {"iss": "{iss}/"},
        {"iss": "https://evil.example"},
        {"sub": str(uuid4())},
        {"sid": str(uuid4())},
        {"sub": "{sid}", "sid": "{sub}"},
        {"sub": "{sub}\0"},
        {"sub": " {sub}"},
        {"role": "superadmin"},
        {"roles": ["superadmin"]},
        {"nbf": 0},
    ],
)
def test_claims_of_others(forge: Forge, claims: Json) -> None:
    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(part) for part in value]
        return value.format(**forge.claims) if isinstance(value, str) else value

    forge.refused(forge.made(**{name: put(value) for name, value in claims.items()}))


def test_times(forge: Forge) -> None:
    now, life = int(time.time()), forge.claims["exp"] - forge.claims["iat"]
    for issued, expires in (
        (now, now + life + 1),
        (now, 2**62),
        (now, 10**30),
        (0, now + 10),
        (-(2**40), now + 60),
        (now + 3600, now + 3600 + life),
        (now - life - 100, now - 100),
        (now, now),
        (now + 10, now),
        (now, -now),
    ):
        forge.refused(forge.made(iat=issued, exp=expires))


def test_each_part_changed(forge: Forge) -> None:
    """Any character of the token replaced by another: also where base64 has bits to spare."""
    token, held = forge.who.token, []
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, old in enumerate(token):
        if old != "." and place % 7 and place < len(token) - 3:
            continue
        for new in alphabet if place >= len(token) - 1 else "Ax_.~= ":
            if new != old and forge.use(token[:place] + new + token[place + 1 :]).status_code != 401:
                held.append((place - len(token), old, new))
    assert held == []


def test_parts_left_out_or_added(forge: Forge) -> None:
    head, body, signature = forge.who.token.split(".")
    for token in (
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}..{signature}",
        f".{body}.{signature}",
        f"{head}.{body}.{signature}.",
        f".{head}.{body}.{signature}",
        f"{head}.{body}.{signature}.{signature}",
        f"{head}.{body}.{signature}=",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}.{signature}==",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}.{body}.{signature}AAAA",
        f"{head}.{body}.AAAA{signature}",
        f"{body}.{head}.{signature}",
        f"{head}\n.{body}.{signature}",
        f"{head}.{body}.{signature}\u00a0x",
        f"{head}. {body}.{signature}",
        f"{head}%2E{body}%2E{signature}",
        f"{head}.{body}.{signature},{head}.{body}.{signature}",
        forge.who.token + "a" * 5_000,
        forge.who.token.upper(),
        forge.who.token.replace(".", "\uff0e"),
    ):
        if "\n" in token or "\uff0e" in token:
            continue  # no server lets such a header in
        forge.refused(token)


def test_duplicate_names_in_the_json(forge: Forge) -> None:
    """Whichever of two a reader takes: both are signed, and who signs writes none twice."""
    twice = b'{"alg":"none",' + json.dumps(forge.header).encode()[1:]
    assert (
        forge.use(forge.sealed(twice, forge.claims, rsa.generate_private_key(65537, 2048))).status_code == 401
    )
    first = f"{encoded(twice)}.{encoded(forge.claims)}"
    forge.refused(f"{first}.")


def test_other_containers(forge: Forge) -> None:
    flat = {
        "payload": encoded(forge.claims),
        "protected": encoded(forge.header),
        "signature": forge.signature,
    }
    for text in (json.dumps(flat), json.dumps({"payload": flat["payload"], "signatures": [flat]})):
        forge.refused(text)
        forge.refused(b64(text.encode()))
    forge.refused(forge.sealed(forge.header, forge.who.token.encode()))  # a token in a token
    forge.refused(forge.sealed(forge.header, json.dumps(forge.who.token).encode()))
    forge.refused(forge.sealed(forge.header, [forge.claims]))
    forge.refused(forge.sealed([forge.header], forge.claims))
    forge.refused(forge.sealed(b"\xff\xfe", forge.claims))
    forge.refused(forge.sealed(b"[" * 900 + b"]" * 900, forge.claims))
    public = RSAKey.import_key(forge.public)
    sealed = jwe.encrypt_compact(
        {"alg": "RSA-OAEP", "enc": "A128CBC-HS256"}, json.dumps(forge.claims).encode(), public
    )
    forge.refused(sealed)
    wrapped = jwe.encrypt_compact(
        {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "cty": "JWT"}, forge.who.token.encode(), public
    )
    forge.refused(wrapped)
    other = RSAKey.generate_key(2048)
    forge.refused(
        jws.serialize_compact({"alg": "RS256"}, forge.who.token.encode(), other, algorithms=["RS256"])
    )


def test_a_token_of_another_instance(
    forge: Forge, tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> None:
    """Its twin even: the same signing key, copied with the database, but another audience."""
    with instance_of(
        tmp_path_factory.mktemp("other"), databases, JOBSTEAD_SERVER__PUBLIC_URL="https://other.example"
    ) as other:
        theirs = other.person("bearer@example.org")
        forge.refused(theirs.token)
        answer = other.app.test_client().get(
            "/api/v1/auth/me", headers={"Authorization": f"Bearer {forge.who.token}"}
        )
        assert answer.status_code == 401


def test_one_kind_of_secret_is_no_other(house: Instance, forge: Forge) -> None:
    """A refresh token is no access token, nor the other way round, nor does a CSRF token sign in."""
    client = house.app.test_client()
    forge.refused(_registered(house)["refreshToken"])
    for token in (forge.who.token, forge.signature, "rt_" + "a" * 26 + "_" + "a" * 43, "", "rt_", "\0"):
        answer = client.post("/api/v1/auth/refresh", json={"refreshToken": token})
        assert answer.status_code in (401, 422), answer.text


def test_where_a_token_is_not_looked_for(forge: Forge) -> None:
    token, client = forge.who.token, forge.app.test_client()
    for path in (f"?access_token={token}", f"?token={token}", f"?Authorization=Bearer%20{token}"):
        assert client.get(f"/api/v1/auth/me{path}").status_code == 401
    for name in (
        "X-Access-Token",
        "X-Authorization",
        "Proxy-Authorization",
        "X-Original-Authorization",
        "X-User-Id",
    ):
        assert client.get("/api/v1/auth/me", headers={name: f"Bearer {token}"}).status_code == 401
    for name in ("access_token", "token", "session", "jobstead_access", "__Secure-jobstead_access"):
        client = forge.app.test_client()
        client.set_cookie(name, token)
        assert client.get("/api/v1/auth/me").status_code == 401
    for scheme in ("Basic", "Token", "JWT", "DPoP", "bearer\tx"):
        assert (
            client.get("/api/v1/auth/me", headers={"Authorization": f"{scheme} {token}"}).status_code == 401
        )


def test_two_credentials_at_once(house: Instance, forge: Forge) -> None:
    """A header that does not hold is not made good by a cookie or another header that does."""
    good, bad = (
        forge.who.token,
        forge.sealed(forge.header, forge.claims, rsa.generate_private_key(65537, 2048)),
    )
    client = house.app.test_client()
    for both in ([bad, good], [good, bad]):
        headers = [("Authorization", f"Bearer {token}") for token in both]
        assert client.get("/api/v1/auth/me", headers=headers).status_code == 401
    client.set_cookie("__Host-jobstead_access", good, secure=True)
    assert client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {bad}"}).status_code == 401
    assert client.get("/api/v1/auth/me", headers={"Authorization": ""}).status_code == 401
    answer = house.app.test_client().get(
        "/api/v1/auth/me", headers={"Cookie": f"__Host-jobstead_access={bad}; __Host-jobstead_access={good}"}
    )
    assert answer.status_code == 401


def test_the_key_set_gives_nothing_private_away(house: Instance) -> None:
    keys = (house.app.test_client().get("/.well-known/jwks.json").json or {})["keys"]
    assert keys
    for key in keys:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & key.keys()
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


def _registered(house: Instance) -> Json:
    from tests.identity.world import World

    world = World(house.app)
    world.person("kinds@example.org")
    return world.signed_in("kinds@example.org").tokens
