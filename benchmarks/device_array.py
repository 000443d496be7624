"""Programming pulses on an array of 784 x 512 memristive devices: how many a second on one core.

One round is one pulse on every device and its new conductances: all up and all down in turn, or
each device in a direction of its own, drawn anew for each round. The device is the ReRAM of Gong
et al. 2018 (doi:10.1038/s41467-018-04485-1) as fitted by aihwkit's preset ReRamES: exponential
steps, their device-to-device and cycle-to-cycle spread, spread of the bounds, write noise; and the
same without any noise or spread. Contenders:

- cosim: `DeviceArray`, double precision, numbers that depend on seed, device and event only.
- numpy: the same equations as one writes them with whole arrays and numpy's own random numbers, in
  single precision and without counters of the pulses.
- cosim's effects: the numpy functions which the compiled code has to agree with.

All run in this process on one thread and take turns; CPU times, median of the rounds. Compilation
and the first rounds are left out. It fails unless all contenders end with the same mean and
standard deviation of the states. aihwkit 1.2.0 itself did 17-24 million noisy pulses a second with
this preset, measured earlier on one core of a machine under other load: no part of the table.

    python benchmarks/device_array.py
"""

import argparse
import math
import statistics
import time

import numpy as np

from devices import Memristor, Update, effects
from devices.array import DeviceArray
from devices.noise import noise_key

SHAPE = (784, 512)
N = math.prod(SHAPE)
# A weight from -1 to 1 there is a state from 0 to 1 here.
STEP = 0.00135 / 2
UPDATE = Update(
    law="exponential",
    step_up=STEP,
    step_down=STEP * (1 - 0.259359),
    amplitude_up=-1.18445,
    rate_up=-5.0,
    amplitude_down=-0.081404 * math.exp(5),
    rate_down=-5.0,
)
QUIET = Memristor(update=UPDATE)
NOISY = Memristor(
    update=UPDATE,
    sigma_d2d_g_max=0.15,
    sigma_d2d_step=0.2,
    sigma_d2d_asymmetry=0.05,
    sigma_c2c_step=5.0,
    sigma_write=75 * STEP,
)
WARM_UP = 3

Direction = int | np.ndarray


class Compiled:
    """`DeviceArray`."""

    name = "cosim"

    def __init__(self, device: Memristor) -> None:
        self.array = DeviceArray(device, SHAPE, initial=0.5)

    def round(self, direction: Direction) -> np.ndarray:
        self.array.pulse(direction)
        return self.array.conductances()

    @property
    def state(self) -> np.ndarray:
        return self.array.state


class Numpy:
    """What one writes by hand: single precision, whole arrays, numpy's generator."""

    name = "numpy, single precision"

    def __init__(self, device: Memristor) -> None:
        self.device = device
        self.random = np.random.default_rng(1)
        self.state = np.full(SHAPE, 0.5, dtype=np.float32)
        self.high = 1 + np.float32(device.sigma_d2d_g_max) * self.normals()
        step = 1 + np.float32(device.sigma_d2d_step) * self.normals()
        asymmetry = np.float32(device.sigma_d2d_asymmetry) * self.normals()
        self.step_up = np.float32(UPDATE.step_up) * np.abs(step + asymmetry)
        self.step_down = np.float32(UPDATE.step_down) * np.abs(step - asymmetry)

    def normals(self) -> np.ndarray:
        return self.random.standard_normal(SHAPE, dtype=np.float32)

    def round(self, direction: Direction) -> np.ndarray:
        s, device = self.state, self.device
        if np.ndim(direction):
            delta = np.where(direction > 0, self.delta_up(), self.delta_down())
        else:
            delta = self.delta_up() if direction > 0 else self.delta_down()
        if device.sigma_c2c_step:
            delta *= 1 + device.sigma_c2c_step * self.normals()
        self.state = np.clip(s + delta, 0, 1)
        conductances = self.state
        if device.sigma_write:
            conductances = conductances + device.sigma_write * self.normals()
        return np.maximum(self.high * conductances, 0)

    def delta_up(self) -> np.ndarray:
        f = 1 - UPDATE.amplitude_up * np.exp(UPDATE.rate_up * self.state)
        return self.step_up * np.maximum(f, 0)

    def delta_down(self) -> np.ndarray:
        f = 1 - UPDATE.amplitude_down * np.exp(UPDATE.rate_down * (1 - self.state))
        return -self.step_down * np.maximum(f, 0)


