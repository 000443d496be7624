"""Quantile of the standard normal distribution, algorithm AS 241 (routine PPND16)."""

import numpy as np
import numpy.typing as npt

# Rational approximations of Wichura (1988), lowest power first: numerator and denominator in
# the centre (a, b), in the tails with r <= 5 (c, d) and beyond (e, f).
_CENTRE = (
    (
        3.3871328727963666080e0,
        1.3314166789178437745e2,
        1.9715909503065514427e3,
        1.3731693765509461125e4,
        4.5921953931549871457e4,
        6.7265770927008700853e4,
        3.3430575583588128105e4,
        2.5090809287301226727e3,
    ),
    (
        1.0,
        4.2313330701600911252e1,
        6.8718700749205790830e2,
        5.3941960214247511077e3,
        2.1213794301586595867e4,
        3.9307895800092710610e4,
        2.8729085735721942674e4,
        5.2264952788528545610e3,
    ),
)
_TAIL = (
    (
        1.42343711074968357734e0,
        4.63033784615654529590e0,
        5.76949722146069140550e0,
        3.64784832476320460504e0,
        1.27045825245236838258e0,
        2.41780725177450611770e-1,
        2.27238449892691845833e-2,
        7.74545014278341407640e-4,
    ),
    (
        1.0,
        2.05319162663775882187e0,
        1.67638483018380384940e0,
        6.89767334985100004550e-1,
        1.48103976427480074590e-1,
        1.51986665636164571966e-2,
        5.47593808499534494600e-4,
        1.05075007164441684324e-9,
    ),
)
_FAR_TAIL = (
    (
        6.65790464350110377720e0,
        5.46378491116411436990e0,
        1.78482653991729133580e0,
        2.96560571828504891230e-1,
        2.65321895265761230930e-2,
        1.24266094738807843860e-3,
        2.71155556874348757815e-5,
        2.01033439929228813265e-7,
    ),
    (
        1.0,
        5.99832206555887937690e-1,
        1.36929880922735805310e-1,
        1.48753612908506148525e-2,
        7.86869131145613259100e-4,
        1.84631831751005468180e-5,
        1.42151175831644588870e-7,
        2.04426310338993978564e-15,
    ),
)


def ppnd16(u: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Compute quantiles of the standard normal distribution to about 1 part in 10^16.

    The order of the operations is the published one: any other implementation that keeps it
    gets the same bits for `|u - 0.5| <= 0.425`. The tails differ by what `log` differs.

    Parameters
    ----------
    u : array_like of float
        Probabilities, strictly inside (0, 1).

    Returns
    -------
    ndarray of float64
        The quantiles, of the shape of `u`.

    References
    ----------
    Wichura (1988), Algorithm AS 241: The percentage points of the normal distribution,
    Applied Statistics 37, 477-484, doi:10.2307/2347330.
    """
    u = np.asarray(u, dtype=np.float64)
    q = u - 0.5
    r = 0.180625 - q * q
    x = np.asarray(q * _horner(_CENTRE[0], r) / _horner(_CENTRE[1], r))
    outer = np.abs(q) > 0.425
    if outer.any():
        tail = u[outer]
        x[outer] = np.copysign(_upper_tail(np.minimum(tail, 1.0 - tail)), q[outer])
    return x


def _upper_tail(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    r = np.sqrt(-np.log(p))
    near = r - 1.6
    x = _horner(_TAIL[0], near) / _horner(_TAIL[1], near)
    far = r > 5.0
    if far.any():
        beyond = r[far] - 5.0
        x[far] = _horner(_FAR_TAIL[0], beyond) / _horner(_FAR_TAIL[1], beyond)
    return x


def _horner(coefficients: tuple[float, ...], x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    value = coefficients[-1] * x + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        value = value * x + coefficient
    return value
