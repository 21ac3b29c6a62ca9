"""A real OpenID provider in a process of its own (npm oauth2-mock-server), which lies when told to."""

from __future__ import annotations

import base64
import hmac
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from joserfc.jwk import ECKey, RSAKey

FOLDER = Path(__file__).parent / "provider"
HTTP = httpx.Client(trust_env=False, verify=False)
"""One for all: each new one would read the authorities' certificates."""


@dataclass
class Idp:
    """The provider: ``issuer`` is what it calls itself, ``control`` where a test tells it what to do."""

    issuer: str
    control: str

    def next(self, **how: Any) -> None:
        """What the next sign-ins shall be like; see ``provider.cjs``. Forgets what was before."""
        HTTP.post(f"{self.control}/next", json=how)

    def seen(self, at: str) -> list[dict[str, Any]]:
        """The requests to one endpoint since ``next``."""
        return [each for each in HTTP.get(f"{self.control}/seen").json() if each["at"] == at]

    def rotate(self, kid: str) -> None:
        """Have another key, which signs from now on."""
        HTTP.post(f"{self.control}/rotate", json={"kid": kid})

    def keys(self) -> list[dict[str, Any]]:
        """The private keys, the one that signs next first."""
        found: list[dict[str, Any]] = HTTP.get(f"{self.control}/keys").json()
        return found

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None, key: Any = None) -> str:
        """A token as this provider would sign it, unless ``header`` or ``key`` say otherwise."""
        own = self.keys()[0]
        header = {"alg": "RS256", "kid": own["kid"], "typ": "JWT", **(header or {})}
        header = {name: value for name, value in header.items() if value is not None}
        text = unsigned(header, claims).rpartition(".")[0]
        return f"{text}.{_signature(text.encode(), header['alg'], key or RSAKey.import_key(own))}"

    def claims(self, **more: Any) -> dict[str, Any]:
        """What a sound token of this provider says; ``None`` takes a claim away."""
        now = int(time.time())
        every = {"iss": self.issuer, "sub": "sub", "aud": "jobstead", "iat": now, "exp": now + 60, **more}
        return {name: value for name, value in every.items() if value is not None}


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    """A token put together by hand."""
    return ".".join([_part(header), _part(claims), signature])


def public_pem(key: dict[str, Any]) -> bytes:
    """A public key's text as a secret: what a confused verifier checks HS256 with."""
    return bytes(RSAKey.import_key(key).as_pem(private=False))


def _signature(text: bytes, algorithm: str, key: Any) -> str:
    """By hand, for no library signs what must be refused."""
    if isinstance(key, bytes):
        made = hmac.digest(key, text, "sha256")
    elif isinstance(key, ECKey):
        r, s = decode_dss_signature(key.private_key.sign(text, ec.ECDSA(SHA256())))
        made = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    else:
        digest = SHA384() if algorithm.endswith("384") else SHA256()
        made = key.private_key.sign(text, padding.PKCS1v15(), digest)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@contextmanager
def running() -> Iterator[Idp]:
    """The provider, for the duration. Skips the test where there is no node."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip("no node and npm on the PATH, which the provider needs")
    if not (FOLDER / "node_modules").is_dir():
        pytest.fail(f"the provider is not installed: make install-dev, or npm ci in {FOLDER}")
    process = subprocess.Popen(
        [node, str(FOLDER / "provider.cjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        told = json.loads(process.stdout.readline())
        yield Idp(told["issuer"], f"http://127.0.0.1:{told['control']}")
        process.stdin.close()
