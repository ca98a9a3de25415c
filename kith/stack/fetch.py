"""Downloads of the parts: Maven coordinates with checksums, through `jgo`, side by side."""

import hashlib
import os
import shutil
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests
from jgo.env import LockedDependency, LockFile
from jgo.maven import MavenContext, PythonResolver

from kith.stack.errors import FetchError

LOCKS = Path(__file__).parent
"""`<part>.lock.toml`: each jar with its sha256; `python -m kith.stack.relock` makes it."""
WORKERS = 12
"""Downloads at once for one part: small files, so the time is round trips."""
ATTEMPTS = 4
"""Tries for one file before the fetch gives up."""
TIMEOUT_SECONDS = 60
"""Silence on the wire after which a try has failed."""
CERTIFICATES = "REQUESTS_CA_BUNDLE"
"""The variable from which `requests` learns whom to believe."""

Report = Callable[[int, int, int], None]
"""Told files done, files in all, bytes so far."""


def fetch_jars(part: str, cache: Path, report: Report) -> list[Path]:
    """Answer every jar of a part, in class path order, downloading what the cache lacks.

    A finished file is moved into the cache only when its checksum is right, so an interrupted
    fetch goes on with the files that are missing, and two fetches never see half a file.
    """
    wanted = read_lock(part)
    paths = {jar_path(cache, jar): jar for jar in wanted}
    missing = {path: jar for path, jar in paths.items() if not path.exists()}
    if missing:
        _fetch_missing(missing, cache, len(paths), report)
    return list(paths)


def read_lock(part: str) -> list[LockedDependency]:
    """Read what the committed lock file of a part names."""
    return list(LockFile.load(LOCKS / f"{part}.lock.toml").dependencies)


def jar_path(cache: Path, jar: LockedDependency) -> Path:
    """Where a jar is kept; the checksum is part of the name, so a changed lock is a new file."""
    return cache / "jars" / f"{_versioned(jar)}.{jar.packaging}"


def _versioned(jar: LockedDependency) -> str:
    if not jar.sha256:
        raise FetchError(f"the lock file has no checksum for {jar.artifactId}")
    return f"{jar.artifactId}-{jar.version}-{jar.sha256[:12]}"


def _fetch_missing(
    missing: dict[Path, LockedDependency], cache: Path, total: int, report: Report
) -> None:
    done, size = total - len(missing), 0
    report(done, total, size)
    open_folder(cache / "jars")
    _remove_leftovers(cache)
    with (
        tempfile.TemporaryDirectory(dir=cache, prefix=f"fetch-{os.getpid()}-") as staging,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        jobs = [pool.submit(_fetch_one, jar, path, Path(staging)) for path, jar in missing.items()]
        try:
            for job in as_completed(jobs):
                size += job.result()
                done += 1
                report(done, total, size)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _remove_leftovers(cache: Path) -> None:
    """Remove the half-made files of fetches that were killed."""
    for folder in cache.glob("fetch-*-*"):
        if not psutil.pid_exists(int(folder.name.split("-")[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _fetch_one(jar: LockedDependency, target: Path, staging: Path) -> int:
    """Download, verify and move one file; answers its size."""
    name = f"{jar.groupId}:{jar.artifactId}:{jar.version}"
    failure: Exception | None = None
    for attempt in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(dir=staging) as folder:
            try:
                context = MavenContext(
                    resolver=PythonResolver(), repo_cache=Path(folder), timeout=TIMEOUT_SECONDS
                )
                component = context.project(jar.groupId, jar.artifactId).at_version(jar.version)
                file = component.artifact(jar.classifier or "", jar.packaging).resolve()
                _verify(file, jar)
                file.chmod(0o644)
                size = file.stat().st_size
                file.replace(target)
            except (requests.RequestException, RuntimeError, OSError, FetchError) as error:
                failure = error
                if not (isinstance(error, requests.exceptions.SSLError) and _trust_machine()):
                    time.sleep(2**attempt / 2)
            else:
                return size
    what = "check the network"
    if isinstance(failure, requests.exceptions.SSLError):
        what = f"name the certificates of who signs here instead: {CERTIFICATES}=/path/to/them.pem"
    raise FetchError(
        f"could not download {name}: {failure}\n"
        f"what to do: {what}, and run the command again; it goes on where it stopped"
    ) from failure


def _trust_machine() -> bool:
    """Believe whom the machine believes: a company's proxy signs with a certificate of its own.

    Only where others did not do: a machine may have none. What is fetched is held to its checksum.
    """
    paths = ssl.get_default_verify_paths()
    stores = [store for store in (paths.cafile, paths.capath) if store]
    if not stores or CERTIFICATES in os.environ:
        return False
    os.environ[CERTIFICATES] = stores[0]
    return True


def _verify(file: Path, jar: LockedDependency) -> None:
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise FetchError(f"sha256 is {found}, the lock file says {jar.sha256}")


@contextmanager
def unpacking(home: Path) -> Iterator[Path]:
    """Give a folder that appears under its name only when it is complete."""
    open_folder(home.parent)
    folder = Path(tempfile.mkdtemp(dir=home.parent, prefix=f"fetch-{os.getpid()}-"))
    try:
        yield folder
        folder.chmod(0o755)
        if not home.exists():
            folder.rename(home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def open_folder(folder: Path) -> None:
    """Make a folder that other accounts may enter, whatever the umask is."""
    for part in [*reversed(folder.parents), folder]:
        if not part.exists():
            part.mkdir(exist_ok=True)
            part.chmod(0o755)
