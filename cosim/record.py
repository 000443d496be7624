"""The result of one point, with all that is needed to trust it later."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cosim import jsonable
from cosim.errors import InputError
from cosim.spec import RunSpec

if TYPE_CHECKING:
    import numpy

SCHEMA = 1


# Columns of the table of results beside parameters and metrics, which must not bear these names.
RESERVED_COLUMNS = frozenset(
    {"point", "model", "backend", "variant", "seed", "threads", "status", "wall_s", "error"}
)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """Result and provenance of one point.

    Parameters
    ----------
    spec : RunSpec
        What was asked for.
    parameters : mapping
        Every parameter of the model by dotted name, defaults included.
    status : {'done', 'failed'}
        Whether the metrics can be used.
    metrics : mapping of str to float
        What the model reports.
    error : str or None
        Of a failed point: one line that says why.
    traceback : str or None
        Of a failed point: the Python traceback or the last lines of its log.
    provenance : mapping
        See `cosim.provenance.provenance`.
    started : str
        Start in UTC, ISO 8601.
    wall_s, cpu_s : float
        Elapsed time and processor time of all threads (s); `cpu_s` is NaN if the process died.
    peak_rss_mb : float
        Largest resident memory of the process (MB); NaN if the process died.
    array_names : tuple of str
        Names of the arrays beside the record.
    arrays : mapping of str to numpy.ndarray
        The arrays themselves. A record read from disk reads each when it is asked for.
    mapping : mapping or None
        Of a target that cannot realise every network exactly: what it had to change, the
        ``to_dict()`` of its mapping report.
    """

    spec: RunSpec
    parameters: Mapping[str, Any]
    status: Literal["done", "failed"]
    metrics: Mapping[str, float]
    error: str | None
    traceback: str | None
    provenance: Mapping[str, Any]
    started: str
    wall_s: float
    cpu_s: float
    peak_rss_mb: float
    array_names: tuple[str, ...] = ()
    arrays: "Mapping[str, numpy.ndarray]" = field(default_factory=dict, repr=False, compare=False)
    mapping: Mapping[str, Any] | None = None

    def to_json(self) -> str:
        """Return the record, without the arrays, as strict JSON."""
        names = [item.name for item in dataclasses.fields(self) if item.name != "arrays"]
        content = {name: getattr(self, name) for name in names}
        return jsonable.dumps(
            {"schema": SCHEMA} | content | {"spec": self.spec.to_dict()}, indent=1
        )

    @classmethod
    def from_json(cls, text: str) -> "RunRecord":
        """Read a record written by `to_json`.

        Raises
        ------
        ValueError
            If the text is not a complete record of this schema.
        """
        content = jsonable.loads(text)
        if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
            raise InputError(f"not a record of schema {SCHEMA}")
        try:
            content["spec"] = RunSpec.from_dict(content["spec"])
            content["parameters"] = {
                name: jsonable.plain(value, name) for name, value in content["parameters"].items()
            }
            content["array_names"] = tuple(content["array_names"])
            return cls(**content)
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"incomplete record: {error}") from error
