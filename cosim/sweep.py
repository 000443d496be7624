"""A study as data: which points to run."""

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cosim.backends import check_threads
from cosim.errors import InputError
from cosim.record import RESERVED_COLUMNS
from cosim.spec import RunSpec, expanded, resolve

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Sweep:
    """Every combination of axes, variants, backends and seeds.

    Each parameter is set in one place only: `base`, an axis, or the variants.

    Parameters
    ----------
    name : str
        Name of the study and of its results folder.
    model : str
        Entry-point name in ``cosim.models`` or a dotted module path.
    axes : mapping of str to sequence, optional
        Dotted parameter name to its values.
    base : mapping, optional
        Dotted parameter name to the one value it has at every point.
    seeds : iterable of int, optional
        Seeds, the same at every combination.
    backends : iterable of str, optional
        Backends, see `cosim.backend`.
    threads : int, optional
        Threads of each simulation.
    variants : mapping of str to mapping, optional
        Label to overrides that vary together; the label is the column ``variant`` of the results.

    Raises
    ------
    InputError
        For an invalid name, an empty axis, a value given twice, or a parameter set in two places.
    """

    name: str
    model: str
    axes: Mapping[str, Iterable[Any]] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=dict)
    seeds: Iterable[int] = range(1, 6)
    backends: Iterable[str] = ("nest",)
    threads: int = 1
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Copy the fields into plain containers and check them."""
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"sweep name {self.name!r}: it names a folder, use letters, digits, '_', '-', '.'"
            )
        axes = {name: _values(f"axis {name!r}", values) for name, values in self.axes.items()}
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "base", dict(self.base))
        object.__setattr__(self, "seeds", _values("seeds", self.seeds))
        object.__setattr__(self, "backends", _values("backends", self.backends))
        variants = {label: dict(overrides) for label, overrides in self.variants.items()}
        object.__setattr__(self, "variants", variants)
        self._check_set_once()
        self._check_distinct()

    def _check_set_once(self) -> None:
        in_variants = set().union(*self.variants.values())
        places = {"base": set(self.base), "axes": set(self.axes), "variants": in_variants}
        for (first, names), (second, others) in itertools.combinations(places.items(), 2):
            if names & others:
                raise InputError(
                    f"sweep {self.name!r}: {', '.join(sorted(names & others))} is set in both "
                    f"{first} and {second}: keep one"
                )

    def _check_distinct(self) -> None:
        seen: dict[str, RunSpec] = {}
        for spec in self.points():
            if spec.id in seen:
                raise InputError(
                    f"sweep {self.name!r} has the same point twice: {spec.backend}, "
                    f"seed {spec.seed}, {dict(spec.parameters)}"
                )
            seen[spec.id] = spec

    def points(self) -> list[RunSpec]:
        """Return all points; seeds vary fastest, then axes, variants and backends."""
        return [spec for _, spec in self.labelled_points]

    @cached_property
    def labelled_points(self) -> list[tuple[str | None, RunSpec]]:
        """All points, each with the label of its variant (None without variants)."""
        variants: list[tuple[str | None, Mapping[str, Any]]]
        variants = [*self.variants.items()] or [(None, {})]
        combinations = itertools.product(
            self.backends,
            variants,
            itertools.product(*self.axes.values()),
            self.seeds,
        )
        points = []
        for backend, (label, overrides), values, seed in combinations:
            parameters = {**self.base, **overrides, **dict(zip(self.axes, values, strict=True))}
            points.append((label, RunSpec(self.model, backend, parameters, seed, self.threads)))
        return points

    @property
    def swept(self) -> tuple[str, ...]:
        """Names of the parameters that an axis or a variant sets; of an instance its leaves."""
        of_axes = ((name, value) for name, values in self.axes.items() for value in values)
        of_variants = itertools.chain.from_iterable(v.items() for v in self.variants.values())
        settings = itertools.chain(of_axes, of_variants)
        names = itertools.chain.from_iterable(expanded({name: value}) for name, value in settings)
        return tuple(dict.fromkeys(names))

    def validate(self) -> None:
        """Check every point, without running any.

        Raises
        ------
        InputError
            For an unknown model, backend or parameter, a value that the model refuses, a missing
            simulator, or threads that a backend does not have.
        """
        for name in self.backends:
            check_threads(name, self.threads)
        clashes = RESERVED_COLUMNS.intersection(self.swept)
        if clashes:
            raise InputError(
                f"sweep {self.name!r}: {', '.join(clashes)} is also a column of the results: "
                "rename the parameter"
            )
        for spec in self.points():
            resolve(spec)

    def describe(self) -> dict[str, Any]:
        """Return the sweep as JSON-able content, with the ids of its points."""
        return {
            "name": self.name,
            "model": self.model,
            "axes": {
                name: [_described(name, value) for value in values]
                for name, values in self.axes.items()
            },
            "base": expanded(self.base),
            "variants": {label: expanded(variant) for label, variant in self.variants.items()},
            "seeds": self.seeds,
            "backends": self.backends,
            "threads": self.threads,
            "points": [spec.id for spec in self.points()],
        }


def _described(name: str, value: Any) -> Any:
    """Return a value of an axis for JSON, an instance as its leaves."""
    leaves = expanded({name: value})
    return leaves if leaves.keys() != {name} else leaves[name]


def _values(what: str, values: Iterable[Any]) -> tuple[Any, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{what}: {values!r} is one value, need a list of values")
    values = tuple(values)
    if not values:
        raise InputError(f"{what}: no values given")
    return values
