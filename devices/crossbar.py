"""Matrices programmed into crossbars of memristive devices, and products with them."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from devices import effects
from devices.energy import Cost, costs
from devices.ir_drop import effective_conductance
from devices.mapping import Mapping, weights_of
from devices.memristor import Memristor
from devices.noise import Stream, noise_key, normal
from devices.programmed import ProgrammedWeights, program_weights
from devices.write_verify import WriteVerify

FloatArray = npt.NDArray[np.float64]

# Up to here the read noise of a device, at least -1, is normal but for 3 reads in 10 million.
_NORMAL_SIGMA_READ = 0.2
# Outputs, in the time of which compiled code is loaded.
_PLAIN_LIMIT = 2**17


@dataclasses.dataclass(frozen=True)
class CrossbarReport:
    """What it took to program a crossbar, and what went wrong.

    Parameters
    ----------
    n_devices : int
        Number of devices.
    n_stuck : int
        Devices that are stuck.
    n_failed : int
        Devices that write-and-verify has found too far off.
    n_clipped : int
        Weights that are too small for a single device.
    redraws : int
        Draws of device-to-device spreads that were thrown away.
    n_events, n_set, n_reset : int
        Programming events, and pulses up and down in them.
    n_reads : int
        Reads of the whole crossbar.
    """

    n_devices: int
    n_stuck: int
    n_failed: int
    n_clipped: int
    redraws: int
    n_events: int
    n_set: int
    n_reset: int
    n_reads: int


class Crossbar:
    """A matrix of weights in a crossbar of memristive devices: inputs at rows, outputs at columns.

    The weights are programmed when it is made, as by `program_weights` with the matrix in row-major
    order: the devices of the weight in `row` and `column` are those of number
    ``row*n_cols + column`` there. Every number follows from the parameters, the seed, the label
    and the order of the calls.

    Each of the `d` devices of a weight (`devices.mapping`; more with slices) is in an array of its
    own, with wires of its own, that sees the same inputs.

    Parameters
    ----------
    weights : array_like of float, shape (n_rows, n_cols)
        The matrix, in any unit.
    device : Memristor
        The kind of device; its endurance plays no role.
    seed : int, optional
        Seed of the noise, >= 0.
    label : str, optional
        Name of the crossbar: crossbars of other names have other noise.
    w_max : float or None, optional
        Nominal weight of a device at its highest conductance. Default: the largest magnitude.
    mapping : {"differential", "two_sided", "offset", "single"}, optional
        How a weight is made of devices.
    n_slices : int, optional
        Slices of a weight: digits to the base `n_levels`, each in devices of its own.
    verify : WriteVerify or None, optional
        Write and verify; by default every device is programmed by a single event.
    wire_resistance : float or None, optional
        Resistance of a segment of wire between two devices, Ω (geometry: `devices.ir_drop`). The
        device needs its `g_max` for it. None: none.

    Attributes
    ----------
    device : Memristor
        The kind of device, without unknown strengths.
    shape : tuple of int
        Rows and columns.
    w_max : float
        Nominal weight of a device at its highest conductance.
    n_reads : int
        Number of reads so far; each input vector is one.
    age_s : float
        Time since the weights were programmed, s; only `age` moves it.

    Raises
    ------
    devices.UnknownParameterError
        If something about the device is unknown and needed.
    ValueError
        If a parameter is outside its range, or there are wires and a non-linear device.
    """

    def __init__(
        self,
        weights: npt.ArrayLike,
        device: Memristor,
        *,
        seed: int = 1,
        label: str = "crossbar",
        w_max: float | None = None,
        mapping: Mapping = "differential",
        n_slices: int = 1,
        verify: WriteVerify | None = None,
        wire_resistance: float | None = None,
    ) -> None:
        self._wanted = np.array(weights, dtype=np.float64)
        if self._wanted.ndim != 2:
            raise ValueError(
                f"Crossbar {label!r}: weights of shape {self._wanted.shape}, need (n_rows, n_cols)"
            )
        self.shape = self._wanted.shape
        self._label = label
        self._key = noise_key(seed, label)
        self._mapping, self._n_slices, self._verify = mapping, n_slices, verify
        self._wire_resistance = wire_resistance
        self.n_reads = 0
        self._programmed = self._program(device, w_max, None)
        self.device, self.w_max = self._programmed.device, self._programmed.w_max
        self._nonlinear = bool(self.device.iv_quadratic or self.device.iv_cubic)
        if self._nonlinear:
            self._v_read = device.known("v_read", "a non-linear read")
        if wire_resistance is not None:
            self._g_max_s = 1e-6 * device.known("g_max", "wires with a resistance")
            if self._nonlinear:
                raise ValueError(
                    f"Crossbar {label!r}: wire_resistance={wire_resistance} with iv_quadratic="
                    f"{self.device.iv_quadratic}, iv_cubic={self.device.iv_cubic}: wires are "
                    "solved for linear devices only: leave one of them out"
                )
        self.age_s = 0.0
        self._update()

    def __repr__(self) -> str:
        return f"Crossbar({self._label!r}, {self.shape}, {self.device!r})"

    @property
    def programmed(self) -> ProgrammedWeights:
        """The devices, with their weights in row-major order."""
        return self._programmed

    def program(self, weights: npt.ArrayLike | None = None) -> None:
        """Program the devices again, from the states in which they are; their age starts anew.

        Parameters
        ----------
        weights : array_like of float, shape (n_rows, n_cols), or None, optional
            New weights of magnitude at most `w_max`; None: the same again.

        Raises
        ------
        ValueError
            If the shape is another, or a weight is not finite or too large.
        """
        if weights is not None:
            new = np.array(weights, dtype=np.float64)
            if new.shape != self.shape:
                raise ValueError(
                    f"Crossbar {self._label!r}: weights of shape {new.shape}, need {self.shape}"
                )
            self._wanted = new
        self._programmed = self._program(self.device, self.w_max, self._programmed)
        self.age_s = 0.0
        self._update()

    def age(self, seconds: float) -> None:
        """Let time pass.

        Parameters
        ----------
        seconds : float
            Duration, >= 0, s.

        Raises
        ------
        ValueError
            If it is negative or not finite.
        """
        if not 0.0 <= seconds < math.inf:
            raise ValueError(f"Crossbar.age: seconds={seconds}, need a finite number >= 0")
        self.age_s += float(seconds)
        self._update()

    def weights(self) -> FloatArray:
        """Return the weights that the devices make now, with wires but without read noise.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_cols)
            Effective weights.
        """
        return self._weights.copy()

    def read(self) -> FloatArray:
        """Read every device once.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_cols)
            Effective weights with the read noise of this read.
        """
        weights = self._read(self.n_reads)
        self.n_reads += 1
        return weights

    def matvec(self, x: npt.ArrayLike) -> npt.NDArray[np.floating]:
        """Return the product of input vectors with the weights; each of them is one read.

        Independent white read noise of all devices is drawn where it adds up, at the outputs: with
        the variance ``x² @ σ²``, `σ` the standard deviation of each weight. That is the same in
        distribution, but these are not the numbers that `read` would add. It is so for
        ``sigma_read <= 0.2``, where no device is read as negative; beyond, and with 1/f noise,
        every device is read for every input vector, which is slow. With wires `σ` is taken relative
        to the effective weights.

        Parameters
        ----------
        x : array_like of float, shape (n_rows,) or (batch, n_rows)
            Input voltages, in units of `v_read` of the device. Only with a non-linear device do
            outputs depend on this unit.

        Returns
        -------
        ndarray, shape (n_cols,) or (batch, n_cols)
            Outputs: input times weight; float32 if `x` is, else float64.

        Raises
        ------
        ValueError
            If the shape of `x` does not fit.
        """
        x = np.asarray(x)
        x = x.astype(np.float32 if x.dtype == np.float32 else np.float64, copy=False)
        if x.ndim not in (1, 2) or x.shape[-1] != self.shape[0]:
            raise ValueError(
                f"Crossbar {self._label!r}: x of shape {x.shape}, need ({self.shape[0]},) or "
                f"(batch, {self.shape[0]})"
            )
        drive = np.atleast_2d(x)
        if self._nonlinear:
            seen = effects.current(self.device, 1.0, drive * self._v_read) / self._v_read
            drive = seen.astype(x.dtype)
        first = self.n_reads
        self.n_reads += drive.shape[0]
        if self._reads_every_device:
            rows = [v @ self._read(first + i) for i, v in enumerate(drive)]
            y = np.array(rows, dtype=x.dtype).reshape(drive.shape[0], self.shape[1])
        else:
            y = drive @ (self._weights if x.dtype == np.float64 else self._single_weights)
            if self.device.sigma_read:
                noise = self._output_noise(first, drive.shape[0])
                y += self._output_sigma(drive) * noise.astype(x.dtype, copy=False)
        return y.reshape(*x.shape[:-1], self.shape[1])

    def report(self) -> CrossbarReport:
        """Return what it took to program the crossbar so far, and what went wrong.

        Returns
        -------
        CrossbarReport
            Numbers of devices and events.
        """
        devices = self._programmed
        return CrossbarReport(
            n_devices=devices.state.size,
            n_stuck=int(devices.bounds.stuck.sum()),
            n_failed=devices.n_failed,
            n_clipped=devices.n_clipped,
            redraws=devices.redraws,
            n_events=int(devices.n_events.sum()),
            n_set=int(devices.n_set.sum()),
            n_reset=int(devices.n_reset.sum()),
            n_reads=self.n_reads,
        )

    def cost(self) -> Cost:
        """Return energy and latency of all pulses and reads so far (`devices.energy`).

        Energies that the device is not given are those at the present conductances, of reads with
        `v_read` at every row.

        Returns
        -------
        Cost
            Of the devices, without peripheral circuits.

        Raises
        ------
        devices.UnknownParameterError
            If voltages, durations or conductances of the device are needed and unknown.
        """
        devices = self._programmed
        g_max = self.device.g_max
        g_us = None if g_max is None else devices.conductances(self.age_s) * (g_max / self.w_max)
        return costs(self.device, devices.n_set, devices.n_reset, self.n_reads, g_us)

    @property
    def _reads_every_device(self) -> bool:
        device = self.device
        return bool(device.sigma_flicker) or float(device.sigma_read or 0.0) > _NORMAL_SIGMA_READ

    def _program(
        self, device: Memristor, w_max: float | None, after: ProgrammedWeights | None
    ) -> ProgrammedWeights:
        return program_weights(
            self._wanted.reshape(-1),
            device,
            self._key,
            w_max=w_max,
            mapping=self._mapping,
            verify=self._verify,
            n_slices=self._n_slices,
            after=after,
        )

    def _update(self) -> None:
        """Take over what the devices are after programming or a while."""
        devices = self._programmed
        conductance = self._seen(devices.conductances(self.age_s))
        self._weights = self._weights_of(conductance)
        self._single_weights = self._weights.astype(np.float32)
        of_one = np.square(conductance / self.w_max) @ np.square(devices.signs)
        sigma_scale = np.asarray(devices.scale) * float(self.device.sigma_read or 0.0)
        variance = (np.square(sigma_scale) * of_one).reshape(self.shape)
        # Seven digits of a standard deviation are enough, and half the time.
        self._relative_variance = variance.astype(np.float32)

    def _seen(self, conductance: FloatArray) -> FloatArray:
        """Return the conductances as they are seen through the wires; (n, d) -> (n, d)."""
        if self._wire_resistance is None:
            return conductance
        unit = self._g_max_s / self.w_max
        arrays = (conductance * unit).T.reshape(-1, *self.shape)
        seen = [effective_conductance(array, self._wire_resistance) for array in arrays]
        return np.stack([array.reshape(-1) for array in seen], axis=1) / unit

    def _weights_of(self, conductance: FloatArray) -> FloatArray:
        devices = self._programmed
        weights = weights_of(conductance, devices.signs, devices.scale, devices.offset)
        return weights.reshape(self.shape)

    def _read(self, number: int) -> FloatArray:
        devices = self._programmed
        factor = effects.read_factor(self.device, number, self._key, devices.device_index)
        return self._weights_of(self._seen(devices.conductances(self.age_s) * factor))

    def _output_sigma(self, drive: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return the standard deviations of the outputs, (batch, n_cols)."""
        # In units of the largest input and weight no square is beyond single precision.
        unit = float(np.abs(drive).max(initial=0.0)) or 1.0
        power = np.square((drive / unit).astype(np.float32))
        sigma = np.sqrt(power @ self._relative_variance).astype(drive.dtype, copy=False)
        return sigma * (unit * self.w_max)

    def _output_noise(self, first: int, n: int) -> FloatArray:
        """Return standard normal numbers for the outputs of reads `first` ... `first + n - 1`."""
        n_outputs = self.shape[1]
        if self._is_busy(n):
            from devices.kernels import compiled

            return compiled.output_normals(n_outputs, first, n, self._key)
        reads = np.arange(first, first + n)[:, np.newaxis]
        return normal(self._key, np.arange(n_outputs), reads, Stream.OUTPUT)

    def _is_busy(self, n: int) -> bool:
        """Whether so much is read that compiled code pays, which takes half a second to load."""
        return (self.n_reads + n) * self.shape[1] > _PLAIN_LIMIT
