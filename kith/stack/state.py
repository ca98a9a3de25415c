"""What a stack remembers between commands: ports, passwords, processes."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from kith.stack.processes import Identity

ROLES = (
    "kith_migrator",
    "kith_resolver",
    "kith_relay",
    "kith_projector",
    "kith_indexer",
    "kith_enricher",
    "kith_ingest",
    "kith_api",
    "kith_cli",
)
"""PostgreSQL login roles: the owner of everything, then one for each kind of process."""
SECRETS = ("postgres", *ROLES, "redis", "neo4j", "digest", "vault")
"""Everything that has a password, the key of the digests that name source records, and the one that
encrypts credentials of accounts elsewhere."""


class StackState(BaseModel):
    """One stack's memory, as stored in `stack.json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    home: Path
    ports: Mapping[str, int] = {}
    secrets: Mapping[str, str] = {}
    parts: Mapping[str, Identity] = {}
    lent: Mapping[str, Identity] = {}
    """Those of them that run for borrowers alone."""


def load_state(state_file: Path, secrets_file: Path) -> StackState:
    """Read the memory, completing what is missing.

    A state file that was copied along with a checkout names processes and ports of the original:
    they are forgotten.  The passwords beside the data win, since the data were made with them.
    """
    home = state_file.parent
    state = _read(state_file) or StackState(home=home)
    if state.home != home:
        state = StackState(home=home, secrets=state.secrets)
    known = {**state.secrets, **_read_secrets(secrets_file)}
    return state.model_copy(
        update={"secrets": {name: known.get(name) or new_secret() for name in SECRETS}}
    )


def new_secret() -> str:
    """Make a password that needs no quoting in URLs, SQL and properties files."""
    return secrets.token_hex(16)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def held(lock_file: Path, report: Callable[[str], None] = lambda _words: None) -> Iterator[None]:
    """Let one command at a time change a stack; whoever has to wait says for whom."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            report(f"waiting for another command, process {file.read().decode() or 'unknown'}")
            fcntl.flock(file, fcntl.LOCK_EX)
        with suppress(OSError):  # a full disk is for the command to meet
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


@contextmanager
def borrowed(loan_file: Path) -> Iterator[Callable[[], bool]]:
    """Count among those who use a stack, also should this process be killed.

    Yields a function that tells whether nobody else does; whoever asks counts no more. It is to be
    asked while the stack is held, so that nobody comes meanwhile.
    """
    loan_file.parent.mkdir(parents=True, exist_ok=True)
    with loan_file.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)

        def is_last() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            fcntl.flock(file, fcntl.LOCK_UN)
            return True

        yield is_last


def _read(state_file: Path) -> StackState | None:
    """Read the stored state; None when there is none or it was cut short."""
    try:
        return StackState.model_validate_json(state_file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _read_secrets(secrets_file: Path) -> dict[str, str]:
    """Read the passwords beside the data; none where there are none or they were cut short."""
    try:
        return _PASSWORDS.validate_json(secrets_file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}


_PASSWORDS: Final = TypeAdapter(dict[str, str])
