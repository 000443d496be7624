"""From the maximum of the likelihood to the parameters of a device, with intervals."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from devices.fitting.choice import Candidate, upper_limit
from devices.fitting.filter import NOISE, RESOLUTION
from devices.fitting.maximise import Covariance, Optimum
from devices.fitting.profile import ends_of_coefficient
from devices.fitting.result import Parameter
from devices.fitting.spread import REACH, TAIL, Spread, distribution_of, spread_of
from devices.fitting.start import Start
from devices.memristor import Memristor
from devices.update import Update

FloatArray = npt.NDArray[np.float64]

# Devices from which on a spread that both bounds share is looked for, and its least significance
# in standard errors of the correlation.
_MIN_FOR_GAIN = 20
_SIGNIFICANT = 2.58
_LOW, _HIGH, _UP, _DOWN = range(4)
_ONE_DEVICE = "one device: tells nothing of others"
# Noise below this share of the range is none.
_RESOLVED = 10.0 * RESOLUTION
# Difference of the criterion up to which a model is not ruled out.
_RIVAL = 10.0
# Loss of log-likelihood at the end of a 90 % interval.
_DROP = 0.5 * REACH**2


class Estimate:
    """Parameters of the device that a fit amounts to.

    Parameters
    ----------
    best : Candidate
        The chosen fit.
    compared : sequence of Candidate
        All fits.
    start : Start
        Where it started.
    unit_us : float
        Unit of the conductances of the fit, µS.
    sigma_read : tuple of (float, int) or None
        Read noise from repeated readings and its degrees of freedom.
    stuck_at : ndarray of float
        Mean conductance of each device that does not respond, in the unit of the fit.

    Attributes
    ----------
    parameters : list of Parameter
        What was found.
    """

    def __init__(
        self,
        best: Candidate,
        compared: Sequence[Candidate],
        start: Start,
        unit_us: float,
        sigma_read: tuple[float, int] | None,
        stuck_at: FloatArray,
    ) -> None:
        self.parameters: list[Parameter] = []
        self._best, self._optimum, self._start = best, best.optimum, start
        self._covariance: Covariance = best.optimum.covariance()
        self._unit_us = unit_us
        self._n = best.optimum.own.shape[0]
        self._ends = self._ends_of_coefficients()
        self._fields: dict[str, Any] = {}
        # Noise terms that fit almost as well: their shares are not told apart.
        self._rivals = [
            rival.optimum
            for rival in compared
            if rival.shape == best.shape and rival.bic < best.bic + _RIVAL
        ]
        self._bounds()
        self._law()
        self._noise()
        self._read_noise(sigma_read)
        self._stuck(stuck_at)

    @property
    def device(self) -> Memristor:
        """The device; what is not told is None and counts as absent."""
        untold = ("sigma_flicker", "drift_nu", "sigma_drift_nu", "endurance", "iv_quadratic",
                  "iv_cubic")  # fmt: skip
        fields: dict[str, Any] = dict.fromkeys(untold, None) | self._fields
        return Memristor(**fields, unknown_is_off=True)

    def _add(
        self,
        name: str,
        value: float | None,
        interval: tuple[float, float] | None = None,
        unit: str = "1",
        note: str = "",
    ) -> None:
        low, high = (None, None) if interval is None else interval
        self.parameters.append(Parameter(name, value, low, high, unit, note))

    def _ends_of_coefficients(self) -> list[Optimum]:
        """Return fits at the ends of the intervals of the law's coefficients.

        Of the nodes of a piecewise law those at the bounds are moved, which bounds can make up for.
        """
        n_c = len(self._best.shape.names)
        if not np.any(self._optimum.shared[2 * n_c :] > _RESOLVED):
            # All is edges then, and exact.
            return []
        inner = range(1, n_c - 1) if self._best.shape.n_nodes else range(0)
        ends: list[Optimum] = []
        for position in range(2 * n_c):
            error = math.sqrt(self._covariance.shared[position, position])
            if error > 0.0 and position % n_c not in inner:
                ends += ends_of_coefficient(self._optimum, position, REACH * error, _DROP)
        return ends

    def _bounds(self) -> None:
        own, covariance = self._optimum.own, self._covariance
        held = self._optimum.problem.held
        width = own[:, _HIGH] - own[:, _LOW]
        smoothed = self._start.apparent * width / math.sqrt(self._start.window)
        errors = [smoothed if held[k] else np.sqrt(covariance.own[:, k, k]) for k in (_LOW, _HIGH)]
        values = [own[:, _LOW], own[:, _HIGH]]
        nominal: list[float] = []
        for k, name in ((_LOW, "g_min"), (_HIGH, "g_max")):
            note = "not reached: extreme of the series" if held[k] else "where the law is clipped"
            mean, between = float(values[k][0]), 0.0
            if self._n > 1:
                form = distribution_of(values[k])
                self._fields[f"{name}_distribution"] = form
                if form == "log-normal":
                    spread = spread_of(np.log(values[k]), errors[k] / values[k])
                    mean, between = math.exp(spread.mean), spread.mean_error * math.exp(spread.mean)
                else:
                    spread = spread_of(values[k], errors[k])
                    mean, between = spread.mean, spread.mean_error
                note += f"; {'median' if form == 'log-normal' else 'mean'} over devices, {form}"
            ends = [float(np.mean(end.own[:, k] - values[k])) for end in self._ends]
            reach = REACH * (errors[k].mean() if held[k] else self._optimum.error_of_mean(k))
            below, above = min([-reach, *ends]), max([reach, *ends])
            nominal.append(mean)
            interval = (
                max(mean - math.hypot(below, REACH * between), 0.0) * self._unit_us,
                (mean + math.hypot(above, REACH * between)) * self._unit_us,
            )
            self._add(name, mean * self._unit_us, interval, "µS", note)
        low, high = nominal
        open_below = low <= RESOLUTION * high
        ratio = math.inf if open_below else high / low
        self._fields |= {"g_max": high * self._unit_us, "on_off_ratio": ratio}
        g_min, g_max = self.parameters[-2:]
        assert None not in (g_min.low, g_min.high, g_max.low, g_max.high)
        most = math.inf if not g_min.low else g_max.high / g_min.low  # type: ignore[operator]
        least = 1.0 if not g_min.high else g_max.low / g_min.high  # type: ignore[operator]
        note = "lowest conductance is not told from 0" if open_below else "g_max/g_min"
        self._add("on_off_ratio", ratio, (least, most), note=note)
        self._spread_of_bounds(values, errors, nominal, open_below)

    def _spread_of_bounds(
        self,
        values: list[FloatArray],
        errors: list[FloatArray],
        nominal: list[float],
        open_below: bool,
    ) -> None:
        names = ("sigma_d2d_g_min", "sigma_d2d_g_max")
        if self._n == 1:
            for name in (*names, "sigma_d2d_gain"):
                self._fields[name] = None
                self._add(name, None, note=_ONE_DEVICE)
            return
        gain = 0.0 if open_below else self._gain(values, nominal)
        for k, name in ((_LOW, names[0]), (_HIGH, names[1])):
            if k == _LOW and open_below:
                self._fields[name] = 0.0
                self._add(name, 0.0, note="lowest conductance is not told from 0")
                continue
            form = self._fields[f"{name.removeprefix('sigma_d2d_')}_distribution"]
            spread = (
                spread_of(np.log(values[k]), errors[k] / values[k])
                if form == "log-normal"
                else spread_of(values[k] / nominal[k], errors[k] / nominal[k])
            )
            sigma, *interval = (
                math.sqrt(max(s**2 - gain**2, 0.0) / (1.0 + gain**2))
                for s in (spread.sigma, *spread.interval)
            )
            self._fields[name] = sigma
            what = "of the logarithm" if form == "log-normal" else "relative to the mean"
            self._add(name, sigma, (interval[0], interval[1]), note=f"{what}, {self._n} devices")
        self._fields["sigma_d2d_gain"] = gain
        note = "shared by both bounds"
        if gain == 0.0:
            note = "bounds are not clearly correlated" if self._n >= _MIN_FOR_GAIN else (
                f"fewer than {_MIN_FOR_GAIN} devices: not looked for")  # fmt: skip
        self._add("sigma_d2d_gain", gain, note=note)

    def _gain(self, values: list[FloatArray], nominal: list[float]) -> float:
        """Return the spread of a factor on both bounds, from their covariance."""
        if self._n < _MIN_FOR_GAIN:
            return 0.0
        low, high = values[_LOW] / nominal[_LOW], values[_HIGH] / nominal[_HIGH]
        if np.ptp(low) == 0.0 or np.ptp(high) == 0.0:
            return 0.0
        correlation = min(float(np.corrcoef(low, high)[0, 1]), 1.0 - 1e-12)
        if math.atanh(correlation) * math.sqrt(self._n - 3) < _SIGNIFICANT:
            return 0.0
        of_errors = self._covariance.own[:, _LOW, _HIGH].mean() / (nominal[_LOW] * nominal[_HIGH])
        return math.sqrt(max(float(np.cov(low, high)[0, 1]) - of_errors, 0.0))

    def _law(self) -> None:
        own, covariance = self._optimum.own, self._covariance
        shape = self._best.shape
        logs = own[:, [_UP, _DOWN]]
        of_logs = covariance.own[:, 2:, 2:]
        errors = np.sqrt(np.diagonal(of_logs, axis1=1, axis2=2))
        steps = np.exp(logs)
        form = distribution_of((steps / steps.mean(axis=0)).mean(axis=1))
        nominal, note = [], "one device"
        for k, name in enumerate(("step_up", "step_down")):
            error = self._optimum.error_of_mean(2 + k)
            mean = float(steps[0, k])
            if self._n > 1:
                if form == "log-normal":
                    spread = spread_of(logs[:, k], errors[:, k])
                    mean, between = math.exp(spread.mean), spread.mean_error
                else:
                    # Errors in proportion to the mean, not to the value: these would give small
                    # values more weight.
                    spread = spread_of(steps[:, k], errors[:, k] * np.median(steps[:, k]))
                    mean, between = spread.mean, spread.mean_error / spread.mean
                error = math.hypot(error, between)
                note = f"{'median' if form == 'log-normal' else 'mean'} over devices"
            factor = math.exp(min(REACH * error, 50.0))
            shifts = [np.exp(np.mean(end.own[:, 2 + k] - logs[:, k])) for end in self._ends]
            interval = (
                mean * min([1.0 / factor, *shifts]),
                min(mean * max([factor, *shifts]), 1.0),
            )
            nominal.append(min(mean, 1.0))
            unit_note = note if mean <= 1.0 else f"{note}; {mean:.3g} limited to the range"
            self._add(name, nominal[k], interval, "range", unit_note)
        n_c = len(shape.names)
        coefficients = self._optimum.shared[: 2 * n_c].reshape(2, n_c)
        fixed = (self._optimum.problem.low == self._optimum.problem.high)[: 2 * n_c]
        for k, way in enumerate(("up", "down")):
            for i, name in enumerate(shape.names):
                position = k * n_c + i
                base, _, index = name.partition("[")
                note = "scale of the nodes" if fixed[position] else ""
                if index and way == "down":
                    # As in Update: from the lowest state on.
                    index = f"{n_c - 1 - int(index[:-1])}]"
                full = f"{base}_{way}" + (f"[{index}" if index else "")
                interval = self._interval(position)
                self._add(full, float(coefficients[k, i]), interval, note=note)
        self._fields["update"] = Update(
            **shape.update((nominal[0], nominal[1]), coefficients[0], coefficients[1])
        )
        self._spread_of_steps(steps / np.array(nominal), of_logs, form)

    def _spread_of_steps(self, factors: FloatArray, of_logs: FloatArray, form: str) -> None:
        names = ("sigma_d2d_step", "sigma_d2d_asymmetry")
        if self._n == 1:
            for name in names:
                self._fields[name] = None
                self._add(name, None, note=_ONE_DEVICE)
            return
        self._fields["step_distribution"] = form
        up, down = of_logs[:, 0, 0], of_logs[:, 1, 1]
        both = of_logs[:, 0, 1]
        common = 0.5 * (factors[:, 0] + factors[:, 1])
        asymmetry = 0.5 * (factors[:, 0] - factors[:, 1])
        of_common = np.sqrt(0.25 * (up + down + 2.0 * both))
        of_asymmetry = np.sqrt(np.maximum(0.25 * (up + down - 2.0 * both), 0.0))
        values = np.log(common) if form == "log-normal" else common
        what = "of the logarithm" if form == "log-normal" else "relative to the mean"
        found: tuple[tuple[str, Spread, str], ...] = (
            (names[0], spread_of(values, of_common), f"{what}, {form}, {self._n} devices"),
            (names[1], spread_of(asymmetry, of_asymmetry), f"{self._n} devices"),
        )
        for name, spread, note in found:
            self._fields[name] = spread.sigma
            self._add(name, spread.sigma, spread.interval, note=note)

    def _noise(self) -> None:
        shared = self._optimum.shared
        first = shared.size - len(NOISE)
        value = {name: float(shared[first + i]) for i, name in enumerate(NOISE)}
        units = {"sigma_c2c_step": "step", "sigma_c2c": "range", "sigma_write": "range"}
        notes = {
            "sigma_c2c_step": "persistent, in proportion to the step",
            "sigma_c2c": "persistent, per pulse",
            "sigma_write": "not persistent, anew at every pulse",
        }
        for name in units:
            resolved = value[name] > _RESOLVED
            self._fields[name] = value[name] if resolved else 0.0
            position = first + NOISE.index(name)
            if resolved:
                low, high = self._interval(position)
            else:
                low, high = 0.0, self._limit_of(position)
            for rival in self._rivals:
                reach = REACH * math.sqrt(rival.covariance().shared[position, position])
                estimate = float(rival.shared[position])
                low, high = min(low, estimate - reach), max(high, estimate + reach)
            interval = (max(low, 0.0), high)
            self._add(name, self._fields[name], interval, units[name], notes[name])
        if value["linear"] or value["quadratic"]:
            self._polynomial(value["linear"], value["quadratic"])

    def _interval(self, position: int) -> tuple[float, float]:
        """Return the interval of a shared parameter: with where it goes if the bounds move."""
        value = float(self._optimum.shared[position])
        reach = REACH * math.sqrt(self._covariance.shared[position, position])
        others = [float(end.shared[position]) for end in self._ends]
        return min([value - reach, *others]), max([value + reach, *others])

    def _limit_of(self, position: int) -> float:
        """Return the end of the interval of a noise that was estimated to be 0."""
        optimum = self._optimum

        def log_likelihood(value: float) -> float:
            shared = optimum.shared.copy()
            shared[position] = value
            return float(optimum.problem.log_likelihoods(shared, optimum.own).sum())

        return upper_limit(log_likelihood, _DROP, RESOLUTION, 10.0)

    def _polynomial(self, linear: float, quadratic: float) -> None:
        """Convert noise over the state s to coefficients over x = 1/r + (1 - 1/r)*s."""
        lowest = 1.0 / self._fields["on_off_ratio"]
        of_range = 1.0 - lowest
        second = quadratic / of_range
        coefficients = (
            -linear * lowest + second * lowest**2,
            linear - 2.0 * second * lowest,
            second,
        )
        self._fields["c2c_polynomial"] = coefficients
        for i, coefficient in enumerate(coefficients):
            note = "what is added to sigma_c2c, over G/g_max"
            self._add(f"c2c_polynomial[{i}]", coefficient, note=note)

    def _read_noise(self, found: tuple[float, int] | None) -> None:
        if found is None:
            self._fields["sigma_read"] = None
            note = "no state was read twice: read noise is part of sigma_write"
            self._add("sigma_read", None, note=note)
            return
        sigma, freedom = found
        self._fields["sigma_read"] = sigma
        ends = stats.chi2.ppf([1.0 - TAIL, TAIL], freedom)
        low, high = (sigma * math.sqrt(freedom / end) for end in ends)
        self._add("sigma_read", sigma, (low, high), note="relative, of repeated readings")

    def _stuck(self, stuck_at: FloatArray) -> None:
        names = ("stuck_on", "stuck_off", "stuck_random")
        total = self._n + stuck_at.size
        if total == 1:
            for name in names:
                self._fields[name] = None
                self._add(name, None, note=_ONE_DEVICE)
            return
        high = self._fields["g_max"] / self._unit_us
        low = high / self._fields["on_off_ratio"]
        state = (stuck_at - low) / (high - low)
        # Nearer to a bound than a tenth of the range, or beyond it.
        counts = [int(np.sum(state > 0.9)), int(np.sum(state < 0.1))]
        counts.append(stuck_at.size - sum(counts))
        for name, count in zip(names, counts, strict=True):
            self._fields[name] = count / total
            ends = stats.beta.ppf([TAIL, 1.0 - TAIL], count + 0.5, total - count + 0.5)
            low_end = 0.0 if count == 0 else float(ends[0])
            self._add(name, count / total, (low_end, float(ends[1])), "devices",
                      f"{count} of {total}")  # fmt: skip
