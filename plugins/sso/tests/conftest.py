"""One provider and one instance for each module of tests; each test has people of its own in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.api import verification_code
from core.testing import Databases, Instance

from .idp import HTTP, Idp, running

HOME = "https://jobs.test"
PASSWORD = "a quiet library"
FRONTEND = "https://app.test"
AROUND = {
    "PUBLIC_URL": HOME,
    "JOBSTEAD_OUTGOING__ALLOW_HTTP": "true",
    "JOBSTEAD_OUTGOING__ALLOW_NETWORKS": "127.0.0.0/8",
}


@pytest.fixture(scope="session")
def idp() -> Iterator[Idp]:
    with running() as provider:
        yield provider


@pytest.fixture(autouse=True)
def well_behaved(idp: Idp) -> None:
    idp.next()


def settings(idp: Idp) -> dict[str, Any]:
    """Two clients of one issuer: ``corp`` whose word on addresses is not enough, ``owner`` whose word is."""
    client = {"issuer": idp.issuer, "client_id": "jobstead", "client_secret": "s3cret of ours"}
    issuer = {"issuer": idp.issuer, "audience": "jobstead"}
    return {
        "return_origins": [FRONTEND],
        "oidc": {
            "corp": {**client, "title": "Corp", "token_auth": "client_secret_basic"},
            "owner": {**client, "email_authoritative": True},
            "closed": {**client, "sign_up": False},
        },
        "tokens": {"elsewhere": issuer},
    }


@pytest.fixture(scope="module")
def boot(
    idp: Idp, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Instance]]:
    """Boots instances, ``sso`` set up as ``settings`` has it unless told otherwise."""
    with ExitStack() as closing:

        def one(*plugins: str, sso: dict[str, Any] | None = None, path: list[Any] | None = None) -> Instance:
            made = Instance(tmp_path_factory.mktemp("instance"), databases)
            closing.callback(made.close)
            made.path = path or []
            made.environ.update(AROUND)
            made.plugins(*plugins, sso=settings(idp) if sso is None else sso)
            assert made.app
            return made

        yield one


@pytest.fixture(scope="module")
def instance(boot: Callable[..., Instance]) -> Instance:
    """The one that most tests of a module share."""
    return boot()


@dataclass
class Somebody:
    """A person as the provider knows them: nobody else's address and subject."""

    name: str = field(default_factory=lambda: uuid4().hex[:12])

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    def claims(self, **more: Any) -> dict[str, Any]:
        """What the provider says of them."""
        return {"sub": self.name, "email": self.email, "name": self.name.title(), **more}


@dataclass
class Browser:
    """Follows links between the instance and the provider, as a person's browser does."""

    client: FlaskClient
    idp: Idp

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=HOME, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=json, base_url=HOME, **options)

    def leave(self, provider: str = "oidc/corp", **query: str) -> str:
        """Set out; returns the provider's address that the browser is sent to."""
        answer = self.get(f"/api/v1/auth/{provider}", query_string=query)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]

    def sign_in_there(self, url: str) -> str:
        """Sign in at the provider; returns the address it sends the browser back to."""
        answer = HTTP.get(url)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def come_back(self, url: str) -> TestResponse:
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == HOME
        return self.get(f"{parts.path}?{parts.query}")

    def through(self, provider: str = "oidc/corp", **query: str) -> TestResponse:
        """All the way there and back."""
        return self.come_back(self.sign_in_there(self.leave(provider, **query)))

    def me(self) -> dict[str, Any] | None:
        """Who the browser is signed in as, by cookie."""
        answer = self.get("/api/v1/auth/me")
        return answer.json if answer.status_code == 200 else None


@pytest.fixture
def browser(instance: Instance, idp: Idp) -> Browser:
    return Browser(instance.app.test_client(), idp)


@pytest.fixture
def somebody() -> Somebody:
    return Somebody()


@dataclass
class Door:
    """Core's own ways in, as a client without cookies."""

    instance: Instance

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.instance.app.test_client().post(f"/api/v1/auth/{path}", json=body)

    def log_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("login", email=email, password=password)

    def register(self, email: str) -> None:
        assert self.post("register", email=email, password=PASSWORD, name="Early").status_code == 202

    def verify(self, email: str) -> None:
        sent = [each for each in self.instance.events("otp.requested") if each["email"] == email]
        with self.instance.app.app_context():
            code = verification_code(UUID(sent[-1]["code_id"]))
        assert self.post("verify-otp", email=email, code=code).status_code == 200


@pytest.fixture
def door(instance: Instance) -> Door:
    return Door(instance)


def query_of(url: str) -> dict[str, str]:
    """The query of an address, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def landed(answer: TestResponse) -> str:
    """Where somebody landed."""
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]
