"""Faults of a file, collected to be reported together."""


class Faults:
    """Collects the first fault of each kind, to report all kinds at once.

    Parameters
    ----------
    file : str
        Name of the file.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def add(self, kind: str, line: int | None, column: str | None, text: str) -> None:
        """Note a fault: its kind, place, and value, need and remedy as a text."""
        self._count[kind] = self._count.get(kind, 0) + 1
        place = [] if line is None else [f"line {line}"]
        place += [] if column is None else [f"column '{column}'"]
        self._first.setdefault(kind, f"{', '.join(place)}: {text}" if place else text)

    def stop(self) -> None:
        """Raise a ValueError if there are faults."""
        if not self._first:
            return
        more = {kind: count - 1 for kind, count in self._count.items()}
        texts = [
            text + (f" (and {more[kind]} more like it)" if more[kind] else "")
            for kind, text in self._first.items()
        ]
        if len(texts) == 1:
            raise ValueError(f"{self.file}: {texts[0]}")
        raise ValueError(f"{self.file}: {len(texts)} kinds of fault:\n  " + "\n  ".join(texts))
