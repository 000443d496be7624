"""Product of a batch with a crossbar that has read noise, against the plain numpy product.

784 x 512 weights in differential pairs, 32 input vectors, one thread, CPU time; the contenders
take turns, so that what else the machine does hits all of them.

    python benchmarks/crossbar_matvec.py
"""

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", OMP_NUM_THREADS="1")

import statistics  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402

from devices import Memristor  # noqa: E402
from devices.crossbar import Crossbar  # noqa: E402

N_ROWS, N_COLS, BATCH = 784, 512, 32
N_TURNS = 200


def main() -> None:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(N_ROWS, N_COLS))
    x = rng.uniform(size=(BATCH, N_ROWS))
    noisy = Crossbar(weights, Memristor(on_off_ratio=100.0, sigma_read=0.05))
    quiet = Crossbar(weights, Memristor(on_off_ratio=100.0))
    matrix, single, x_single = noisy.weights(), weights.astype("f4"), x.astype("f4")
    contenders = {
        "numpy, float64": lambda: x @ matrix,
        "numpy, float32": lambda: x_single @ single,
        "crossbar without read noise, float64": lambda: quiet.matvec(x),
        "crossbar with read noise, float64": lambda: noisy.matvec(x),
        "crossbar with read noise, float32": lambda: noisy.matvec(x_single),
    }
    times_ms: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(N_TURNS):
        for name, product in contenders.items():
            start = time.process_time()
            product()
            times_ms[name].append(1e3 * (time.process_time() - start))
    for name, times in times_ms.items():
        median = statistics.median(times)
        plain = statistics.median(times_ms[f"numpy, {name.split()[-1]}"])
        print(f"{name:38} {median:7.3f} ms {median / plain:6.2f} x")


if __name__ == "__main__":
    main()
