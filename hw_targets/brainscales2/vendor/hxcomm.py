"""Stand-in for the vendor's connection to a chip."""

from types import TracebackType
from typing import Self

from hw_targets.brainscales2.pynn import helper
from hw_targets.brainscales2.vendor.absent import refuse

__getattr__ = refuse("hxcomm")


class ManagedConnection:
    """The connection to the configured chip, for use in a ``with`` statement."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def get_unique_identifier(self) -> list[str]:
        """Return the name of the chip, the only one of the connection."""
        return [helper.get_unique_identifier()]
