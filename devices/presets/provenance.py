"""A preset: a device, and where each of its numbers comes from."""

import dataclasses
from typing import Any, Literal

from devices.memristor import OFF, Memristor

How = Literal["measured", "fitted", "assumed"]

# Effects that a device without pulses cannot have.
_OF_PULSES = ("sigma_d2d_step", "sigma_d2d_asymmetry", "sigma_c2c_step")


@dataclasses.dataclass(frozen=True)
class Source:
    """Where some fields of a device come from.

    Parameters
    ----------
    fields : tuple of str
        Names of the fields of `devices.Memristor`.
    citation : str
        Publication of the device.
    doi : str or None
        Its digital object identifier; None: not confirmed, or there is none.
    figure : str
        Figure, table or section with the numbers, or the tool whose parameters they are.
    how : {"measured", "fitted", "assumed"}
        Stated by the authors as measured; parameter of a model fitted to their data; or a choice
        made here or by the tool, explained in `figure`.
    """

    fields: tuple[str, ...]
    citation: str
    doi: str | None
    figure: str
    how: How


@dataclasses.dataclass(frozen=True)
class Preset:
    """A published device.

    Parameters
    ----------
    name : str
        First author and year.
    technology : str
        Kind of memory and materials.
    device : Memristor
        Its parameters; None where nothing is reported.
    sources : tuple of Source
        They cover `set_fields`.
    note : str
        What the parameters leave out.
    """

    name: str
    technology: str
    device: Memristor
    sources: tuple[Source, ...]
    note: str = ""


def reported(**fields: Any) -> Memristor:
    """Make a device all of whose effects are unknown but for the given ones.

    Parameters
    ----------
    **fields
        Fields of `devices.Memristor`.

    Returns
    -------
    Memristor
    """
    unknown: dict[str, Any] = dict.fromkeys(OFF)
    if "update" not in fields:
        unknown |= dict.fromkeys(_OF_PULSES, 0.0)
    return Memristor(**unknown | fields)


def set_fields(device: Memristor) -> tuple[str, ...]:
    """Return the names of the fields that say something about a device.

    Parameters
    ----------
    device : Memristor

    Returns
    -------
    tuple of str
        In the order of the fields: effects whose strength is known, and what else differs from
        its default.
    """
    names = []
    for item in dataclasses.fields(device):
        value = getattr(device, item.name)
        if device.update.law == "direct" and item.name in _OF_PULSES:
            continue
        if value is not None and (item.name in OFF or value != item.default):
            names.append(item.name)
    return tuple(names)
