"""The contract of every memristive device, for the generic one."""

from cosim.testing import DeviceContract
from devices import Memristor, Update


class TestIdeal(DeviceContract):
    device = Memristor()


class TestWithEverything(DeviceContract):
    device = Memristor(
        on_off_ratio=12.0, n_levels=16, sigma_d2d_g_max=0.2, sigma_d2d_g_min=0.3, sigma_c2c=0.05,
        sigma_read=0.1, stuck_on=0.05, stuck_off=0.1,
    )  # fmt: skip


class TestNoiseAtEachSpike(DeviceContract):
    device = Memristor(on_off_ratio=3.0, sigma_c2c=0.1, c2c_event="pre_spike")


class TestPulses(DeviceContract):
    device = Memristor(
        on_off_ratio=30.0, level_means=(0.0, 0.1, 0.4, 1.0), level_sigmas=(0.0, 0.01, 0.02, 0.01),
        update=Update(law="power", step_up=0.02, step_down=0.01, exponent_up=2.0), stuck_random=0.1,
        sigma_d2d_step=0.3, step_distribution="log-normal", sigma_d2d_gain=0.1, d2d_truncation=3.0,
        sigma_flicker=0.05, sigma_write=0.02, drift_nu=0.03, endurance=1e5,
    )  # fmt: skip
