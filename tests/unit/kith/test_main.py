"""The `kith` command before it knows what it may do."""

import sys
from typing import NoReturn

import pytest

import kith
from kith.__main__ import main


class Interrupting:
    """Finds no module: somebody presses Ctrl-C while it looks for one."""

    def find_spec(self, *_: object) -> NoReturn:
        raise KeyboardInterrupt


def test_it_is_interrupted_while_it_loads_without_a_stack_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "kith.cli", raising=False)
    monkeypatch.delattr(kith, "cli", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupting()])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130
