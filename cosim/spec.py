"""One point of a study: what to run, on what, with which seed."""

import dataclasses
import hashlib
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from cosim import jsonable
from cosim.errors import InputError
from cosim.parameters import override, ungroup
from cosim.registry import load_model

# Raised when the meaning of a spec changes, so that old results are not taken for new ones.
SCHEMA = 1
# NEST takes seeds from 1 to 2**32 - 1.
MAX_SEED = 2**32 - 1
# More than any machine has; catches a seed or size given in its place.
MAX_THREADS = 4096


@dataclass(frozen=True, eq=False)
class RunSpec:
    """One simulation, reproducible from this description alone.

    Two specs are equal if their `id` is: ``10`` and ``10.0`` are the same value.

    Parameters
    ----------
    model : str
        Entry-point name in ``cosim.models`` or a dotted module path.
    backend : str, optional
        Entry-point name in ``cosim.backends`` or a dotted module path, such as ``"pyNN.mock"``.
    parameters : mapping, optional
        What differs from the model's defaults, by dotted name: ``{"device.on_off_ratio": 10}``. A
        group may be given by a name, ``{"device": "gong2018"}``, or as a dataclass instance, which
        is kept as its leaves; members given beside it are set on top.
    seed : int, optional
        Root of all random numbers, 1 to 2**32 - 1.
    threads : int, optional
        Threads of the simulator. Part of the identity: native random numbers depend on it.

    Raises
    ------
    InputError
        For a seed or a number of threads out of range, or a value that has no JSON form.
    """

    model: str
    backend: str = "nest"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        """Normalise the fields and check their ranges."""
        for name, limit in (("seed", MAX_SEED), ("threads", MAX_THREADS)):
            value = getattr(self, name)
            try:
                number = operator.index(value)
            except TypeError:
                raise InputError(f"{name}={value!r}: need an integer") from None
            if not 1 <= number <= limit:
                raise InputError(f"{name}={number}: need 1 to {limit}")
            object.__setattr__(self, name, number)
        try:
            parameters = {
                str(name): jsonable.plain(value, f"parameter {name!r}")
                for name, value in sorted(expanded(self.parameters).items())
            }
        except TypeError as error:
            raise InputError(str(error)) from None
        object.__setattr__(self, "parameters", MappingProxyType(parameters))

    @property
    def id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self._canonical.encode()).hexdigest()[:12]

    @cached_property
    def _canonical(self) -> str:
        content = self.to_dict()
        content["parameters"] = {
            name: jsonable.canonical(value) for name, value in self.parameters.items()
        }
        return jsonable.dumps(content)

    def __eq__(self, other: object) -> bool:
        """Compare by canonical content."""
        if not isinstance(other, RunSpec):
            return NotImplemented
        return self._canonical == other._canonical

    def __hash__(self) -> int:
        """Hash the canonical content."""
        return hash(self._canonical)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy through JSON, since a MappingProxyType can do neither."""
        return RunSpec.from_json, (self.to_json(),)

    def to_dict(self) -> dict[str, Any]:
        """Return the content for JSON, with the schema number."""
        return {
            "schema": SCHEMA,
            "model": self.model,
            "backend": self.backend,
            "parameters": dict(self.parameters),
            "seed": self.seed,
            "threads": self.threads,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "RunSpec":
        """Invert `to_dict`.

        Raises
        ------
        InputError
            If the content was written with another schema.
        """
        if content.get("schema") != SCHEMA:
            raise InputError(
                f"spec has schema {content.get('schema')!r}, this cosim reads {SCHEMA}"
            )
        return cls(**{item.name: content[item.name] for item in dataclasses.fields(cls)})

    def to_json(self) -> str:
        """Return the spec as strict JSON."""
        return jsonable.dumps(self.to_dict(), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "RunSpec":
        """Read a spec written by `to_json`."""
        return cls.from_dict(jsonable.loads(text))


def expanded(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters with dataclass instances replaced by their leaves.

    Parameters
    ----------
    parameters : mapping
        Dotted name to value.

    Returns
    -------
    dict
        Of the same meaning: what is given beside an instance is set on top of it.
    """
    leaves: dict[str, Any] = {}
    # Sorted, a group comes before its members.
    for name, value in sorted(parameters.items(), key=operator.itemgetter(0)):
        leaves = {key: leaf for key, leaf in leaves.items() if not key.startswith(name + ".")}
        is_instance = dataclasses.is_dataclass(value) and not isinstance(value, type)
        leaves |= ungroup(name, value) if is_instance else {name: value}
    return leaves


def resolve(spec: RunSpec) -> Any:
    """Return the model's validated parameters for one point.

    Parameters
    ----------
    spec : RunSpec
        The point.

    Returns
    -------
    dataclass instance
        The model's `Parameters` with the overrides of the spec; of a model whose parameters have a
        method ``resolved``, what that returns.

    Raises
    ------
    InputError
        For an unknown model or parameter, a wrong type, or a value that the model refuses.
    """
    parameters = load_model(spec.model).Parameters
    try:
        result = override(parameters(), spec.parameters)
        # Defaults that depend on other parameters become numbers: a record must not need the code
        # to be understood.
        return result.resolved() if hasattr(result, "resolved") else result
    except InputError as error:
        raise InputError(f"model {spec.model!r}: {error}") from None
    except (TypeError, ValueError) as error:
        given = ", ".join(f"{name}={value!r}" for name, value in spec.parameters.items())
        raise InputError(
            f"model {spec.model!r} refuses ({given or 'defaults'}): {error}"
        ) from error
