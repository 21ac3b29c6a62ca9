"""The instance's master keys: what is stored encrypted, and what is derived instead of stored.

The ring lives in ``<data_dir>/secrets/master.key`` (0600), one ``number:base64`` a line; the last key
encrypts, all decrypt. Machines that share a database need the same ring: set ``secrets.master_key``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from .config import ConfigError
from .typed import Secret

_KEY_BYTES = 32
_NONCE_BYTES = 12  # what GCM is specified for
_CIPHERTEXT = re.compile(r"k([1-9][0-9]*):([\w-]+):([\w-]+)", re.ASCII)
_NUMBERED = re.compile(r"(?:([1-9][0-9]*):)?(.+)")


class DecryptError(Exception):
    """A stored value cannot be read: another key, another place (``aad``), or changed bytes."""


class Keyring:
    """Encrypts with the newest key, decrypts with whichever a value names; see ``open``."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {number: AESGCM(_derived(key, "encrypt")) for number, key in keys.items()}
        self._newest = max(keys)
        self._root = keys[min(keys)]  # what was derived stays the same while the oldest key is kept

    def __repr__(self) -> str:
        return f"Keyring(keys={sorted(self._ciphers)})"

    @classmethod
    def open(cls, data_dir: Path, master_key: Secret | None = None) -> Keyring:
        """The ring of ``master_key`` where there is one, else of ``data_dir``, made there at first.

        Raises ``ConfigError`` for a key that is none and for a file that others may read.
        """
        if master_key is not None:
            return cls(_parse(master_key.reveal(), "secrets.master_key (ENCRYPTION_KEY)"))
        path = data_dir / "secrets" / "master.key"
        if not path.exists():
            _create(path)
        return cls(_parse(_read(path), str(path)))

    def encrypt(self, plaintext: bytes, *, aad: str) -> str:
        """``plaintext`` as ``k<number>:<nonce>:<ciphertext>`` (AES-256-GCM, base64url).

        ``aad`` says where the value belongs (``table|row|purpose``), so that it opens nowhere else.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, plaintext, aad.encode())
        return f"k{self._newest}:{_text(nonce)}:{_text(sealed)}"

    def decrypt(self, sealed: str, *, aad: str) -> bytes:
        """What ``encrypt`` was given. Raises ``DecryptError``."""
        match = _CIPHERTEXT.fullmatch(sealed)
        if match is None:
            raise DecryptError("This is not an encrypted value.")
        cipher = self._ciphers.get(int(match[1]))
        try:
            if cipher is not None:
                return cipher.decrypt(_bytes(match[2]), _bytes(match[3]), aad.encode())
        except (InvalidTag, ValueError):
            pass
        raise DecryptError(
            "A stored secret does not open with this instance's master key: "
            "restore secrets/master.key from the backup that the data came from."
        )

    def digest(self, text: str, *, purpose: str) -> str:
        """What stands for a short secret in a table, to be searched with the key alone (HMAC-SHA256, hex)."""
        return hmac.new(self.derive(purpose), text.encode(), hashlib.sha256).hexdigest()

    def derive(self, purpose: str) -> bytes:
        """32 bytes for ``purpose`` alone (HKDF-SHA256); the same at each start."""
        return _derived(self._root, f"derive/{purpose}")


def keyring() -> Keyring:
    """The keyring of the running app."""
    return cast(Keyring, current_app.extensions["jobstead.keyring"])


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"jobstead/{purpose}".encode()).derive(key)


def _create(path: Path) -> None:
    """Write a new ring whole or not at all; of several processes that try, one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".master.key-{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"1:{_text(secrets.token_bytes(_KEY_BYTES))}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)
        _sync(path.parent)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise ConfigError(f"{path} may be read by others: run chmod 600 {path}.")
            return file.read()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): let this user read it.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} holds no keys: restore it from a backup.") from None


def _parse(text: str, where: str) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for position, word in enumerate(text.replace(",", " ").split(), 1):
        match = _NUMBERED.fullmatch(word)
        key = _key(match[2]) if match else None
        if match is None or key is None:
            keys.clear()
            break
        keys[int(match[1] or position)] = key
    if not keys:
        raise ConfigError(
            f"{where} must be 32 bytes in hex or base64: "
            "restore the key, or for a new instance make one with `openssl rand -hex 32`."
        )
    return keys


def _key(word: str) -> bytes | None:
    """32 bytes in hex, in base64 of either alphabet, or as they are (as the documents' systems have it)."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", word):
        return bytes.fromhex(word)
    try:
        key = _bytes(word.rstrip("=").replace("+", "-").replace("/", "_"))
    except (binascii.Error, ValueError):
        key = b""
    raw = word.encode()
    return next((found for found in (key, raw) if len(found) == _KEY_BYTES), None)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
