"""All connections of a network in one list, and the rows of synapses that they take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hw_targets.brainscales2 import limits
from hw_targets.brainscales2.mapped.compartments import Compartment
from hw_targets.brainscales2.mapped.scaling import Array
from hw_targets.brainscales2.routing import (
    ANY_BUS,
    Routing,
    UnsuccessfulRouting,
    bus_of_circuit,
    n_synapses,
    route,
)

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """Where cells are among what the engine integrates.

    Parameters
    ----------
    position : ndarray of int64
        ID of a cell -> its circuit, the soma's if it has several, or its number among the inputs.
    dendrite : ndarray of int64
        ID of a cell -> circuit of its dendrite; -1 without one.
    is_neuron : ndarray of bool
        By ID.
    cell : ndarray of int64
        Circuit -> ID of its cell.
    is_dendrite : ndarray of bool
        By circuit.
    n_inputs : int
        Number of inputs.
    """

    position: IntArray
    dendrite: IntArray
    is_neuron: npt.NDArray[np.bool_]
    cell: IntArray
    is_dendrite: npt.NDArray[np.bool_]
    n_inputs: int


@dataclass(frozen=True, eq=False)
class Connections:
    """All connections of a network, one entry per connection.

    Parameters
    ----------
    source, target : ndarray of int64
        As in `engine.Synapses`.
    soma : ndarray of int64
        Circuit of the postsynaptic cell's soma.
    inhibitory : ndarray of bool
        Whether the target's inhibitory input is meant.
    plastic : ndarray of bool
        Whether weights change during a run.
    weight : ndarray
        Absolute values of the present weights.
    largest : ndarray
        What a weight can become.
    projection : ndarray of int64
        Number of the projection.
    """

    source: IntArray
    target: IntArray
    soma: IntArray
    inhibitory: npt.NDArray[np.bool_]
    plastic: npt.NDArray[np.bool_]
    weight: Array
    largest: Array
    projection: IntArray


def locate(populations: Sequence[Any], compartments: Sequence[Compartment]) -> Places:
    """Give numbers to inputs and to circuits, each from 0 on: the compartments one after the other.

    Parameters
    ----------
    populations : sequence of Population
        All of the network, in the order of their IDs.
    compartments : sequence of Compartment
        Those of the neurons, in the order of the circuits.

    Returns
    -------
    Places
    """
    n = sum(population.size for population in populations)
    position, dendrite = np.full((2, n), -1, np.int64)
    is_neuron = np.zeros(n, bool)
    n_inputs = 0
    for population in populations:
        is_neuron[population.ids] = population.is_neuron
        if not population.is_neuron:
            position[population.ids] = n_inputs + np.arange(population.size)
            n_inputs += population.size
    cells = [np.empty(0, np.int64)]
    first = 0
    for compartment in compartments:
        ids = compartment.population.ids
        table = dendrite if compartment.is_dendrite else position
        table[ids] = first + np.arange(ids.size)
        first += ids.size
        cells.append(ids)
    which = np.repeat(
        np.array([c.is_dendrite for c in compartments], bool), [c.size for c in compartments]
    )
    return Places(position, dendrite, is_neuron, np.concatenate(cells), which, n_inputs)


def collect(projections: Sequence[Any], places: Places, problems: list[str]) -> Connections:
    """Collect connections, with weights in PyNN's units.

    Parameters
    ----------
    projections : sequence of Projection
        All of the network.
    places : Places
        Where cells are.
    problems : list of str
        What the chip cannot have is appended.

    Returns
    -------
    Connections
    """
    sources, targets, somas = ([np.empty(0, np.int64)] for _ in range(3))
    weights, largest = [np.empty(0)], [np.empty(0)]
    inhibitory, plastic = [np.empty(0, bool)], [np.empty(0, bool)]
    for projection in projections:
        pre, post = projection.connected_ids()
        sources.append(places.position[pre] + np.where(places.is_neuron[pre], places.n_inputs, 0))
        somas.append(places.position[post])
        at_dendrite = projection.receptor_type == "dendritic"
        targets.append((places.dendrite if at_dendrite else places.position)[post])
        weight = projection.asked_weights()
        negative = projection.has_negative_weights()
        wrong = ~np.isfinite(weight) | np.where(negative, weight > 0, weight < 0)
        if wrong.any():
            problems.append(
                f"Projection {projection.label!r}: weight={weight[wrong][0]:g} on receptor "
                f"{projection.receptor_type!r}, need {'<= 0' if negative[wrong][0] else '>= 0'}: "
                "on the chip the sign belongs to the synapse's row"
            )
        # Noise of devices doesn't change the sign, which is the row's.
        present = np.maximum(np.where(negative, -1.0, 1.0) * projection.weights_in_use(), 0.0)
        weights.append(present)
        devices = projection.devices
        largest.append(present if devices is None else devices.largest)
        inhibitory.append(np.full(weight.size, projection.receptor_type == "inhibitory"))
        plastic.append(np.full(weight.size, projection.is_plastic))
    return Connections(
        np.concatenate(sources),
        np.concatenate(targets),
        np.concatenate(somas),
        np.concatenate(inhibitory),
        np.concatenate(plastic),
        np.concatenate(weights),
        np.concatenate(largest),
        np.repeat(np.arange(len(projections)), [len(p) for p in projections]),
    )


def check_fan_in(
    connections: Connections,
    compartments: Sequence[Compartment],
    merge: int,
    problems: list[str],
) -> IntArray:
    """Count the synapses of each circuit, one per connection at least.

    Parameters
    ----------
    connections : Connections
        With weights in LSB.
    compartments : sequence of Compartment
        In the order of the circuits.
    merge : int
        Circuits of each compartment of a cell.
    problems : list of str
        Too many are appended.

    Returns
    -------
    ndarray of int64
    """
    size = sum(compartment.size for compartment in compartments)
    counts = n_synapses(connections.largest)
    fan_in = np.bincount(connections.target, counts, size).astype(np.int64)
    # The sensors of plastic connections.
    fan_in += np.bincount(connections.soma, connections.plastic, size).astype(np.int64)
    available = merge * limits.N_ROWS
    first = 0
    for compartment in compartments:
        own = fan_in[first : first + compartment.size]
        first += compartment.size
        if (own > available).any():
            cell = int(np.argmax(own))
            problems.append(
                f"Population {compartment.label!r}: {int((own > available).sum())} cells have more "
                f"synapses than the {available} of {merge} circuit(s); cell {cell} needs "
                f"{own[cell]}: use fewer connections, or setup(merge={_enough(int(own[cell]))})"
            )
    return fan_in


def _enough(fan_in: int) -> int:
    circuits = -(-fan_in // limits.N_ROWS)
    return circuits + circuits % 2


def find_rows(
    connections: Connections, n_inputs: int, hardware: IntArray, problems: list[str]
) -> Routing | None:
    """Find rows for all synapses.

    Parameters
    ----------
    connections : Connections
        With weights in LSB.
    n_inputs : int
        Number of external sources.
    hardware : ndarray of int64, shape (n_circuits, merge)
        Circuits of the chip.
    problems : list of str
        If there are not enough, this is appended.

    Returns
    -------
    Routing or None
        Those of all connections, then those of the sensors of the plastic ones; None if there are
        not enough.
    """
    plastic = connections.plastic
    source = np.concatenate([connections.source, connections.source[plastic]])
    buses = [ANY_BUS] * n_inputs + [bus_of_circuit(circuit) for circuit in hardware[:, 0]]
    sensors = np.zeros(np.count_nonzero(plastic))
    try:
        return route(
            np.concatenate([connections.target, connections.soma[plastic]]),
            np.array(buses, np.int64)[source],
            np.concatenate([connections.inhibitory, sensors.astype(bool)]),
            np.concatenate([connections.largest, sensors]),
            list(hardware),
        )
    except UnsuccessfulRouting as error:
        # The remedies are those of the native API.
        reason = str(error).rpartition(": use ")[0]
        problems.append(f"{reason}: use fewer connections, or setup(merge=...)")
        return None
