"""Recording: spikes and the readings of the chip's converters, as Neo objects."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import neo
import numpy as np
import pyNN.errors
import pyNN.recording
import quantities as pq

from hw_targets.brainscales2.pynn import simulator
from hw_targets.brainscales2.pynn.cells import ANALOG_VARIABLES
from hw_targets.brainscales2.pynn.execution import Snippet
from hw_targets.brainscales2.pynn.morphology import BuiltNeuron
from hw_targets.brainscales2.pynn.recording_config import RecordingSite


class Recorder(pyNN.recording.Recorder):
    """Recorder of a population.

    Analog variables are returned as one `neo.IrregularlySampledSignal` per neuron and snippet, in
    LSB of the converter over times in ms; spikes as one `neo.SpikeTrain` per neuron and snippet.
    """

    _simulator = simulator
    #: Variable -> recorded sites.
    recorded: dict[Any, set[RecordingSite]]

    # ---- what to record ------------------------------------------------------------------------

    def record(
        self,
        variables: str | Sequence[str],
        ids: Iterable[Any],
        sampling_interval: float | None = None,
        locations: Sequence[str] | None = None,
        *,
        device: str = "madc",
    ) -> None:
        """Record variables of some cells from the next run on.

        Parameters
        ----------
        variables : str or sequence of str
            ``spikes``, ``v``, ``exc_synin``, ``inh_synin``, ``adaptation``.
        ids : iterable
            Cells.
        sampling_interval : None
            The converters have their own.
        locations : sequence of str, optional
            Labels of the compartments to record; the first by default.
        device : str, optional
            ``madc``, ``cadc``, or an output pad: ``pad_0`` or ``pad_1``, also with ``_buffered``
            or ``_unbuffered``.

        Raises
        ------
        NotImplementedError
            If a sampling interval is given.
        pyNN.errors.RecordingError
            If cells don't have a variable.
        ValueError
            If the device doesn't exist or can't record more.
        """
        if sampling_interval:
            raise NotImplementedError(
                f"Population {self.population.label!r}: sampling_interval={sampling_interval}: "
                "Sampling interval not implemented."
            )
        names = _normalized(variables)
        for name in names:
            if not self.population.can_record(name):
                raise pyNN.errors.RecordingError(name, self.population.celltype)
        sites = self._sites(ids, locations)
        if isinstance(self.population.celltype, BuiltNeuron):
            for name, site in itertools.product(names, sites):
                self.population.celltype.mechanism(name, site.comp_id)
        config = simulator.current().recording
        recorded = {self._recorded_as(name) for name in names}
        config.add_analog(recorded & set(ANALOG_VARIABLES), sites, device)
        if "spikes" in recorded:
            config.spikes |= sites
        for name in names:
            self.recorded[name] |= sites

    def _recorded_as(self, name: str) -> str:
        """Return what recording a variable records, which cell types can give other names."""
        observables: dict[str, str] = getattr(self.population.celltype, "observables", {})
        return observables.get(name, name)

    def _sites(self, ids: Iterable[Any], locations: Sequence[str] | None) -> set[RecordingSite]:
        compartments = [0]
        if locations is not None:
            celltype = self.population.celltype
            if not hasattr(celltype, "get_compartment_ids"):
                raise RuntimeError(
                    f"Population {self.population.label!r}: can not extract recording locations "
                    f'for celltype "{type(celltype).__name__}".'
                )
            chosen = [locations] if isinstance(locations, str) else locations
            compartments = [int(c) for c in celltype.get_compartment_ids(chosen)]
        return {RecordingSite(int(cell), c) for cell in ids for c in compartments}

    def _reset(self) -> None:
        """Stop recording; what was recorded of the cells is lost, too."""
        cells = set(map(int, self.population.all_cells))
        simulator.current().recording.remove(cells)
        self._clear_simulator()

    # ---- data ----------------------------------------------------------------------------------

    def filter_recorded(self, variable: Any, filter_ids: Any) -> set[RecordingSite]:
        """Return the recorded sites of some cells, of all for None."""
        sites = self.recorded[getattr(variable, "name", variable)]
        if filter_ids is None:
            return sites
        cells = set(map(int, filter_ids))
        return {site for site in sites if site.cell_id in cells}

    def get(
        self,
        variables: Any,
        gather: bool = False,
        filter_ids: Any = None,
        clear: bool = False,
        annotations: dict[str, Any] | None = None,
        locations: Any = None,
    ) -> neo.Block:
        """Return the recorded data, see `pyNN.recording.Recorder.get`."""
        names = "all" if variables == "all" else _normalized(variables)
        block = neo.Block(name=self.population.label, description=self.population.describe())
        with_spikes = names == "all" or "spikes" in map(self._recorded_as, names)
        segments = [_part(segment, names, with_spikes) for segment in self.cache]
        if simulator.current().running:
            segments.append(self._get_current_segment(filter_ids, names, clear))
        block.segments = segments
        for segment in segments:
            segment.block = block
        if segments:
            block.rec_datetime = segments[0].rec_datetime
        block.annotate(**self.metadata, **(annotations or {}))
        if clear:
            self.clear()
        return block

    def _get_current_segment(
        self, filter_ids: Any = None, variables: Any = "all", clear: bool = False
    ) -> neo.Segment:
        state = simulator.current()
        segment = neo.Segment(
            name=f"segment{state.segment_counter:03d}",
            description=self.population.describe(),
            rec_datetime=datetime.now(),
        )
        names = sorted(set(self.recorded) if variables == "all" else set(variables))
        for snippet in state.snippets:
            for name in names:
                sites = sorted(self.filter_recorded(name, filter_ids))
                if self._recorded_as(name) == "spikes":
                    segment.spiketrains.extend(self._trains(snippet, sites))
                    continue
                for device in ("madc", "cadc"):
                    signals = self._signals(snippet, name, device, sites)
                    segment.irregularlysampledsignals.extend(signals)
        for part in (*segment.spiketrains, *segment.irregularlysampledsignals):
            part.segment = segment
        return segment

    def _trains(self, snippet: Snippet, sites: list[RecordingSite]) -> list[neo.SpikeTrain]:
        return [
            neo.SpikeTrain(
                snippet.spikes[site],
                units="ms",
                t_start=snippet.span.begin_ms * pq.ms,
                t_stop=snippet.span.end_ms * pq.ms,
                source_population=self.population.label,
                source_id=site.cell_id,
                source_location=self._label(site),
                source_compartment=site.comp_id,
                source_index=self.population.id_to_index(site.cell_id),
            )
            for site in sites
            if site in snippet.spikes
        ]

    def _signals(
        self, snippet: Snippet, variable: str, device: str, sites: list[RecordingSite]
    ) -> list[neo.IrregularlySampledSignal]:
        signals = []
        for site in sites:
            recording = snippet.samples.get((device, site))
            if recording is None or recording.variable != self._recorded_as(variable):
                continue
            signals.append(
                neo.IrregularlySampledSignal(
                    recording.times_ms.astype(np.float32),
                    recording.values.astype(np.float32),
                    units=self.population.celltype.units[variable],
                    time_units=pq.ms,
                    name=variable,
                    device=device,
                    source_ids=[site.cell_id],
                    source_locations=[self._label(site)],
                    source_population=self.population.label,
                    source_compartments=[site.comp_id],
                    array_annotations={
                        "channel_index": [self.population.id_to_index(site.cell_id)]
                    },
                )
            )
        return signals

    def _label(self, site: RecordingSite) -> str:
        get_label = getattr(self.population.celltype, "get_label", None)
        return "unlabeled" if get_label is None else str(get_label(site.comp_id))

    def _local_count(self, variable: Any, filter_ids: Any = None) -> dict[int, int]:
        counts: dict[int, int] = {}
        for site in sorted(self.filter_recorded(variable, filter_ids)):
            spikes = [snippet.spikes.get(site, ()) for snippet in simulator.current().snippets]
            counts[site.cell_id] = counts.get(site.cell_id, 0) + sum(map(len, spikes))
        return counts

    def _clear_simulator(self) -> None:
        cells = set(map(int, self.population.all_cells))
        for snippet in simulator.current().snippets:
            snippet.forget(cells)


def _normalized(variables: str | Sequence[str]) -> list[str]:
    return [variables] if isinstance(variables, str) else list(variables)


def _part(segment: neo.Segment, names: Any, with_spikes: bool) -> neo.Segment:
    """Return a segment with some of the variables of another."""
    if names == "all":
        return segment
    part = neo.Segment(
        name=segment.name, description=segment.description, rec_datetime=segment.rec_datetime
    )
    part.annotate(**segment.annotations)
    if with_spikes:
        part.spiketrains.extend(segment.spiketrains)
    chosen = [signal for signal in segment.irregularlysampledsignals if signal.name in names]
    part.irregularlysampledsignals.extend(chosen)
    return part
