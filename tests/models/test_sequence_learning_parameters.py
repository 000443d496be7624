import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import Memristor
from models.sequence_learning import Connectivity, Inhibitory, Neuron, Parameters, Plasticity, Task
from models.sequence_learning.plasticity import RATES
from models.sequence_learning.weights import derive_weights, inhibitory_drive, psp_to_psc


def test_weights_are_those_of_the_published_model():
    weights = derive_weights(Parameters())
    assert weights.ex == pytest.approx(4.112209, abs=5e-7)
    assert weights.ie == pytest.approx(0.581197, abs=5e-7)
    assert weights.ei == pytest.approx(-12.915497, abs=5e-7)
    assert weights.mature == pytest.approx(0.01298)
    assert weights.primer == pytest.approx(0.0826)
    assert inhibitory_drive(Parameters(), 150) == pytest.approx(0.077493, abs=5e-7)


@given(
    psp=st.floats(-50, 50).filter(lambda psp: abs(psp) > 1e-3),
    cm=st.floats(0.05, 1),
    tau_m=st.floats(2, 30),
    tau_syn=st.floats(0.5, 30),
)
def test_current_evokes_the_wanted_peak(psp, cm, tau_m, tau_syn):
    current = psp_to_psc(psp, cm, tau_m, tau_syn)
    times = np.linspace(0, 12 * max(tau_m, tau_syn), 400_001)
    # Solution of dV/dt = -V/tau_m + I exp(-t/tau_syn)/cm, exact near tau_m = tau_syn too.
    rate = 1 / tau_m - 1 / tau_syn
    ramp = times if rate == 0 else np.expm1(rate * times) / rate
    potential = current / cm * np.exp(-times / tau_m) * ramp
    assert potential[np.abs(potential).argmax()] == pytest.approx(psp, rel=1e-4)


def test_equal_time_constants_are_the_limit_of_unequal_ones():
    assert psp_to_psc(1, 0.25, 10, 10) == pytest.approx(psp_to_psc(1, 0.25, 10, 10.001), rel=1e-3)


@pytest.mark.parametrize(
    ("sequence_set", "n_symbols", "indegree", "tau_h"),
    [("I", 6, 180, 440), ("II", 14, 420, 1560), ("III", 14, 420, 1560), ("12", 12, 360, 880)],
)
def test_sizes_follow_from_the_sequence_set(sequence_set, n_symbols, indegree, tau_h):
    parameters = Parameters(task=Task(sequence_set=sequence_set))
    assert parameters.n_symbols == n_symbols
    assert parameters.n_excitatory == 150 * n_symbols
    assert parameters.indegree == indegree
    assert parameters.tau_h == tau_h


def test_indegree_is_not_lost_to_rounding():
    parameters = Parameters(
        task=Task(sequence_set=("AB",)), connectivity=Connectivity(n_e=50, p=0.29)
    )
    assert 0.29 * 100 < 29
    assert parameters.indegree == 29


def test_alphabet_of_set_one_may_have_unused_symbols():
    task = Task(alphabet="ABCDEFGHIJKLMN")
    assert Parameters(task=task).indegree == 420
    assert task.episode_duration == 440


def test_custom_sequences_use_their_own_letters_and_the_rates_of_set_one():
    task = Task(sequence_set=("XZY", "YZX"))
    assert task.symbols == "XYZ"
    assert task.episode_duration == 2 * (2 * 40 + 100)
    rates = Plasticity().resolved(task)
    assert (rates.lambda_plus, rates.lambda_minus, rates.lambda_h) == RATES["permanence", "I"]


def test_tau_h_can_be_given():
    assert Parameters(neuron=Neuron(tau_h=1000.0)).tau_h == 1000


@pytest.mark.parametrize(
    ("rule", "sequence_set", "expected"),
    [
        ("permanence", "I", (0.08, 0.0015, 0.014, 80, 8)),
        ("permanence", "II", (0.28, 0.0063, 0.024, 80, 8)),
        ("permanence", "III", (0.39, 0.0058, 0.034, 80, 8)),
        ("permanence", "12", (0.08, 0.0015, 0.014, 80, 8)),
        ("binary", "I", (0.0098, 0.0015, 0.014, 50, 8)),
        ("analog", "I", (0.02, 0.003, 0.02, 50, 1 / 12.98)),
    ],
)
def test_defaults_of_each_rule(rule, sequence_set, expected):
    rule = Plasticity(rule=rule).resolved(Task(sequence_set=sequence_set))
    values = (rule.lambda_plus, rule.lambda_minus, rule.lambda_h, rule.dt_max, rule.p_init_max)
    assert values == expected


@pytest.mark.parametrize("sequence_set", ["I", "II", "III"])
def test_binary_increment_is_the_trace_at_the_pairing_of_consecutive_elements(sequence_set):
    traced = RATES["permanence", sequence_set]
    constant = RATES["binary", sequence_set]
    assert constant.lambda_plus == pytest.approx(
        traced.lambda_plus * math.exp(-(40 + 2) / 20), rel=2e-3
    )
    assert constant[1:] == traced[1:]


