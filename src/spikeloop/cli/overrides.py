"""From the words of a command line to the fields of a component: tyro parses, we choose the components.

``--learner.policy.ticks 4`` sets a field. ``--learner.policy.network.neuron LeakyIntegrateAndFire`` puts another
component in its place, with its defaults, whose own fields can then be set in the same command line.
"""

import contextlib
import dataclasses
import difflib
import io
import re
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from spikeloop.component import Component, components
from spikeloop.errors import InvalidInput

T = TypeVar("T", bound=Component)


def override(default: T, words: Sequence[str], program: str) -> T:
    """A copy of a component with the fields replaced that the words name. Raises InvalidInput in one line."""
    replaced, words = _replace_components(default, list(words))
    default = cast(T, replaced)
    if not words:
        return default
    if any(word in ("-h", "--help") for word in words):
        _parse(default, ["--help"], program)
    _require_known(default, words, program)
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            return _parse(default, words, program)
    except SystemExit:
        raise InvalidInput(f"{_one_line(output.getvalue())}; see `{program} --help`") from None


def _parse(default, words, program):
    import tyro  # reading the docstrings of all fields takes a quarter of a second

    return tyro.cli(type(default), default=default, args=words, prog=program, config=(tyro.conf.AvoidSubcommands,))


def fields(component: Component, prefix: str = "") -> dict[str, Any]:
    """Every field of a component and of those within it, by the dotted name that it has on the command line."""
    found: dict[str, Any] = {}
    items = {field.name: getattr(component, field.name) for field in dataclasses.fields(component)}
    for name, value in items.items():
        dotted = prefix + name.replace("_", "-")
        found[dotted] = value
        if isinstance(value, Component):
            found.update(fields(value, dotted + "."))
        if isinstance(value, dict):
            for key, item in value.items():
                found[f"{dotted}.{key}"] = item
                if isinstance(item, Component):
                    found.update(fields(item, f"{dotted}.{key}."))
    return found


def _replace_components(default, words):
    rest = []
    while words:
        word = words.pop(0)
        name, value = (word[2:].split("=", 1) + [None])[:2] if word.startswith("--") else (word, None)
        old = fields(default).get(name)
        if not word.startswith("--") or not isinstance(old, Component):
            rest.append(word)
            continue
        value = value if value is not None else (words.pop(0) if words else "")
        default = _with(default, name.split("."), _component(name, old, value))
    return default, rest


def _component(name, old, value):
    kind = _family(type(old))
    known = {key: cls for key, cls in components().items() if issubclass(cls, kind)}
    if value not in known:
        raise InvalidInput(f"--{name}: {value!r} is not one of {', '.join(sorted(known))}")
    try:
        return known[value]()
    except TypeError:
        # No defaults for every field: keep the old component's where they share a name.
        given = {f.name: getattr(old, f.name) for f in dataclasses.fields(known[value]) if hasattr(old, f.name)}
        try:
            return known[value](**given)
        except TypeError:
            raise InvalidInput(f"--{name}: {value} has fields without a default; set it in a Python file") from None


def _family(cls):
    """The abstract class that names the kind of a component: the one directly below Component."""
    return next(parent for parent in reversed(cls.__mro__) if issubclass(parent, Component) and parent is not Component)


def _with(component, path, value):
    if not path:
        return value
    name = path[0].replace("-", "_")
    old = getattr(component, name)
    if isinstance(old, dict):
        return dataclasses.replace(component, **{name: {**old, path[1]: _with(old[path[1]], path[2:], value)}})
    return dataclasses.replace(component, **{name: _with(old, path[1:], value)})


def _require_known(default, words, program):
    known = fields(default)
    for word in words:
        if not word.startswith("--"):
            continue
        name = word[2:].split("=", 1)[0].replace("_", "-")
        bare = name.rsplit(".", 1)[0] + "." + name.rsplit(".", 1)[1].removeprefix("no-") if "." in name else name
        if name in known or bare in known:
            continue
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean --{close[0]}?" if close else f"`{program} --help` lists them"
        raise InvalidInput(f"there is no field --{name}; {hint}")


def _one_line(text):
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip(" │|") for line in text.splitlines()]
    kept = [line for line in lines if line and not re.match(r"^[╭╰─┌└]", line) and "full helptext" not in line]
    # Boxes are drawn with dashes where the terminal knows no other lines.
    words = " ".join(re.sub(r"-{4,}", " ", " ".join(kept)).split())
    # A component says itself which it is; an option is named.
    return re.sub(r"^Value error Error parsing (?:(--\S+: )|\S+: )", r"\1", words) or "the command line cannot be read"
