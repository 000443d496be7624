"""How a projection is realised: what all backends have in common before they connect."""

from typing import Any, ClassVar

import numpy as np
from pyNN import common, errors

from devices.noise import Key
from devices.programmed import ProgrammedWeights

from .standardmodels import IF_curr_exp_dAP, MemristivePlasticity, MemristiveSynapse
from .synapse_attributes import SynapseAttributes


class RealisedProjection(SynapseAttributes):
    """A projection whose connectivity `cosim.backends.connectivity.realise` makes."""

    #: How often each label was used since `setup`: equal labels must not mean equal random numbers.
    #: Each backend has its own.
    _labels_used: ClassVar[dict[str, int]]

    def _stream_label(self) -> str:
        """Return the label that selects the random streams of this projection."""
        label = self.label or "projection"
        number = self._labels_used[label] = self._labels_used.get(label, 0) + 1
        return label if number == 1 else f"{label}#{number}"

    def _guess_receptor_type(self) -> None:
        for population in getattr(self.post, "populations", [self.post]):
            if not population.celltype.receptor_types:
                raise errors.ConnectionError(
                    f"Projection {self.label!r}: {type(population.celltype).__name__} has no "
                    "receptors; connect to cells"
                )
        if isinstance(self.synapse_type, MemristivePlasticity):
            self._check_dendrites()
            self.receptor_type = self.synapse_type.receptor_type
            return
        super()._guess_receptor_type()
        if isinstance(self.post, common.Assembly):
            # PyNN gives the receptors that all cells of an assembly share in random order.
            shared = list(self.post.receptor_types)
            ordered = self.post.populations[0].celltype.receptor_types
            guess = shared.index(self.receptor_type)
            self.receptor_type = [name for name in ordered if name in shared][guess]

    def _check_memristive(self) -> None:
        """Check the target of memristive synapses.

        Raises
        ------
        pyNN.errors.ConnectionError
            If its cells have no dendritic action potential, or the receptor is not the dendrite.
        """
        self._check_dendrites()
        if self.receptor_type != self.synapse_type.receptor_type:
            raise errors.ConnectionError(
                f"{type(self.synapse_type).__name__} {self.label!r}: receptor_type="
                f"{self.receptor_type!r}, need {self.synapse_type.receptor_type!r}"
            )

    def _check_dendrites(self) -> None:
        """Check that the target's cells have dendrites, also before there is a label."""
        label = self.label or f"{self.pre.label}→{self.post.label}"
        for population in getattr(self.post, "populations", [self.post]):
            if not isinstance(population.celltype, IF_curr_exp_dAP):
                raise errors.ConnectionError(
                    f"{type(self.synapse_type).__name__} {label!r}: postsynaptic cells are "
                    f"{type(population.celltype).__name__}; on {self._simulator.name} memristive "
                    "plasticity needs IF_curr_exp_dAP"
                )

    def _program(self, weights: Any, key: Key) -> ProgrammedWeights:
        """Program the weights of memristive synapses, which are not plastic.

        Parameters
        ----------
        weights : float or numpy.ndarray, shape (n,)
            The weights wanted, nA or µS.
        key : tuple of int
            Of the devices' noise.

        Returns
        -------
        devices.programmed.ProgrammedWeights
            The devices, in the order of the connections.

        Raises
        ------
        pyNN.errors.ConnectionError
            If conductances of cells could be negative.
        ValueError
            If the devices cannot have the weights.
        """
        synapse: MemristiveSynapse = self.synapse_type
        name = f"{type(synapse).__name__} {self.label!r}"
        weights = np.broadcast_to(np.asarray(weights, float), len(self))
        conductances = self._per_connection(lambda cell: bool(cell.conductance_based)).astype(bool)
        if conductances.any() and synapse.mapping != "single":
            raise errors.ConnectionError(
                f"{name}: mapping={synapse.mapping!r}, need 'single': postsynaptic cells are "
                "conductance-based, and a difference of devices could be a negative conductance"
            )
        for weight in weights[conductances & (weights < 0.0)][:1]:
            raise errors.ConnectionError(
                f"{name}: weight={weight:g}, need weights >= 0: postsynaptic cells are "
                "conductance-based"
            )
        try:
            return synapse.program(weights, key)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error

    def _tau_psc(self) -> np.ndarray:
        """Return the time constant of the postsynaptic current of each connection, ms; (n,)."""
        name = {"excitatory": "tau_syn_E", "inhibitory": "tau_syn_I"}.get(self.receptor_type, "")
        populations = getattr(self.post, "populations", [self.post])
        lacking = [p for p in populations if name not in p.celltype.default_parameters]
        if lacking:
            raise errors.ConnectionError(
                f"Projection {self.label!r}: TsodyksMarkramSynapse on receptor "
                f"{self.receptor_type!r} of {type(lacking[0].celltype).__name__} needs to know the "
                "time constant of the postsynaptic current; use receptor 'excitatory' or "
                "'inhibitory' of a cell type with tau_syn_E and tau_syn_I"
            )
        return self.post_values(name)

    def post_values(self, name: str) -> np.ndarray:
        """Return a parameter of the postsynaptic cell of each connection, in PyNN units; (n,)."""
        return np.concatenate(
            [
                np.broadcast_to(population.get(name, simplify=False), population.size)
                for population in getattr(self.post, "populations", [self.post])
            ]
        )[self._post_index]