class Effects:
    """The numpy functions of `devices.effects`."""

    name = "cosim's effects in numpy"

    def __init__(self, device: Memristor) -> None:
        self.device = device
        self.key = noise_key(1, "array")
        self.index = np.arange(N)
        self.bounds = effects.sample_bounds(device, 1.0, N, self.key)
        self.factors = effects.step_factors(device, self.key, self.index)
        self.life = effects.life(device, self.key, self.index)
        self.state = np.full(N, 0.5)
        self.n_events = np.zeros(N, dtype=np.uint32)

    def round(self, direction: Direction) -> np.ndarray:
        signs = np.broadcast_to(direction, SHAPE).astype(np.int8).reshape(-1)
        self.state, pulsed, _ = effects.pulse(
            self.device,
            self.state,
            signs,
            self.n_events,
            self.key,
            self.index,
            self.factors,
            self.life - self.n_events,
        )
        self.n_events += pulsed
        low, w_range = self.bounds.w_min, self.bounds.w_max - self.bounds.w_min
        return effects.conductance(
            self.device,
            low + w_range * self.state,
            w_range,
            self.n_events,
            self.key,
            self.index,
        )


def measure(device: Memristor, own_directions: bool, repeats: int) -> dict[str, list[float]]:
    """Return the CPU times of the rounds of each contender, s."""
    random = np.random.default_rng(2)
    contenders = [contender(device) for contender in (Compiled, Numpy, Effects)]
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for repeat in range(WARM_UP + repeats):
        direction: Direction = 1 if repeat % 2 == 0 else -1
        if own_directions:
            direction = random.choice(np.array([-1, 1], dtype=np.int8), SHAPE)
        for contender in contenders:
            start = time.process_time()
            contender.round(direction)
            if repeat >= WARM_UP:
                times[contender.name].append(time.process_time() - start)
    check([contender.state for contender in contenders])
    return times


def check(states: list[np.ndarray]) -> None:
    """Fail unless all contenders have states of the same mean and standard deviation."""
    means = [float(state.mean(dtype=np.float64)) for state in states]
    deviations = [float(state.std(dtype=np.float64)) for state in states]
    # Five standard errors of a difference; single precision and quiet states: 1e-5.
    tolerance = 5 * max(deviations) * math.sqrt(2 / N) + 1e-5
    if np.ptp(means) > tolerance or np.ptp(deviations) > tolerance or means[0] == 0.5:
        raise SystemExit(f"the contenders disagree: means {means}, deviations {deviations}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Programming pulses on an array of devices")
    parser.add_argument("--repeats", type=int, default=21, help="rounds measured, at least 7")
    repeats = max(parser.parse_args().repeats, 7)
    print("| pulses | contender | million pulses/s | range | cosim is |")
    print("|---|---|---:|---:|---:|")
    for label, device, own_directions in (
        ("with noise", NOISY, False),
        ("with noise, own directions", NOISY, True),
        ("without noise", QUIET, False),
        ("without noise, own directions", QUIET, True),
    ):
        times = measure(device, own_directions, repeats)
        ours = statistics.median(times[Compiled.name])
        for name, seconds in times.items():
            median = statistics.median(seconds)
            ratio = "" if name == Compiled.name else f"{median / ours:.1f} times as fast"
            low, high = N / max(seconds) / 1e6, N / min(seconds) / 1e6
            print(f"| {label} | {name} | {N / median / 1e6:.1f} | {low:.1f}-{high:.1f} | {ratio} |")


if __name__ == "__main__":
    main()
