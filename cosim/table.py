"""One tidy table per study: a row per point, a column per swept parameter and metric."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim import jsonable
from cosim.parameters import flatten
from cosim.record import RunRecord
from cosim.spec import resolve
from cosim.store import write_atomic
from cosim.sweep import Sweep

if TYPE_CHECKING:
    import pandas

# Key of the provenance in the metadata of the Parquet schema.
METADATA_KEY = b"cosim"


def build(sweep: Sweep, records: "Sequence[RunRecord | None]") -> "pandas.DataFrame":
    """Return the results of a sweep.

    Parameters
    ----------
    sweep : Sweep
        The study.
    records : sequence of RunRecord or None
        One for each of ``sweep.points()``; None where a point has not run.

    Returns
    -------
    pandas.DataFrame
        Columns ``point`` (id), ``model``, ``backend``, ``variant`` (with variants only), every
        swept parameter by dotted name, ``seed``, ``threads``, ``status`` (done, failed or
        pending), ``wall_s``, every metric, ``error``. A metric of a point that is not done is NaN.
        A parameter that is None is a missing value; one that mixes kinds, or holds tuples, is
        given as JSON text. A group set by an axis is a column with its names.
    """
    import pandas as pd

    points = sweep.labelled_points
    parameters = [flatten(resolve(spec)) for _, spec in points]
    specs = [spec for _, spec in points]
    columns: dict[str, Any] = {
        "point": [spec.id for spec in specs],
        "model": [spec.model for spec in specs],
        "backend": [spec.backend for spec in specs],
    }
    if sweep.variants:
        columns["variant"] = [label for label, _ in points]
    for name in sweep.swept:
        # A group that is given by a name is none of the leaves.
        columns[name] = _parameter_column(
            [
                leaves.get(name, spec.parameters.get(name))
                for leaves, spec in zip(parameters, specs, strict=True)
            ]
        )
    columns["seed"] = [spec.seed for spec in specs]
    columns["threads"] = [spec.threads for spec in specs]
    columns["status"] = [record.status if record else "pending" for record in records]
    wall = [record.wall_s if record else None for record in records]
    columns["wall_s"] = pd.Series(wall, dtype=float)
    for name in dict.fromkeys(name for record in records if record for name in record.metrics):
        values = [
            record.metrics.get(name) if record and record.status == "done" else None
            for record in records
        ]
        columns[name] = pd.Series(values, dtype=float)
    errors = [record.error if record else None for record in records]
    columns["error"] = pd.Series(errors, dtype="str")
    return pd.DataFrame(columns)


def _parameter_column(values: list[Any]) -> "pandas.Series":
    import pandas as pd

    kinds = {type(value) for value in values} - {type(None)}
    missing = any(value is None for value in values)
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean" if missing else bool)
    if kinds == {int}:
        return pd.Series(values, dtype="Int64" if missing else "int64")
    if kinds and kinds <= {int, float}:
        return pd.Series(values, dtype=float)
    if kinds <= {str}:
        return pd.Series(values, dtype="str")
    return pd.Series([jsonable.dumps(value) for value in values], dtype="str")


def provenance(sweep: Sweep, records: "Sequence[RunRecord | None]") -> dict[str, Any]:
    """Return what the table was made from: the sweep, and every distinct origin of its points."""
    origins = [record.provenance for record in records if record]
    return {
        "sweep": sweep.describe(),
        "versions": _distinct(origin["versions"] for origin in origins),
        "git": _distinct(origin["git"] for origin in origins),
        "hosts": _distinct(origin["host"] for origin in origins),
    }


def _distinct(items: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def write(
    frame: "pandas.DataFrame",
    sweep: Sweep,
    records: "Sequence[RunRecord | None]",
    folder: Path,
) -> None:
    """Write ``results.parquet``, with provenance in its schema metadata, and ``results.csv``."""
    import pyarrow
    import pyarrow.parquet

    content = pyarrow.Table.from_pandas(frame, preserve_index=False)
    metadata = dict(content.schema.metadata)
    metadata[METADATA_KEY] = jsonable.dumps(provenance(sweep, records)).encode()
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(content.replace_schema_metadata(metadata), buffer)
    write_atomic(folder / "results.parquet", buffer.getvalue())
    write_atomic(folder / "results.csv", frame.to_csv(index=False).encode())
