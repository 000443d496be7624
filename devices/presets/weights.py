"""Conversion of devices described by dimensionless weights, such as those of aihwkit.

aihwkit: Rasch et al. 2021, doi:10.1109/AICAS51828.2021.9458494. The names of the parameters are
its names, so that a device of its can be entered as it is published.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from devices.update import Update

Number = TypeVar("Number", float, np.ndarray)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightScale:
    """Range and step of a device described by weights, most often around 0.

    State `s` and weight `w` are related by ``w = w_min + (w_max - w_min)*s``. The step of a pulse
    is `dw_min` before the law of the device acts on it; of the two directions `up_down` weakens
    one: ``dw_min*(1 + up_down)`` up if it is negative, ``dw_min*(1 - up_down)`` down if positive.

    Parameters
    ----------
    dw_min : float
        Step of a pulse, > 0, in units of a weight.
    w_max, w_min : float
        Mean highest and lowest weight.
    up_down : float, optional
        Asymmetry of the step, between -1 and 1.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    >>> scale = WeightScale(dw_min=0.002, w_max=1.1724, w_min=-0.8276)
    >>> device = Memristor(
    ...     update=scale.linear_step(gamma_up=0.1153, gamma_down=0.5085),
    ...     **scale.spreads(dw_min_dtod=0.1, dw_min_std=0.3, w_max_dtod=0.05, w_min_dtod=0.05,
    ...                     on_off_ratio=10.0),
    ... )
    """

    dw_min: float
    w_max: float
    w_min: float
    up_down: float = 0.0

    def __post_init__(self) -> None:
        """Validate every parameter."""
        if not 0.0 < self.dw_min < math.inf:
            raise ValueError(f"WeightScale: dw_min={self.dw_min}, need a finite number > 0")
        if not -math.inf < self.w_min < self.w_max < math.inf:
            raise ValueError(
                f"WeightScale: w_min={self.w_min}, w_max={self.w_max}, need finite numbers with "
                "w_min < w_max"
            )
        if not -1.0 < self.up_down < 1.0:
            raise ValueError(f"WeightScale: up_down={self.up_down}, need a number in (-1, 1)")

    @property
    def width(self) -> float:
        """Distance from `w_min` to `w_max`."""
        return self.w_max - self.w_min

    def state(self, weight: Number) -> Number:
        """Return the state, 0 to 1, of a weight."""
        return (weight - self.w_min) / self.width

    def weight(self, state: Number) -> Number:
        """Return the weight of a state."""
        return self.w_min + self.width * state

    @property
    def _steps(self) -> tuple[float, float]:
        """Steps up and down as fractions of the range, before the law."""
        return (
            self.dw_min * (1.0 + min(self.up_down, 0.0)) / self.width,
            self.dw_min * (1.0 - max(self.up_down, 0.0)) / self.width,
        )

    def constant_step(self) -> Update:
        """Return the law whose step is the same everywhere (``ConstantStepDevice``)."""
        return self.linear_step(0.0, 0.0)

    def soft_bounds(self) -> Update:
        """Return the law whose step vanishes at the bound (``SoftBoundsDevice``).

        Also that of ``SoftBoundsReferenceDevice``, whose reference only shifts the weights.
        """
        return self.linear_step(1.0, 1.0)

    def linear_step(self, gamma_up: float, gamma_down: float) -> Update:
        """Return the law with the step ``1 - gamma*w/bound`` (``LinearStepDevice``).

        Parameters
        ----------
        gamma_up, gamma_down : float
            Loss of step from the weight 0 to the bound.

        Returns
        -------
        Update

        Raises
        ------
        ValueError
            If 0 is not inside the range, which the law refers to.
        """
        if (gamma_up or gamma_down) and not self.w_min < 0.0 < self.w_max:
            raise ValueError(
                f"WeightScale: linear step with w_min={self.w_min}, w_max={self.w_max}, "
                "need w_min < 0 < w_max"
            )
        up, down = self._steps
        far_up, slope_up = self._linear(gamma_up, self.w_max, self.w_min)
        far_down, slope_down = self._linear(gamma_down, self.w_min, self.w_max)
        return Update(
            law="linear",
            step_up=up * far_up,
            step_down=down * far_down,
            slope_up=slope_up,
            slope_down=slope_down,
        )

    def _linear(self, gamma: float, bound: float, far: float) -> tuple[float, float]:
        """Return the relative step at the far bound, and what it loses on the way to the other."""
        if gamma == 0.0:
            return 1.0, 0.0
        at_far = 1.0 - gamma * far / bound
        # Rounding must not take the slope of soft bounds beyond 1.
        return at_far, 1.0 if gamma == 1.0 else gamma * self.width / (abs(bound) * at_far)

    def exponential_step(
        self,
        a: float,
        b: float,
        gamma_up: float,
        gamma_down: float,
        A_up: float,
        A_down: float,
    ) -> Update:
        """Return the exponential law (``ExpStepDevice``).

        With ``z = 2*a*w/(w_max - w_min) + b`` the relative steps are
        ``max(1 - A_up*exp(gamma_up*z), 0)`` and ``max(1 - A_down*exp(-gamma_down*z), 0)``.

        Parameters
        ----------
        a, b, gamma_up, gamma_down, A_up, A_down : float
            As above.

        Returns
        -------
        Update
        """
        up, down = self._steps
        z_min, z_max = (2.0 * a * w / self.width + b for w in (self.w_min, self.w_max))
        return Update(
            law="exponential",
            step_up=up,
            step_down=down,
            amplitude_up=A_up * math.exp(gamma_up * z_min),
            amplitude_down=A_down * math.exp(-gamma_down * z_max),
            rate_up=2.0 * a * gamma_up,
            rate_down=2.0 * a * gamma_down,
        )

    def power_step(self, pow_gamma: float, pow_up_down: float = 0.0) -> Update:
        """Return the power law (``PowStepDevice``).

        Parameters
        ----------
        pow_gamma : float
            Exponent of the distance to the bound.
        pow_up_down : float, optional
            Asymmetry of the exponent, as `up_down` of the step.

        Returns
        -------
        Update
        """
        up, down = self._steps
        return Update(
            law="power",
            step_up=up,
            step_down=down,
            exponent_up=pow_gamma * (1.0 + min(pow_up_down, 0.0)),
            exponent_down=pow_gamma * (1.0 - max(pow_up_down, 0.0)),
        )

    def piecewise_step(
        self, piecewise_up: Sequence[float], piecewise_down: Sequence[float]
    ) -> Update:
        """Return the law interpolated between nodes (``PiecewiseStepDevice``).

        Parameters
        ----------
        piecewise_up, piecewise_down : sequence of float
            Relative steps at equidistant weights from `w_min` to `w_max`.

        Returns
        -------
        Update
        """
        up, down = self._steps
        return Update(
            law="piecewise",
            step_up=up,
            step_down=down,
            nodes_up=tuple(piecewise_up),
            nodes_down=tuple(piecewise_down),
        )

    def spreads(
        self,
        *,
        dw_min_dtod: float = 0.0,
        dw_min_dtod_log_normal: bool = False,
        up_down_dtod: float = 0.0,
        w_max_dtod: float = 0.0,
        w_min_dtod: float = 0.0,
        dw_min_std: float = 0.0,
        mult_noise: bool = True,
        dw_min_std_add: float = 0.0,
        dw_min_std_slope: float = 0.0,
        write_noise_std: float = 0.0,
        on_off_ratio: float | None = None,
    ) -> dict[str, Any]:
        """Return the fields of `devices.Memristor` for variability and noise.

        Parameters
        ----------
        dw_min_dtod : float, optional
            Device-to-device spread of the step, relative, or of its logarithm.
        dw_min_dtod_log_normal : bool, optional
            Which of the two.
        up_down_dtod : float, optional
            Device-to-device spread of the asymmetry.
        w_max_dtod, w_min_dtod : float, optional
            Device-to-device spread of the bounds, relative to `w_max` and `w_min`.
        dw_min_std : float, optional
            Cycle-to-cycle noise of a pulse, relative to its step; without `mult_noise` to
            `dw_min`.
        mult_noise : bool, optional
            Whether it is proportional to the actual step.
        dw_min_std_add, dw_min_std_slope : float, optional
            What is added to the step, in units of a weight, and per weight, before it is multiplied
            by `dw_min_std`.
        write_noise_std : float, optional
            Write noise of the apparent weight, in units of `dw_min`.
        on_off_ratio : float or None, optional
            That of the device, which weights do not have. Without it (None) the spread of the
            lowest conductance is unknown (None) unless `w_min` is sharp, and that of the highest
            is the one at an infinite ratio.

        Returns
        -------
        dict
            Field name to value, `on_off_ratio` included.

        Raises
        ------
        ValueError
            If there is `dw_min_std_slope` and `w_min` is not 0: the noise is no polynomial.

        Notes
        -----
        Three things are not the same as in aihwkit. There a device whose range is larger has the
        same step in units of a weight, here the same step relative to its range. There additive
        noise is proportional to the step of the device, here to the nominal one. With `up_down`
        the spread of the step is relative to the step of each direction here, to `dw_min` there.
        """
        if dw_min_std_slope and self.w_min != 0.0:
            raise ValueError(
                f"WeightScale: dw_min_std_slope={dw_min_std_slope} with w_min={self.w_min}: noise "
                "proportional to abs(w) needs w_min=0"
            )
        constant = dw_min_std_add if mult_noise else dw_min_std_add + self.dw_min
        inverse_ratio = 1.0 / (on_off_ratio or math.inf)
        fields: dict[str, Any] = {
            "on_off_ratio": on_off_ratio,
            "sigma_d2d_step": dw_min_dtod,
            "step_distribution": "log-normal" if dw_min_dtod_log_normal else "normal",
            "sigma_d2d_asymmetry": up_down_dtod,
            "sigma_d2d_g_max": w_max_dtod * abs(self.w_max) / self.width * (1.0 - inverse_ratio),
            "sigma_d2d_g_min": self._spread_of_g_min(w_min_dtod, on_off_ratio),
            "sigma_c2c": dw_min_std * constant / self.width,
            "sigma_c2c_step": dw_min_std if mult_noise else 0.0,
            "sigma_write": write_noise_std * self.dw_min / self.width,
        }
        if dw_min_std_slope:
            # The polynomial is in G/g_max = 1/r + (1 - 1/r)*s and in units of g_max.
            slope = dw_min_std * dw_min_std_slope
            fields["c2c_polynomial"] = (-slope * inverse_ratio, slope)
        return fields

    def _spread_of_g_min(self, w_min_dtod: float, on_off_ratio: float | None) -> float | None:
        spread = w_min_dtod * abs(self.w_min) / self.width
        if spread == 0.0:
            return 0.0
        # An absolute spread, while that of the device is relative to its lowest conductance.
        if on_off_ratio is None or math.isinf(on_off_ratio):
            return None
        return spread * (on_off_ratio - 1.0)
