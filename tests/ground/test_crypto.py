"""Master keys: made once, kept private, never mixed up."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from core.config import ConfigError
from core.crypto import DecryptError, Keyring, keyring
from core.typed import Secret

HEX = "00112233445566778899aabbccddeeff" * 2
RAW = bytes.fromhex(HEX)


def test_what_was_encrypted_opens_at_the_next_start_and_only_at_its_place(tmp_path: Path) -> None:
    sealed = Keyring.open(tmp_path).encrypt(b"open sesame", aad="auth_key|1|private")
    again = Keyring.open(tmp_path)
    assert again.decrypt(sealed, aad="auth_key|1|private") == b"open sesame"
    assert "sesame" not in sealed
    assert sealed.startswith("k1:")
    with pytest.raises(DecryptError):
        again.decrypt(sealed, aad="auth_key|2|private")


def test_the_same_value_never_looks_the_same_twice(tmp_path: Path) -> None:
    ring = Keyring.open(tmp_path)
    assert len({ring.encrypt(b"x", aad="a") for _ in range(10)}) == 10


def test_another_key_and_changed_bytes_do_not_open(tmp_path: Path) -> None:
    ring = Keyring.open(tmp_path / "one")
    sealed = ring.encrypt(b"x", aad="a")
    with pytest.raises(DecryptError, match=r"restore secrets/master\.key"):
        Keyring.open(tmp_path / "other").decrypt(sealed, aad="a")
    changed = sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB")
    for wrong in (
        changed,
        sealed.replace("k1:", "k2:"),
        "k1:A:A",
        "k1:AAAA",
        "",
        "x",
        sealed + "\n",
        f" {sealed}",
    ):
        with pytest.raises(DecryptError):
            ring.decrypt(wrong, aad="a")


def test_the_file_is_private_and_must_stay_so(tmp_path: Path) -> None:
    Keyring.open(tmp_path)
    file = tmp_path / "secrets" / "master.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(file.parent) == ["master.key"]
    file.chmod(0o640)
    with pytest.raises(ConfigError, match=f"run chmod 600 {file}"):
        Keyring.open(tmp_path)


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        rings = list(pool.map(lambda _: Keyring.open(tmp_path), range(16)))
    assert len({ring.derive("x") for ring in rings}) == 1
    assert os.listdir(tmp_path / "secrets") == ["master.key"]


def test_what_is_derived_is_stable_and_its_purpose_own(tmp_path: Path) -> None:
    ring = Keyring.open(tmp_path)
    assert len(ring.derive("otp")) == 32
    assert ring.derive("otp") == Keyring.open(tmp_path).derive("otp")
    assert ring.derive("otp") != ring.derive("cursor")


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        base64.b64encode(RAW).decode(),
        base64.urlsafe_b64encode(RAW).decode().rstrip("="),
        f"1:{HEX}",
    ],
)
def test_a_key_from_the_configuration_in_any_spelling(tmp_path: Path, text: str) -> None:
    ring = Keyring.open(tmp_path, Secret(text))
    assert ring.derive("x") == Keyring({1: RAW}).derive("x")
    assert not (tmp_path / "secrets").exists(), "nothing is written where the operator keeps the key"


def test_thirty_two_characters_are_a_key_as_in_the_documents_systems(tmp_path: Path) -> None:
    text = "an ordinary text of 32 letters!!".replace(" ", "-")
    assert Keyring.open(tmp_path, Secret(text)).derive("x") == Keyring({1: text.encode()}).derive("x")


@pytest.mark.parametrize("text", ["short", HEX[:-2], "", "1:", f"x:{HEX}"])
def test_a_key_that_is_none_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="must be 32 bytes in hex or base64") as refused:
        Keyring.open(tmp_path, Secret(text))
    assert not text or f" {text}" not in str(refused.value)


@pytest.mark.parametrize("text", ["0" * 64, "f" * 64, "a" * 32, "12345678901234567890123456789012"])
def test_a_key_that_anybody_could_guess_is_refused_but_in_tests(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="anybody could guess") as refused:
        Keyring.open(tmp_path, Secret(text))
    assert text not in str(refused.value)
    Keyring.open(tmp_path, Secret(text), lenient=True)


def test_a_damaged_file_is_not_replaced(tmp_path: Path) -> None:
    Keyring.open(tmp_path)
    file = tmp_path / "secrets" / "master.key"
    for damage in (b"", b"1:AAAA\n", b"\xff\xfe"):
        file.write_bytes(damage)
        with pytest.raises(ConfigError, match="restore"):
            Keyring.open(tmp_path)
        assert file.read_bytes() == damage


def test_a_second_key_encrypts_and_the_first_still_opens(tmp_path: Path) -> None:
    first = Keyring.open(tmp_path)
    old = first.encrypt(b"x", aad="a")
    file = tmp_path / "secrets" / "master.key"
    with file.open("a") as ring:
        ring.write(f"2:{base64.b64encode(RAW).decode()}\n")
    both = Keyring.open(tmp_path)
    assert both.decrypt(old, aad="a") == b"x"
    assert both.encrypt(b"x", aad="a").startswith("k2:")
    assert both.derive("x") == first.derive("x")
    assert "b64" not in repr(both)
    assert repr(both) == "Keyring(keys=[1, 2])"


def test_the_app_knows_its_ring(tmp_path: Path) -> None:
    app = Flask(__name__)
    ring = app.extensions["jobstead.keyring"] = Keyring.open(tmp_path)
    with app.app_context():
        assert keyring() is ring
