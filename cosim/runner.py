"""Run one point in this process."""

import math
import time
import traceback
from collections.abc import Callable, Mapping, Set
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from cosim.backends import backend, check_threads
from cosim.parameters import flatten
from cosim.provenance import peak_rss_mb, provenance
from cosim.record import RESERVED_COLUMNS, RunRecord
from cosim.registry import load_model, model_folder
from cosim.spec import RunSpec, resolve


def run(spec: RunSpec, progress: Callable[[float], None] | None = None) -> RunRecord:
    """Simulate one point.

    Parameters
    ----------
    spec : RunSpec
        The point.
    progress : callable, optional
        Called with the completed fraction, 0 to 1.

    Returns
    -------
    RunRecord
        With ``status="failed"`` and the traceback if the model or the simulator raised.

    Raises
    ------
    InputError
        If the spec cannot be run at all: unknown names, refused values, a missing simulator.
    """
    parameters = resolve(spec)
    leaves = flatten(parameters)
    check_threads(spec.backend, spec.threads)
    sim = backend(spec.backend)
    model = load_model(spec.model)
    metrics: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    error = trace = mapping = None
    started = datetime.now(UTC).isoformat(timespec="seconds")
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        (raw_metrics, raw_arrays), mapping = _simulate(
            sim, model, spec, parameters, progress or _ignore
        )
        metrics = _metrics(raw_metrics, RESERVED_COLUMNS | leaves.keys())
        arrays = _arrays(raw_arrays)
        _refuse_nan(metrics, model)
    except Exception as exception:
        error = traceback.format_exception_only(exception)[-1].strip().splitlines()[0]
        trace = traceback.format_exc()
    return RunRecord(
        spec=spec,
        parameters=leaves,
        status="done" if error is None else "failed",
        metrics=metrics,
        error=error,
        traceback=trace,
        provenance=provenance(model_folder(model)),
        started=started,
        wall_s=time.perf_counter() - wall,
        cpu_s=time.process_time() - cpu,
        peak_rss_mb=peak_rss_mb(),
        array_names=tuple(arrays),
        arrays=arrays,
        mapping=mapping,
    )


def _ignore(fraction: float) -> None:
    del fraction


def _simulate(
    sim: ModuleType,
    model: ModuleType,
    spec: RunSpec,
    parameters: Any,
    progress: Callable[[float], None],
) -> tuple[tuple[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any] | None]:
    """Return metrics and arrays, and what the target had to change if it has a report of it."""
    sim.setup(
        timestep=parameters.timestep,
        min_delay="auto",
        threads=spec.threads,
        rng_seed=spec.seed,
    )
    try:
        found = model.simulate(sim, parameters, seed=spec.seed, progress=progress)
        report = getattr(sim, "mapping_report", None)
        return found, report().to_dict() if report else None
    finally:
        sim.end()


def _metrics(raw: Mapping[str, Any], taken: Set[str]) -> dict[str, float]:
    metrics = {}
    for name, value in raw.items():
        if name in taken:
            raise ValueError(f"metric {name!r} is also a parameter or result column: rename it")
        try:
            metrics[name] = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"metric {name!r}: {value!r} is not a number") from None
    return metrics


def _arrays(raw: Mapping[str, Any]) -> dict[str, Any]:
    import numpy as np

    arrays = {name: np.asarray(value) for name, value in raw.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects: store numbers or strings")
    return arrays


def _refuse_nan(metrics: Mapping[str, float], model: ModuleType) -> None:
    """Fail on a metric that is NaN, unless the model names it in ``nan_metrics``."""
    allowed: Set[str] = getattr(model, "nan_metrics", frozenset())
    undefined = [
        name for name, value in metrics.items() if math.isnan(value) and name not in allowed
    ]
    if undefined:
        raise ValueError(
            f"metrics {', '.join(undefined)} are NaN; where a metric can be undefined, "
            f"name it in {model.__name__}.nan_metrics"
        )
