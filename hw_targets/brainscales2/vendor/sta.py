"""Stand-in for the vendor's programs of timed register access, which are refused once written."""

from typing import Any, NoReturn

from hw_targets.brainscales2.vendor.absent import ADVICE, refuse

__getattr__ = refuse("sta")


class PlaybackProgramBuilder:
    """An empty program, as `InjectedConfiguration` takes it."""

    def empty(self) -> bool:
        """Tell that there is nothing in it."""
        return True

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"sta.{type(self).__name__}.{name}: {ADVICE}")

    def write(self, *arguments: Any) -> NoReturn:
        """Refuse to write to a register.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(f"sta.{type(self).__name__}.write{arguments}: {ADVICE}")


class AbsoluteTimePlaybackProgramBuilder(PlaybackProgramBuilder):
    """An empty program of accesses at given times."""
