"""The image: linted, made of locked requirements, enough for every command it is asked to run."""

import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.deploy.declared import DEPLOY, ROOT

BIN = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LOCK = (DEPLOY / "requirements.txt").read_text()
LOCKED = {
    re.sub(r"[-_.]+", "-", name).lower()
    for name in re.findall(r"^([A-Za-z0-9_.-]+)==", LOCK, re.MULTILINE)
}


def test_the_dockerfile_passes_hadolint() -> None:
    result = subprocess.run(
        [BIN / "hadolint", "--config", ".hadolint.yaml", "Dockerfile"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    allowed = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source


def test_the_final_stage_runs_as_a_numeric_user_without_build_tools() -> None:
    final = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER \d{4,}:\d{4,}$", final, re.MULTILINE), (
        "Kubernetes must see that it is not root"
    )
    assert "pip install" not in final
    assert "apt-get" not in final
    assert 'ENTRYPOINT ["python", "-m"]' in final, "exec form: python hears SIGTERM itself"
    assert "PYTHONDONTWRITEBYTECODE=1" in final, "the root file system is read-only"


def test_the_base_is_pinned_by_a_full_tag() -> None:
    assert re.search(r"^ARG PYTHON=python:3\.11\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)


def test_every_requirement_of_the_project_is_locked_with_a_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0]).lower()
        for line in [*project["dependencies"], *extras["search"], *extras["s3"]]
    }
    assert wanted <= LOCKED, f"renew deploy/requirements.txt: {sorted(wanted - LOCKED)}"
    for block in re.split(r"\n(?=\S)", LOCK.split("\n\n")[0]):
        if "==" in block.splitlines()[0]:
            assert "--hash=sha256:" in block, block.splitlines()[0]


REFUSE = """
import importlib.metadata, re, sys
locked = set(sys.argv[1].split(",")) | {"kith"}
owners = importlib.metadata.packages_distributions()
norm = lambda name: re.sub(r"[-_.]+", "-", name).lower()

class Locked:
    # Finds what another finder finds, but for packages that the image does not have.
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        dists = owners.get(name.partition(".")[0])
        if dists and not any(norm(dist) in locked for dist in dists):
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Locked(finder) for finder in sys.meta_path]
import importlib
importlib.import_module(sys.argv[2])
"""


def _modules() -> list[str]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    first = {service["command"][0] for service in services.values() if "build" in service}
    return sorted(first)


@pytest.mark.parametrize("module", _modules())
def test_every_command_starts_from_the_locked_packages_alone(module: str) -> None:
    """A package that only developers have would make the container fail at its first import."""
    path = ROOT / module.replace(".", "/")
    assert path.is_dir() or path.with_suffix(".py").exists(), f"{module} does not exist"
    name = f"{module}.__main__" if path.is_dir() else module
    result = subprocess.run(
        [sys.executable, "-c", REFUSE, ",".join(LOCKED), name],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env={"PATH": "/usr/bin"},
    )  # fmt: skip
    # A service that asks for its settings has imported everything it needs.
    assert result.returncode == 0 or "configuration error:" in result.stderr, result.stderr
