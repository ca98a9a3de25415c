"""Which pieces of uploaded files had their turn, as the database says it."""

from collections import defaultdict

from shared.auth import Place


class MemoryLedger:
    """Of files whose pieces are kept elsewhere."""

    def __init__(self) -> None:
        self.received: dict[int, int] = defaultdict(int)
        self.names: dict[int, dict[int, str]] = defaultdict(dict)

    async def receive(
        self, place: Place, number: int, begins: int, ends: int, *, data: bytes, name: str | None
    ) -> bool:
        """Note a file's next piece; tells whether it was its turn."""
        assert name is not None
        if self.received[number] != begins:
            return False
        self.received[number] = ends
        self.names[number][begins] = name
        return True

    async def find_pieces(self, place: Place, number: int, begins: int) -> list[tuple[int, str]]:
        """Return where pieces begin, and their names, in the file's order."""
        return sorted(one for one in self.names[number].items() if one[0] >= begins)

    async def forget_pieces(self, place: Place, number: int) -> None:
        """Forget a file's pieces."""
        self.names.pop(number, None)
