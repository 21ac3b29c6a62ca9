"""The outgoing client against a real server that misbehaves, and a name server that lies."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from core.web import OutgoingClient, OutgoingError, http_client
from core.web.outgoing import VettedNetwork
from tests.web.conftest import Shelf

LOOPBACK = ["127.0.0.0/8"]


class Peer(ThreadingHTTPServer):
    """Somebody else's server. ``seen`` are the requests it got; ``release`` ends what it draws out."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.release = Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Peer

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, {name.lower(): v for name, v in self.headers.items()}, body))
        getattr(self, self.path.strip("/").partition("?")[0])()

    def _send(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def hello(self) -> None:
        self._send(b'{"hello": 1}', Content_Type="application/json", Set_Cookie="a=b")

    def teapot(self) -> None:
        self._send(b"short and stout", 418, Retry_After="60")

    def away(self) -> None:
        self._send(b"", 302, Location=f"{self.server.base}/hello")

    def packed(self) -> None:
        self._send(gzip.compress(b"small" * 100), Content_Encoding="gzip")

    def bomb(self) -> None:
        self._send(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")

    def damaged(self) -> None:
        self._send(gzip.compress(b"x" * 1000)[:-12], Content_Encoding="gzip")

    def nonsense(self) -> None:
        self._send(b"no gzip at all", Content_Encoding="gzip")

    def unasked(self) -> None:
        self._send(zlib.compress(b"x"), Content_Encoding="deflate")

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while not self.server.release.is_set():
                self.wfile.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        except OSError:
            self.close_connection = True

    def drip(self) -> None:
        """A header a moment, for ever: no single read ever times out."""
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.server.release.wait(0.02):
                self.wfile.write(b"X: y\r\n")
        except OSError:
            pass
        self.close_connection = True

    def silent(self) -> None:
        self.server.release.wait(30)
        self.close_connection = True

    def hangup(self) -> None:
        self.close_connection = True


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client() -> Iterator[OutgoingClient]:
    with OutgoingClient(timeout=20, allow_http=True, allow_networks=LOOPBACK) as made:
        yield made


def test_it_asks_and_reads(peer: Peer, client: OutgoingClient) -> None:
    answer = client.get(f"{peer.base}/hello", params={"q": "ä b"}, headers={"X-Mine": "1"})
    assert (answer.status_code, answer.json()) == (200, {"hello": 1})
    path, headers, _ = peer.seen[0]
    assert path == "/hello?q=%C3%A4+b" or path == "/hello?q=%C3%A4%20b"
    assert headers["x-mine"] == "1"
    posted = client.post(f"{peer.base}/hello", json={"a": "é"})
    assert posted.status_code == 200
    assert peer.seen[1][2] == '{"a":"é"}'.encode()


def test_any_status_is_an_answer(peer: Peer, client: OutgoingClient) -> None:
    answer = client.get(f"{peer.base}/teapot")
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (418, "short and stout", "60")


def test_redirects_are_not_followed_nor_cookies_kept_nor_proxies_used(
    peer: Peer, client: OutgoingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert client.get(f"{peer.base}/away").status_code == 302
    client.get(f"{peer.base}/hello")
    client.get(f"{peer.base}/hello")
    assert [path for path, _, _ in peer.seen] == ["/away", "/hello", "/hello"]
    assert not any("cookie" in headers for _, headers, _ in peer.seen)


def test_a_packed_answer_is_unpacked(peer: Peer, client: OutgoingClient) -> None:
    assert client.get(f"{peer.base}/packed").content == b"small" * 100


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("endless", "larger than 100000 bytes"),
        ("bomb", "larger than 100000 bytes"),
        ("damaged", "damaged"),
        ("nonsense", "damaged"),
        ("unasked", "was not asked for"),
        ("hangup", "connection failed"),
    ],
)
def test_an_answer_that_misbehaves_is_an_error(
    peer: Peer, client: OutgoingClient, path: str, reason: str
) -> None:
    with pytest.raises(OutgoingError, match=reason) as told:
        client.get(f"{peer.base}/{path}", max_bytes=100_000)
    assert "127.0.0.1" not in told.value.reason
    assert client.get(f"{peer.base}/hello").status_code == 200  # the client is none the worse


@pytest.mark.parametrize("path", ["drip", "silent"])
def test_the_whole_request_has_one_deadline(peer: Peer, client: OutgoingClient, path: str) -> None:
    with pytest.raises(OutgoingError, match="too long"):
        client.get(f"{peer.base}/{path}", timeout=0.3)


def test_a_name_server_that_does_not_answer_holds_nobody_up() -> None:
    release = Event()

    def silent(_host: str, _port: int) -> list[str]:
        release.wait(30)
        return []

    with (
        OutgoingClient(timeout=0.2, resolver=silent) as client,
        pytest.raises(OutgoingError, match="too long"),
    ):
        client.get("https://slow.test/")
    release.set()


def test_a_connection_refused_is_an_error(client: OutgoingClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        with pytest.raises(OutgoingError, match="connection failed"):
            client.get(f"http://127.0.0.1:{taken.getsockname()[1]}/")


REFUSED = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://192.0.0.192/",
    "http://100.64.0.1/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::8.8.8.8]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:53aa:64c::]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://224.0.0.1/",
    "http://[ff02::1]/",
    "http://0.0.0.0/",
    "http://[::]/",
]


def test_addresses_inside_are_refused_however_they_are_written() -> None:
    with OutgoingClient(timeout=5, allow_http=True) as strict:
        for url in REFUSED:
            with pytest.raises(OutgoingError, match=r"public internet|not known"):
                strict.get(url)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "//example.org/",
        "example.org",
        "http://user:password@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://exämple.org/",
        "http://example.org/a b",
        "http://example.org/\r\nX: y",
        "http://",
        "",
        "http://[::1/",
        "http://example.org:99999/",
    ],
)
def test_addresses_that_are_none_are_refused(client: OutgoingClient, url: str) -> None:
    with pytest.raises(OutgoingError):
        client.get(url)


