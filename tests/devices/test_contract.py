"""The contract of every memristive device, for the generic one."""

from cosim.testing import DeviceContract
from devices import Memristor


class TestIdeal(DeviceContract):
    device = Memristor()


class TestWithEverything(DeviceContract):
    device = Memristor(
        on_off_ratio=12.0, n_levels=16, sigma_d2d_g_max=0.2, sigma_d2d_g_min=0.3, sigma_c2c=0.05,
        sigma_read=0.1, stuck_on=0.05, stuck_off=0.1,
    )  # fmt: skip


class TestNoiseAtEachSpike(DeviceContract):
    device = Memristor(on_off_ratio=3.0, sigma_c2c=0.1, c2c_event="pre_spike")
