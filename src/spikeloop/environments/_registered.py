"""What the adapters on the host ask Gymnasium's registry: an environment by name, bare, and its action space."""

import copy
import difflib
import re
from typing import Any

import gymnasium
import numpy as np

from spikeloop.environments._base import Box, Discrete
from spikeloop.errors import InvalidInput


def registration(name: str) -> Any:
    """What is registered under a name. Raises InvalidInput, with names that are close, where nothing is."""
    if name in gymnasium.registry:
        return gymnasium.registry[name]
    if ":" in name:  # gymnasium would import the module; a description read from a file must not run code
        module, _, bare = name.partition(":")
        raise InvalidInput(f"{name!r}: import {module!r} first, then name the environment {bare!r}")
    close = difflib.get_close_matches(name, list(gymnasium.registry), n=3)
    hint = f"; did you mean {', '.join(close)}?" if close else ""
    raise InvalidInput(f"unknown Gymnasium environment {name!r}{hint}")


def make(name: str, render_mode: str | None = None) -> Any:
    """The bare environment: no time limit, no order enforcement, no checker. Raises InvalidInput on failure."""
    registered = copy.deepcopy(registration(name))
    if registered.nondeterministic:
        raise InvalidInput(f"{name} is not deterministic given its seed")
    registered.order_enforce = False
    try:
        simulator = gymnasium.make(registered, -1, disable_env_checker=True, render_mode=render_mode)
    except (ImportError, TypeError, gymnasium.error.Error) as error:
        raise unusable(name, error) from error
    if render_mode not in (None, *simulator.metadata.get("render_modes", ())):
        raise InvalidInput(f"{name} cannot draw an image")
    return simulator


def unusable(name: str, error: Exception) -> InvalidInput:
    """In one line: the extra of gymnasium to install where the error names one, else what the error says."""
    extra = re.search(r"gymnasium\[([\w-]+)\]", str(error))
    if extra:
        return InvalidInput(f"{name} needs a package that is missing: pip install 'gymnasium[{extra.group(1)}]'")
    return InvalidInput(f"{name} cannot be used: " + " ".join(str(error).split()))


def action_space(name: str, space: Any) -> Discrete | Box:
    """The library's own description of an action space. Raises InvalidInput where it has none."""
    if isinstance(space, gymnasium.spaces.Discrete):
        return Discrete(int(space.n))
    if not isinstance(space, gymnasium.spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        raise InvalidInput(f"{name} acts in a space that is neither Discrete nor a Box of real numbers: {space}")
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        raise InvalidInput(f"{name} has an action without finite bounds: {space}")
    return Box(tuple(map(float, space.low.flat)), tuple(map(float, space.high.flat)))
