"""Access tokens that somebody signed otherwise, or with a key of their own: none is believed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from joserfc.jwk import RSAKey

from core.testing import Instance
from tests.attack.forge import Forge, Json, b64, decoded, encoded, rs256

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def forge(house: Instance) -> Forge:
    return Forge(house, house.person("bearer@example.org"))


@pytest.fixture(scope="module")
def mine() -> rsa.RSAPrivateKey:
    """A key of the attacker's."""
    return rsa.generate_private_key(65537, 2048)


def test_the_forge_makes_tokens_that_hold(forge: Forge) -> None:
    """Else everything below would be refused for a reason of its own."""
    assert forge.use(forge.who.token).status_code == 200
    assert forge.use(forge.made()).status_code == 200
    assert forge.use(forge.made(jti=str(uuid4()))).status_code == 200


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", None])
@pytest.mark.parametrize("signature", ["", "AA", "real"])
def test_no_algorithm(forge: Forge, alg: str | None, signature: str) -> None:
    first = f"{encoded({**forge.header, 'alg': alg})}.{encoded(forge.claims)}"
    forge.refused(f"{first}.{forge.signature if signature == 'real' else signature}")


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("form", ["pem", "stripped", "der", "jwk", "n", "kid"])
def test_the_public_key_as_a_secret(forge: Forge, alg: str, form: str) -> None:
    der = serialization.load_pem_public_key(forge.public).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secret = {
        "pem": forge.public,
        "stripped": forge.public.strip(),
        "der": der,
        "jwk": json.dumps(forge.jwk).encode(),
        "n": decoded(forge.jwk["n"]),
        "kid": forge.header["kid"].encode(),
    }[form]
    first = f"{encoded({**forge.header, 'alg': alg})}.{encoded(forge.claims)}"
    kind = alg.replace("HS", "sha")
    forge.refused(f"{first}.{b64(hmac.new(secret, first.encode(), kind).digest())}")


def _other_signatures(forge: Forge) -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "RS384", lambda text: rs256(forge.key, text, hashes.SHA384())
    yield "RS512", lambda text: rs256(forge.key, text, hashes.SHA512())
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    yield "PS256", lambda text: forge.key.sign(text, salted, hashes.SHA256())
    curve = ec.generate_private_key(ec.SECP256R1())
    yield "ES256", lambda text: curve.sign(text, ec.ECDSA(hashes.SHA256()))
    yield "EdDSA", lambda text: bytes(64)


def test_another_algorithm_with_the_right_key(forge: Forge) -> None:
    for alg, sign in _other_signatures(forge):
        for said in (alg, "RS256", "rs256", " RS256", ["RS256"]):
            first = f"{encoded({**forge.header, 'alg': said})}.{encoded(forge.claims)}"
            forge.refused(f"{first}.{b64(sign(first.encode()))}")


def test_a_foreign_key(forge: Forge, mine: rsa.RSAPrivateKey) -> None:
    jwk = RSAKey.import_key(
        mine.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public = jwk.as_dict(private=False)
    forge.refused(forge.made(key=mine))
    for header in (
        {"kid": jwk.thumbprint()},
        {"jwk": public},
        {"jku": "https://evil.example/jwks.json"},
        {"jku": "http://127.0.0.1:1/jwks.json"},
        {"x5u": "https://evil.example/x.pem"},
        {"x5c": [b64(b"certificate")]},
        {"x5t": "AAAA"},
        {"jwk": public, "kid": jwk.thumbprint()},
    ):
        forge.refused(forge.sealed({**forge.header, **header}, forge.claims, mine))


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["bork"], "bork": True},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
        {"cty": "JWT"},
        {"jku": "https://example.org"},
        {"iss": "me"},
        {"": ""},
    ],
)
def test_a_header_with_more_than_ours(forge: Forge, more: Json) -> None:
    """Signed by the right key: a header we do not write is not ours."""
    forge.refused(forge.sealed({**forge.header, **more}, forge.claims))


@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
@pytest.mark.parametrize(
    "value", ["left out", None, 1, True, [], {}, "", "x", "JWT", "refresh+jwt", "at+JWT", "at+jwt "]
)
def test_a_header_with_less_or_other(forge: Forge, name: str, value: Any) -> None:
    header = {k: v for k, v in forge.header.items() if k != name or value != "left out"}
    if value != "left out":
        header[name] = value
    forge.refused(forge.sealed(header, forge.claims))


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "/dev/null",
        "/etc/hostname",
        "' UNION SELECT 'a' --",
        "x' OR '1'='1",
        "x\0",
        "*",
        "%",
        "a" * 3_000,
        ["a"],
        {"a": 1},
        0,
    ],
)
def test_a_key_id_that_leads_elsewhere(forge: Forge, kid: Any) -> None:
    first = f"{encoded({**forge.header, 'kid': kid})}.{encoded(forge.claims)}"
    forge.refused(f"{first}.{b64(hmac.new(b'', first.encode(), 'sha256').digest())}")
    forge.refused(f"{first}.{b64(rs256(forge.key, first.encode()))}")
