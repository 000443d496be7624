"""What is recorded, and with which of the chip's devices."""

from collections.abc import Iterable, Set
from typing import NamedTuple

from hw_targets.brainscales2 import limits

_PADS = {
    f"pad_{pad}{suffix}": (pad, buffered)
    for pad in (0, 1)
    for suffix, buffered in (("", True), ("_buffered", True), ("_unbuffered", False))
}
DEVICES = ("madc", "cadc", *_PADS)


class RecordingSite(NamedTuple):
    """A cell and one of its compartments."""

    cell_id: int
    comp_id: int


class RecordingConfig:
    """Recorded sites of the whole chip.

    Attributes
    ----------
    spikes : set of RecordingSite
        Sites whose spikes are recorded.
    sources : dict of RecordingSite to str
        The analog variable that each site's readout is set to.
    madc, cadc : list of RecordingSite
        Sites that the converters record.
    pads : dict of int to (RecordingSite, bool)
        Site that each output pad shows, and whether through a buffer.
    """

    def __init__(self) -> None:
        self.spikes: set[RecordingSite] = set()
        self.sources: dict[RecordingSite, str] = {}
        self.madc: list[RecordingSite] = []
        self.cadc: list[RecordingSite] = []
        self.pads: dict[int, tuple[RecordingSite, bool]] = {}

    def add_analog(self, variables: Set[str], sites: Iterable[RecordingSite], device: str) -> None:
        """Record an analog variable, or nothing if it can't be for one of the sites.

        Parameters
        ----------
        variables : set of str
            At most one variable.
        sites : iterable of RecordingSite
            Where to record it.
        device : str
            One of `DEVICES`.

        Raises
        ------
        ValueError
            If there is no such device, or a site, a converter or a pad would have to record two
            things at once.
        """
        if device not in DEVICES:
            raise ValueError(f'Device "{device}" is not supported; need one of {DEVICES}')
        sites = sorted(sites)
        if not variables or not sites:
            return
        if len(variables) > 1:
            raise ValueError(
                f"Can only set 1 analog record type per neuron, not {sorted(variables)}."
            )
        (variable,) = variables
        for site in sites:
            if self.sources.get(site, variable) != variable:
                raise ValueError(
                    f"Only one source can be recorded per neuron; of neuron {site.cell_id} it is "
                    f"{self.sources[site]!r} already: record(None) clears it."
                )
        if device == "madc":
            recorded = [*self.madc, *(site for site in sites if site not in self.madc)]
            if len(recorded) > limits.MADC_CHANNELS:
                raise ValueError(
                    "Can only record at most two neurons/locations via MADC, not "
                    f"{len(recorded)}; the CADC (device='cadc') records all."
                )
            self.madc = recorded
        elif device == "cadc":
            self.cadc += [site for site in sites if site not in self.cadc]
        else:
            self._add_pad(sites, *_PADS[device])
        self.sources |= dict.fromkeys(sites, variable)

    def _add_pad(self, sites: list[RecordingSite], pad: int, buffered: bool) -> None:
        if len(sites) > 1:
            raise ValueError("Can only read out a single neuron per pad.")
        if self.pads.get(pad, (sites[0], buffered)) != (sites[0], buffered):
            raise ValueError(
                "Can only record one neuron and one mode (buffered or unbuffered) per pad."
            )
        self.pads[pad] = (sites[0], buffered)

    def remove(self, cells: Set[int]) -> None:
        """Record nothing of some cells any more."""
        self.spikes = {site for site in self.spikes if site.cell_id not in cells}
        self.sources = {s: v for s, v in self.sources.items() if s.cell_id not in cells}
        self.madc = [site for site in self.madc if site.cell_id not in cells]
        self.cadc = [site for site in self.cadc if site.cell_id not in cells]
        self.pads = {pad: p for pad, p in self.pads.items() if p[0].cell_id not in cells}
