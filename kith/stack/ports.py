"""Which loopback ports a stack uses."""

import socket
from collections.abc import Callable, Collection

FIRST, LAST = 20000, 32000
"""Below the range from which Linux and macOS take ports of outgoing connections, so that a
remembered port is still free after a restart."""


def choose_port(seed: int, taken: Collection[int], is_free: Callable[[int], bool]) -> int:
    """Pick the first free port at or after the seed's place in the range.

    Different seeds start far apart, so that checkouts started at the same moment seldom meet.
    """
    span = LAST - FIRST
    for step in range(span):
        port = FIRST + (seed + step) % span
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {FIRST} and {LAST}")


def is_free(port: int) -> bool:
    """Whether this process could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """Whether anything accepts connections on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
