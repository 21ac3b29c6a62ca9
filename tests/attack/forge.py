"""What it takes to make access tokens: a real one, and the key that signed it."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from werkzeug.test import TestResponse

from core.auth import auth
from core.testing import Instance, Person
from core.web import Server

Json = dict[str, Any]


class Forge:
    """What it takes to make tokens, of a real one and of the key that signed it."""

    def __init__(self, house: Instance, who: Person) -> None:
        self.app: Server = house.app
        self.who = who
        head, body, self.signature = who.token.split(".")
        self.header: Json = json.loads(decoded(head))
        self.claims: Json = json.loads(decoded(body))
        with self.app.app_context():
            _, key = auth().keys.active()
        self.key: rsa.RSAPrivateKey = serialization.load_pem_private_key(key.as_pem(private=True), None)  # type: ignore[assignment]
        self.public: bytes = key.as_pem(private=False)
        self.jwk: Json = dict(key.as_dict(private=False))

    def made(
        self, *, key: Any = None, alg: str | None = None, without: tuple[str, ...] = (), **claims: Any
    ) -> str:
        """A token in all but what is said as it should be; ``None`` as a claim's value is JSON's null."""
        body = {k: v for k, v in {**self.claims, **claims}.items() if k not in without}
        return self.sealed({**self.header, **({"alg": alg} if alg else {})}, body, key)

    def sealed(self, header: Any, body: Any, key: Any = None) -> str:
        first = f"{encoded(header)}.{encoded(body)}"
        return f"{first}.{b64(rs256(key or self.key, first.encode()))}"

    def use(self, token: str, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {token}", **headers}
        return self.app.test_client().get("/api/v1/auth/me", headers=given)

    def refused(self, token: str, **headers: str) -> None:
        answer = self.use(token, **headers)
        assert answer.status_code == 401, (token, answer.text)
        assert answer.mimetype == "application/problem+json"
        assert answer.json is not None
        assert answer.json["code"] in ("invalid_token", "unauthorized"), answer.text


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: Any) -> str:
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def rs256(key: rsa.RSAPrivateKey, signed: bytes, kind: hashes.HashAlgorithm | None = None) -> bytes:
    return key.sign(signed, padding.PKCS1v15(), kind or hashes.SHA256())
