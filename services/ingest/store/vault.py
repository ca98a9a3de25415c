"""What is kept secret also from whoever has a copy of the database (DESIGN 9 'Encryption').

Fernet: AES-128-CBC with HMAC-SHA-256 and a random initialisation vector.  The first key encrypts,
all of them decrypt: put a new one in front, and what is written from then on is under it.
"""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from shared.errors import ServiceError

KEY_FORM: Final = "32 random bytes in URL-safe base64, as `kith sync key` prints them"
"""What a key looks like, for messages."""


_OTHER_KEY: Final = "was encrypted under a key that is not among INGEST_ENCRYPTION_KEYS"

SEAL: Final = b"gAAAA"
"""How a piece begins that is encrypted: Fernet's version and its time, in base64."""


class VaultError(ServiceError):
    """What is stored cannot be read, or nothing can be stored: a key is missing."""


class Vault:
    """Encrypts and decrypts JSON; without keys it refuses both."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise VaultError(f"INGEST_ENCRYPTION_KEYS: a key must be {KEY_FORM}") from None
        self._cipher = MultiFernet(fernets) if fernets else None

    @property
    def is_open(self) -> bool:
        """Tell whether there is a key."""
        return self._cipher is not None

    def seal(self, document: dict[str, Any]) -> bytes:
        """Encrypt a document under the first key."""
        return self._known().encrypt(orjson.dumps(document))

    def seal_bytes(self, data: bytes) -> bytes:
        """Encrypt a piece of a file under the first key."""
        return self._known().encrypt(data)

    def unseal_bytes(self, token: bytes) -> bytes:
        """Decrypt a piece that any of the keys encrypted."""
        try:
            return self._known().decrypt(token)
        except InvalidToken:
            raise VaultError(_OTHER_KEY) from None

    def unseal(self, token: bytes) -> dict[str, Any]:
        """Decrypt a document that any of the keys encrypted."""
        try:
            document: dict[str, Any] = orjson.loads(self._known().decrypt(token))
        except InvalidToken:
            raise VaultError(_OTHER_KEY) from None
        return document

    def seal_if_open(self, data: bytes) -> bytes:
        """Encrypt a piece under the first key; without one it stays as it is."""
        return self.seal_bytes(data) if self.is_open else data

    def unseal_if_sealed(self, data: bytes) -> bytes:
        """Decrypt a piece that was encrypted; others came before there was a key."""
        return self.unseal_bytes(data) if data.startswith(SEAL) else data

    def _known(self) -> MultiFernet:
        if self._cipher is None:
            raise VaultError(f"set INGEST_ENCRYPTION_KEYS: {KEY_FORM}")
        return self._cipher
