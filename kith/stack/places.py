"""Where everything of one local stack lives on disk."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from kith.stack.settings import StackSettings

ROOT_DATA = Path("/var/lib/kith")
"""Data of stacks that root starts: PostgreSQL runs as another account and must get here."""
ROOT_CACHE = Path("/var/cache/kith")
"""Downloads of root: the same account must be able to execute what is unpacked here."""


@dataclass(frozen=True)
class Places:
    """The folders and files of one stack."""

    checkout: Path
    home: Path
    data: Path
    cache: Path

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.home / "logs"

    @property
    def state_file(self) -> Path:
        """Ports, passwords and processes of the parts; mode 600."""
        return self.home / "stack.json"

    @property
    def secrets_file(self) -> Path:
        """A copy of the passwords beside the data that they open; mode 600."""
        return self.data / "secrets.json"

    @property
    def lock_file(self) -> Path:
        """Held while somebody starts or stops something here."""
        return self.home / "stack.lock"

    @property
    def loan_file(self) -> Path:
        """Shared by all commands that use what runs here for as long as they take."""
        return self.home / "stack.loan"

    @property
    def plan_file(self) -> Path:
        """What the supervisor should run; mode 600, as it holds passwords."""
        return self.home / "plan.json"

    @property
    def services_file(self) -> Path:
        """What the supervisor is running."""
        return self.home / "services.json"

    def log(self, name: str) -> Path:
        """Name the log file of a part or a service process."""
        return self.logs / f"{name}.log"


def find_checkout() -> Path:
    """Answer the folder of this checkout, or the current one when kith is installed elsewhere."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else Path.cwd()


def find_places(settings: StackSettings, checkout: Path | None = None) -> Places:
    """Settle every folder for the account that asks."""
    checkout = (checkout or find_checkout()).resolve()
    home = (settings.home or checkout / ".kith").expanduser().absolute()
    if os.geteuid() == 0:
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:8]
        label = home.parent.name if home.name == ".kith" else home.name
        data = ROOT_DATA / f"{label}-{digest}"
        cache = ROOT_CACHE
    else:
        data = home / "data"
        cache = _user_cache(home)
    return Places(checkout, home, data, (settings.cache or cache).expanduser().absolute())


def _user_cache(home: Path) -> Path:
    """`~/.cache/kith`, or a folder of the stack for an account without a home of its own."""
    user_home = Path("~").expanduser()
    if user_home.is_dir() and os.access(user_home, os.W_OK):
        return user_home / ".cache" / "kith"
    return home / "cache"
