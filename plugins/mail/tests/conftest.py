"""Servers on 127.0.0.1, SMTP and vendors', that answer as a test wants them to."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.testing import Instance, Person

from .vendors import API_KEY, Vendor, running


@dataclass
class Mailbox:
    """What the server took, and what it shall answer: the next of ``rcpt`` or ``data``, then 250."""

    port: int = 0
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        if self.data:
            return self.data.pop(0)
        self.taken.append(message_from_bytes(envelope.content, policy=SMTP))
        self.recipients += envelope.rcpt_tos
        self.encrypted.append(session.ssl is not None)
        return "250 taken"


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1: what the server shows and a client may trust."""

    file: Path
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    file, private = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, private)
    return Certificate(file, context)


@pytest.fixture
def serve() -> Iterator[Callable[..., Mailbox]]:
    """``serve(**options of aiosmtpd's Controller)`` starts a server and answers its ``Mailbox``."""
    with ExitStack() as running:

        def start(**options: Any) -> Mailbox:
            mailbox = Mailbox(port=free_port())
            server = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)
            server.start()
            running.callback(server.stop)
            return mailbox

        yield start


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def only(user: str, password: str) -> Callable[..., AuthResult]:
    """An authenticator of aiosmtpd that lets this pair in and nobody else."""

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        right = isinstance(given, LoginPassword) and given == LoginPassword(user.encode(), password.encode())
        return AuthResult(success=right, handled=False)

    return check


@pytest.fixture
def resend() -> Iterator[Vendor]:
    with running("resend") as vendor:
        yield vendor


@pytest.fixture
def sendgrid() -> Iterator[Vendor]:
    with running("sendgrid") as vendor:
        yield vendor


def through(instance: Instance, *vendors: Vendor, **settings: Any) -> Instance:
    """Mail goes out by these vendors, in this order."""
    instance.environ |= {
        "JOBSTEAD_OUTGOING__ALLOW_HTTP": "true",
        "JOBSTEAD_OUTGOING__ALLOW_NETWORKS": "127.0.0.0/8",
    }
    tables = {vendor.name: {"api_key": API_KEY, "base_url": vendor.url, "timeout": 0.5} for vendor in vendors}
    order = {"transports": [vendor.name for vendor in vendors]}
    return instance.plugins(mail={"from": "Jobs <jobs@example.org>", **order, **tables, **settings})


def deliveries(admin: Person, query: str = "") -> list[dict[str, Any]]:
    """What admins see of mails, the oldest first."""
    answer = admin.get(f"/admin/mail/deliveries{query}")
    assert answer.status_code == 200, answer.text
    return list((answer.json or {})["items"])[::-1]
