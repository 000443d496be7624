import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import Memristor, UnknownParameterError
from devices.energy import costs

ELECTRICAL = Memristor(
    on_off_ratio=4.0, g_max=80.0, v_set=2.0, v_reset=1.5, v_read=0.2,
    t_set_ns=50.0, t_reset_ns=100.0, t_read_ns=10.0,
)  # fmt: skip
GIVEN = dataclasses.replace(ELECTRICAL, e_set_pj=0.6, e_reset_pj=0.7, e_read_pj=0.1)


def test_given_energies_are_used():
    cost = costs(GIVEN, 2, 3, 5)
    assert cost.energy_pj == pytest.approx(2 * 0.6 + 3 * 0.7 + 5 * 0.1)
    assert cost.latency_ns_sequential == cost.latency_ns_parallel == 2 * 50 + 3 * 100 + 5 * 10


def test_other_energies_are_joule_heat_in_the_middle_of_the_range():
    # 50 µS: half way between 20 and 80.
    assert costs(ELECTRICAL, 1, 0, 0).energy_pj == pytest.approx(1e12 * 2.0**2 * 50e-6 * 50e-9)
    assert costs(ELECTRICAL, 0, 1, 0).energy_pj == pytest.approx(1e12 * 1.5**2 * 50e-6 * 100e-9)
    assert costs(ELECTRICAL, 0, 0, 1).energy_pj == pytest.approx(1e12 * 0.2**2 * 50e-6 * 10e-9)


def test_or_at_given_conductances():
    cost = costs(ELECTRICAL, [1, 2], 0, 0, conductance_us=[10.0, 30.0])
    assert cost.energy_pj == pytest.approx(1e12 * 2.0**2 * (10e-6 + 2 * 30e-6) * 50e-9)


def test_published_pulses():
    # V²·G·t of TaOx/HfOx (Wu et al. 2018: 1.6 V, 100 kΩ, 50 ns): 1.3 pJ.
    device = Memristor(g_max=10.0, v_set=1.6, t_set_ns=50.0)
    assert costs(device, 1, 0, 0, conductance_us=10.0).energy_pj == pytest.approx(1.28)


counts = st.lists(st.integers(0, 10**6), min_size=3, max_size=3)


@given(first=counts, second=counts, device=st.sampled_from([ELECTRICAL, GIVEN]))
def test_costs_add_up_and_are_proportional_to_events(first, second, device):
    one, other = costs(device, *first), costs(device, *second)
    both = costs(device, *np.add(first, second))
    assert both.energy_pj == pytest.approx(one.energy_pj + other.energy_pj)
    assert both.latency_ns_sequential == pytest.approx(
        one.latency_ns_sequential + other.latency_ns_sequential
    )
    assert costs(device, *np.multiply(first, 3)).energy_pj == pytest.approx(3 * one.energy_pj)


def test_devices_side_by_side_take_as_long_as_the_slowest():
    cost = costs(GIVEN, [3, 0], [0, 2], 1)
    assert cost.latency_ns_sequential == 3 * 50 + 2 * 100 + 2 * 10
    assert cost.latency_ns_parallel == 2 * 100 + 10


def test_nothing_costs_nothing():
    cost = costs(Memristor(), 0, [0, 0], 0)
    assert (cost.energy_pj, cost.latency_ns_sequential, cost.latency_ns_parallel) == (0, 0, 0)
    assert costs(Memristor(), [], [], []).energy_pj == 0


@pytest.mark.parametrize("name", ["v_set", "t_set_ns", "g_max", "on_off_ratio"])
def test_what_is_needed_must_be_known(name):
    device = dataclasses.replace(ELECTRICAL, **{name: None})
    with pytest.raises(UnknownParameterError, match=f"{name} is unknown and needed for .* set"):
        costs(device, 1, 0, 0)
    costs(device, 0, 0, 0)


def test_negative_numbers_are_refused():
    with pytest.raises(ValueError, match="costs: -2.0 reset events, need a number >= 0"):
        costs(GIVEN, 1, [3, -2], 0)