def test_given_rates_are_kept():
    rule = Plasticity(lambda_plus=0.5, dt_max=60.0, p_init_max=3.0).resolved(Task())
    assert (rule.lambda_plus, rule.lambda_minus) == (0.5, 0.0015)
    assert (rule.dt_max, rule.p_init_max) == (60, 3)


def test_trace_window_follows_the_element_interval():
    assert Plasticity().resolved(Task(delta_t=60.0)).dt_max == 120


def test_rule_without_default_rates_asks_for_them():
    task = Task(sequence_set="III")
    with pytest.raises(ValueError, match="lambda_plus=None.*rule 'analog' on sequence set III"):
        Parameters(task=task, plasticity=Plasticity(rule="analog"))
    given_rates = Plasticity(rule="analog", lambda_plus=0.1, lambda_minus=0.01, lambda_h=0.01)
    assert Parameters(task=task, plasticity=given_rates)


def test_device_is_ideal_by_default():
    assert Parameters().device == Memristor()


def test_parameters_are_hashable_and_comparable():
    assert Parameters() == Parameters()
    assert hash(Parameters()) == hash(Parameters())
    assert dataclasses.replace(Parameters(), record_all=True) != Parameters()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Task(sequence_set="IV"), "Task: sequence_set='IV', need one of I, II, III, 12"),
        (lambda: Task(sequence_set=()), "at least one sequence"),
        (lambda: Task(sequence_set=("AB", "AB")), "each sequence only once"),
        (lambda: Task(sequence_set=("AB", "A")), "sequence='A', need at least two elements"),
        (lambda: Task(alphabet="ABCDE"), "sequence='FDBC'.*'ABCDE' only; add 'F'"),
        (lambda: Task(alphabet="ABCDEFF"), "alphabet='ABCDEFF', need each symbol only once"),
        (lambda: Task(episodes=0), "episodes=0, need an integer >= 1"),
        (lambda: Task(episodes=2.5), "episodes=2.5, need an integer >= 1"),
        (lambda: Task(delta_t=0.0), "delta_t=0.0, need a finite number > 0"),
        (lambda: Task(delta_t=math.nan), "delta_t=nan, need a finite number > 0"),
        (lambda: Task(delta_t_seq=30.0), "delta_t_seq=30.0, need at least delta_t=40.0"),
        (lambda: Task(t_probe=40.0), "t_probe=40.0, need less than delta_t=40.0"),
        (lambda: Task(sequence_set="III", t_start=20.0), "t_start=20.0, need more than 20.0 ms"),
        (lambda: Neuron(tau_m=-1.0), "Neuron: tau_m=-1.0, need a finite number > 0"),
        (lambda: Neuron(v_thresh=0.0), "v_thresh=0.0, need more than v_rest=0.0"),
        (lambda: Inhibitory(v_reset=16.0), "v_thresh=15.0, need more than v_reset=16.0"),
        (lambda: Connectivity(n_e=0), "n_e=0, need an integer >= 1"),
        (lambda: Connectivity(p=1.5), r"p=1.5, need a probability in \(0, 1\]"),
        (lambda: Connectivity(rho=151), "rho=151, need at most n_e=150"),
        (lambda: Connectivity(psp_ei=2.0), "psp_ei=2.0, need a number < 0"),
        (lambda: Plasticity(rule="stdp"), "rule='stdp', need one of permanence, binary, analog"),
        (lambda: Plasticity(lambda_h=-0.1), "lambda_h=-0.1, need a finite number >= 0"),
        (lambda: Plasticity(theta_p=20.0), "theta_p=20.0, need less than p_max=20.0"),
        (
            lambda: Parameters(plasticity=Plasticity(p_init_max=21.0)),
            "p_init_max=21.0, need at most 20.0",
        ),
        (
            lambda: Parameters(plasticity=Plasticity(rule="analog", p_init_max=8.0)),
            "p_init_max=8.0, need at most 1.0",
        ),
        (
            lambda: Parameters(plasticity=Plasticity(p_init_min=9.0)),
            "p_init_min=9.0, need at most p_init_max=8.0",
        ),
        (
            lambda: Parameters(plasticity=Plasticity(dt_min=80.0)),
            "dt_min=80.0, need less than dt_max=80.0",
        ),
        (
            lambda: Parameters(connectivity=Connectivity(p=1.0)),
            "connectivity.p=1.0, need an in-degree from 1 to 899.*change p or n_e",
        ),
        (
            lambda: Parameters(connectivity=Connectivity(delay_ee=0.25)),
            "connectivity.delay_ee=0.25, need a multiple of timestep=0.1",
        ),
        (
            lambda: Parameters(
                task=Task(sequence_set="III"), connectivity=Connectivity(n_e=20, rho=20)
            ),
            "connectivity.rho=20, need less than n_e=20",
        ),
    ],
)
def test_refused_values_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
