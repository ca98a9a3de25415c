"""Keyed digests that name records without holding personal data.

Ingest and the enricher must come to the same key for the same record, so the making of it is
here. The key of each tenant is derived from one secret of the installation.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

_SIZE: Final = 16
"""Octets of a digest: 128 bits."""

_FACTS: Final = blake2b(digest_size=_SIZE, person=b"kith facts")
"""The digest of nothing yet; a copy is cheaper than a new one."""


@lru_cache(maxsize=1_024)
def _tenant_key(secret: bytes, tenant: str) -> bytes:
    return blake2b(tenant.encode(), key=secret[:64], digest_size=32, person=b"kith tenant").digest()


@lru_cache(maxsize=1_024)
def _records_of(secret: bytes, tenant: str, workspace: str, source: str) -> blake2b:
    """Begin the digest of any record of a source; a copy goes on with the record's id."""
    begun = f"{tenant}\0{workspace}\0{source}\0".encode("utf-8", "surrogatepass")
    key = _tenant_key(secret, tenant)
    return blake2b(begun, key=key, digest_size=_SIZE, person=b"kith record")


class Digests:
    """The digests of one installation."""

    def __init__(self, secret: str) -> None:
        # 64 octets is the longest key of BLAKE2b; a longer secret is condensed, not cut.
        raw = secret.encode()
        self._secret = raw if len(raw) <= 64 else blake2b(raw).digest()

    def record_key(self, tenant: str, workspace: str, source: str, record: str) -> bytes:
        """Name one record of one source of a workspace: the ledger's key."""
        digest = _records_of(self._secret, tenant, workspace, source).copy()
        digest.update(record.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def unnamed_record_key(
        self, tenant: str, workspace: str, source: str, content_hash: bytes
    ) -> bytes:
        """Name a record that its source gives no id: its content stands in."""
        text = f"{tenant}\0{workspace}\0{source}\0".encode() + content_hash
        key = _tenant_key(self._secret, tenant)
        return blake2b(text, key=key, digest_size=_SIZE, person=b"kith content").digest()

    def file_record(self, tenant: str, identity: str) -> str:
        """Name a row of a file by what identifies its person, hex; internal to the tenant."""
        key = _tenant_key(self._secret, tenant)
        text = identity.encode("utf-8", "surrogatepass")
        return blake2b(text, key=key, digest_size=_SIZE, person=b"kith file row").hexdigest()

    def identifier_key(self, tenant: str, kind: str, value: str) -> int:
        """Name an identifier inside of a tenant: 64 bits, signed as PostgreSQL has them."""
        return int(self.file_record(tenant, f"identifier\0{kind}\0{value}")[:16], 16) - 2**63


def content_hash(facts: bytes) -> bytes:
    """Digest the facts as canonical JSON (keys sorted): equal facts, equal digest."""
    digest = _FACTS.copy()
    digest.update(facts)
    return digest.digest()
