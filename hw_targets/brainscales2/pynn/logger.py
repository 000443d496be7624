"""The logger of the vendor's scripts: `pylogging`'s interface on Python's `logging`."""

import logging
from enum import IntEnum
from typing import Any


class LogLevel(IntEnum):
    """Levels, named as those of `pylogging`."""

    TRACE = 5
    DEBUG = logging.DEBUG
    INFO = logging.INFO
    WARN = logging.WARNING
    ERROR = logging.ERROR
    FATAL = logging.CRITICAL


class Logger:
    """A logger whose methods have upper-case names, too."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def __getattr__(self, name: str) -> Any:
        level = LogLevel.__members__.get(name.upper())
        if level is None:
            return getattr(self._logger, name)

        def log(*message: Any) -> None:
            self._logger.log(level, " ".join(map(str, message)))

        return log


def get(name: str) -> Logger:
    """Return the logger of a name."""
    return Logger(name)


def set_loglevel(logger: Logger, level: int) -> None:
    """Set the lowest level that a logger writes."""
    logger.setLevel(int(level))


def default_config(level: int = LogLevel.WARN, **_: Any) -> None:
    """Write all loggers' messages to the standard error; further options have no effect."""
    logging.basicConfig(level=int(level))


def reset() -> None:
    """Forget how messages are written."""
    logging.getLogger().handlers.clear()
