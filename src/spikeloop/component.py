"""A component is a description: an immutable module of hyperparameters that holds no arrays of its own.

Arrays live apart, in the parameters and states that a component makes. Because a component is nothing but its fields,
it can be written as JSON and built again (`describe`, `build`), edited field by field from the command line, and
compared. Building from JSON looks a class up by name among the components that are loaded, after the library's own at
need: it imports nothing that the JSON names, and never runs code.
"""

import dataclasses
import importlib
import inspect
import math
import numbers
import typing
from typing import Any, TypeVar

import equinox as eqx
import typeguard

from spikeloop.errors import InvalidInput

# Not typing.Self, which beartype refuses on the single methods that jaxtyping's import hook decorates.
SomeComponent = TypeVar("SomeComponent", bound="Component")


class Component(eqx.Module):
    """Base of every description. Subclasses are abstract or final; fields are numbers, strings, tuples, other components."""

    def with_fields(self: SomeComponent, **changes: Any) -> SomeComponent:
        """A copy with some fields replaced. Raises InvalidInput for a field that does not exist."""
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise InvalidInput(f"{type(self).__name__} has no field {name!r}; it has {', '.join(known)}")
        return dataclasses.replace(self, **changes)


def components() -> dict[str, type[Component]]:
    """Every final component class that is loaded, by the name that stands for it in JSON.

    The library's own classes go by their bare name; a user's class by ``module:Name``.
    """
    found: dict[str, type[Component]] = {}
    pending = [Component]
    while pending:
        for cls in pending.pop().__subclasses__():
            pending.append(cls)
            if not inspect.isabstract(cls) and not cls.__name__.startswith("Abstract"):
                found[component_name(cls)] = cls
    return found


def component_name(cls: type) -> str:
    """The name that stands for a component class in JSON."""
    return cls.__name__ if cls.__module__.split(".")[0] == "spikeloop" else f"{cls.__module__}:{cls.__name__}"


def describe(value: Any) -> Any:
    """The JSON form of a description: ``{"type": "LeakyIntegrateAndFire", "tau": 2.0}`` and so on, recursively."""
    if isinstance(value, Component):
        fields = {field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": component_name(type(value)), **fields}
    if isinstance(value, dict):
        return {"type": "dict", "items": {str(key): describe(item) for key, item in value.items()}}
    if isinstance(value, tuple):
        return [describe(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"type": "float", "value": repr(value)}
    raise InvalidInput(f"a description cannot hold {type(value).__name__}; use numbers, strings, tuples or components")


# No description of ours is nested half as deeply; what is nested deeper comes from somebody who means harm.
DEEPEST = 32


def build(data: Any) -> Any:
    """The description that `describe` wrote. Raises InvalidInput for unknown types or fields; never runs code."""
    return _build(data, 0)


def _known(name: str) -> "type[Component] | None":
    if name not in components() and ":" not in name:
        importlib.import_module("spikeloop.catalogue")  # which imports every component of the library, the papers' too
    return components().get(name)


def _build(data, depth):
    if depth > DEEPEST:
        raise InvalidInput(f"a description is nested at most {DEEPEST} deep")
    if isinstance(data, list):
        return tuple(_build(item, depth + 1) for item in data)
    if not isinstance(data, dict):
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        raise InvalidInput(f"a description cannot hold {type(data).__name__}")
    data = dict(data)
    name = data.pop("type", None)
    if name == "dict" and isinstance(data.get("items"), dict):
        return {key: _build(item, depth + 1) for key, item in data["items"].items()}
    if name == "float" and data.get("value") in ("inf", "-inf", "nan"):
        return float(data["value"])
    cls = _known(name) if isinstance(name, str) else None
    if cls is None:
        hint = "" if not isinstance(name, str) or ":" not in name else f"; import {name.split(':')[0]!r} first"
        raise InvalidInput(f"unknown component {name!r}{hint}")
    known = {field.name for field in dataclasses.fields(cls)}
    for field in data:
        if field not in known:
            raise InvalidInput(f"{name} has no field {field!r}; it has {', '.join(sorted(known))}")
    values = {field: _build(item, depth + 1) for field, item in data.items()}
    hints = typing.get_type_hints(cls)
    for field, value in values.items():
        try:
            typeguard.check_type(value, hints[field])
        except typeguard.TypeCheckError:
            raise InvalidInput(f"{name}.{field} cannot be {_short(value)}") from None
    try:
        return cls(**values)
    except TypeError as error:
        raise InvalidInput(f"{name}: {error}") from None


def _short(value):
    """A value as a message shows it: on one line, and cut where it is long."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= 120 else f"{shown[:117]}..."


def one_line(cls: type) -> str:
    """The first line of a class's docstring, as `spikeloop list` prints it."""
    return (inspect.getdoc(cls) or "").split("\n")[0]


def require(component: Any, field: str, condition: Any, rule: str) -> None:
    """Raise InvalidInput ``Class.field must be RULE, got VALUE`` unless the condition holds.

    A field that holds an array (a sweep's axis, a tracer) is not checked: its values are not known here.
    """
    value = getattr(component, field)
    known = isinstance(value, numbers.Number | str | tuple | dict) or value is None
    try:
        holds = not known or condition(value)
    except OverflowError:  # a whole number beyond every float
        holds = False
    if not holds:
        raise InvalidInput(f"{type(component).__name__}.{field} must be {rule}, got {_short(value)}")


def require_positive(component: Any, *fields: str) -> None:
    """Each field must be a finite number above zero."""
    for field in fields:
        require(component, field, lambda value: math.isfinite(value) and value > 0, "a positive finite number")


def require_finite(component: Any, *fields: str) -> None:
    """Each field must be a finite number."""
    for field in fields:
        require(component, field, math.isfinite, "a finite number")


def require_between(component: Any, low: float, high: float, *fields: str) -> None:
    """Each field must lie in the closed interval from low to high."""
    for field in fields:
        require(component, field, lambda value: low <= value <= high, f"between {low:g} and {high:g}")


def require_count(component: Any, *fields: str, least: int = 1) -> None:
    """Each field must be a whole number of at least `least`."""
    for field in fields:
        rule = f"a whole number of at least {least}"
        require(
            component,
            field,
            lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least,
            rule,
        )


def require_count_each(component: Any, field: str) -> None:
    """The field must be a whole number above zero, or a non-empty tuple of them: one for all, or one for each."""

    def holds(value):
        counts = value if isinstance(value, tuple) else (value,)
        return len(counts) > 0 and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in counts)

    require(component, field, holds, "a positive whole number, or a tuple of them")


def require_counts(component: Any, field: str, least: int = 1) -> None:
    """The field must be a tuple of whole numbers above zero, with at least `least` entries."""

    def holds(counts):
        return len(counts) >= least and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in counts)

    require(component, field, holds, f"a {'non-empty ' if least else ''}tuple of positive whole numbers")


def require_ticks(component: Any, tick: float, *fields: str, least: int = 1) -> None:
    """Each field, or each entry of a tuple, must be a whole number of ticks, at least `least`."""

    def whole(duration):
        ticks = duration / tick
        return math.isfinite(ticks) and round(ticks) >= least and abs(ticks - round(ticks)) < 1e-6

    rule = f"a multiple of {tick:g} ms, a tick, and at least {least * tick:g} ms"
    for field in fields:
        require(component, field, lambda value: all(map(whole, value if isinstance(value, tuple) else (value,))), rule)
