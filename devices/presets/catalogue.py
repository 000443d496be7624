"""The presets by name."""

import difflib

from devices.presets import others, oxram, pcm
from devices.presets.provenance import Preset

_PRESETS = {item.name: item for item in (*oxram.PRESETS, *pcm.PRESETS, *others.PRESETS)}


def presets() -> tuple[str, ...]:
    """Return the names of all presets, grouped by technology."""
    return tuple(_PRESETS)


def preset(name: str) -> Preset:
    """Return a preset.

    Parameters
    ----------
    name : str
        First author and year, from `presets`.

    Returns
    -------
    Preset

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if name in _PRESETS:
        return _PRESETS[name]
    close = difflib.get_close_matches(name, _PRESETS, n=3)
    meant = f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""
    raise ValueError(f"no device preset {name!r}{meant}: there are {', '.join(_PRESETS)}")
