"""Conversion of published programming noise into `devices.Memristor.c2c_polynomial`."""

from collections.abc import Sequence


def polynomial_of_conductance(coefficients: Sequence[float], g_max: float) -> tuple[float, ...]:
    """Convert a standard deviation given as a polynomial of the conductance.

    Parameters
    ----------
    coefficients : sequence of float
        Of G in µS, the constant first; the standard deviation in µS.
    g_max : float
        Highest conductance, µS.

    Returns
    -------
    tuple of float
        Coefficients of the polynomial of ``x = G/g_max``; the standard deviation of `x`.
    """
    return tuple(c * g_max ** (power - 1) for power, c in enumerate(coefficients))


def polynomial_of_fraction(coefficients: Sequence[float], g_max: float) -> tuple[float, ...]:
    """Convert a standard deviation in µS given as a polynomial of G/g_max.

    Parameters
    ----------
    coefficients : sequence of float
        Of G/g_max, the constant first; the standard deviation in µS.
    g_max : float
        Highest conductance, µS.

    Returns
    -------
    tuple of float
        The same in units of `g_max`.
    """
    return tuple(c / g_max for c in coefficients)