def test_only_https_unless_the_operator_says_otherwise(peer: Peer) -> None:
    with (
        OutgoingClient(timeout=5, allow_networks=LOOPBACK) as strict,
        pytest.raises(OutgoingError, match="must begin with https://"),
    ):
        strict.get(f"{peer.base}/hello")
    assert peer.seen == []


def answering(*answers: list[str]) -> tuple[Callable[[str, int], list[str]], list[str]]:
    """A name server that gives these answers in turn, and the names it was asked for."""
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolver, asked


def test_a_name_is_resolved_once_and_the_vetted_address_called(peer: Peer) -> None:
    resolver, asked = answering(["127.0.0.1"], ["10.0.0.1"])
    with OutgoingClient(timeout=5, allow_http=True, allow_networks=LOOPBACK, resolver=resolver) as client:
        assert client.get(f"http://rebinding.test:{peer.server_port}/hello").status_code == 200
    assert asked == ["rebinding.test"]
    assert peer.seen[0][1]["host"] == f"rebinding.test:{peer.server_port}"


def test_tls_asks_for_the_name_and_not_the_address() -> None:
    greeting = bytearray()

    def greeted(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            greeting.extend(connection.recv(4096))

    resolver, _ = answering(["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=greeted, args=(server,))
        thread.start()
        with (
            OutgoingClient(timeout=10, allow_networks=LOOPBACK, resolver=resolver) as client,
            pytest.raises(OutgoingError, match="connection failed"),
        ):
            client.get(f"https://named.test:{server.getsockname()[1]}/")
        thread.join()
    assert b"named.test" in greeting


def test_a_second_answer_of_the_name_server_is_vetted_again(peer: Peer) -> None:
    resolver, asked = answering(["127.0.0.1"], ["10.0.0.1"])
    options: dict[str, Any] = {
        "timeout": 5,
        "allow_http": True,
        "allow_networks": LOOPBACK,
        "resolver": resolver,
    }
    with OutgoingClient(**options) as client:
        client.get(f"http://rebinding.test:{peer.server_port}/hello", headers={"Connection": "close"})
        with pytest.raises(OutgoingError, match="public internet"):
            client.get(f"http://rebinding.test:{peer.server_port}/hello")
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answers", [["93.184.216.34", "127.0.0.1"], ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"], ["fe80::1%eth0"], []]
)
def test_one_address_inside_spoils_the_name(answers: list[str]) -> None:
    resolver, _ = answering(answers)
    with (
        OutgoingClient(timeout=5, allow_http=True, resolver=resolver) as client,
        pytest.raises(OutgoingError, match=r"public internet|not known"),
    ):
        client.get("http://two-faced.test/")


def test_other_ports_need_a_network_of_the_operators() -> None:
    resolver, _ = answering(["93.184.216.34"])
    with (
        OutgoingClient(timeout=5, resolver=resolver) as client,
        pytest.raises(OutgoingError, match="ports 80 and 443"),
    ):
        client.get("https://example.test:8080/")


def test_this_servers_own_address_is_refused_after_connecting(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a public address of this machine: both ends of the connection have it
    monkeypatch.setattr("core.web.outgoing.permitted", lambda *_: True)
    monkeypatch.setattr("core.web.outgoing._PUBLIC_PORTS", {peer.server_port})
    with pytest.raises(OutgoingError, match="own"):
        VettedNetwork([]).connect_tcp("127.0.0.1", peer.server_port)
    assert peer.seen == []


def test_what_the_operator_allows_comes_from_the_configuration(shelf_app: Shelf, peer: Peer) -> None:
    with shelf_app.app.app_context():
        with http_client() as client, pytest.raises(OutgoingError, match="https"):
            client.get(f"{peer.base}/hello")
        config = shelf_app.app.extensions["jobstead.web"].config
        assert httpx.Timeout(config.outgoing.timeout.total_seconds()).read == 10
