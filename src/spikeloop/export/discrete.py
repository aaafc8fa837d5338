"""A population as the map that it is from tick to tick, and as a node of a NIR graph.

c <- current_decay c + current_gain I              (CubaLIF only; else c = I)
v <- decay v + gain c + rest
o = 1[v > threshold] or 1[v >= threshold];   v <- reset where o
"""

from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from spikeloop.errors import InvalidInput
from spikeloop.export.conventions import Convention
from spikeloop.neurons import (
    AbstractNeuron,
    AbstractReset,
    CurrentLeakyIntegrateAndFire,
    DecayedInputLeakyIntegrateAndFire,
    Detached,
    HardReset,
    IntegrateAndFire,
    LeakyIntegrateAndFire,
    NIRCurrentLeakyIntegrateAndFire,
    NIRIntegrateAndFire,
    NIRLeakyIntegrateAndFire,
    SoftReset,
)

# dt/tau of an LIF that stands for an IF: 1 - 2^-40 is 1 in float32.
NO_LEAK = 2.0**-40
NIR_NEURONS = (NIRIntegrateAndFire, NIRLeakyIntegrateAndFire, NIRCurrentLeakyIntegrateAndFire)


class Node(eqx.Module):
    """A node of a NIR graph: its type, and its numbers by the names that NIR gives them (float32)."""

    kind: str
    numbers: dict[str, np.ndarray]


class Discrete(eqx.Module):
    """The map of a population, one number for each neuron (float64)."""

    kind: str  # IF, LIF, CubaLIF; or LI, I, which never fire
    decay: np.ndarray
    gain: np.ndarray
    rest: np.ndarray
    current_decay: np.ndarray | None = None
    current_gain: np.ndarray | None = None
    threshold: np.ndarray | None = None
    reset: np.ndarray | None = None
    fires_at_threshold: bool = False
    soft_reset: bool = False  # v <- v - threshold in the place of v <- reset
    raw: Node | None = None  # the node that it came from, and of what dt
    dt: float | None = None


def population_map(neuron: AbstractNeuron, size: int) -> Discrete:
    """The map of so many neurons, whose parameters are bound. Raises InvalidInput for what NIR has no equation for."""

    def each(value: Any) -> Float[np.ndarray, " n"]:
        # What a tick computes with is the float32 of a field.
        return np.broadcast_to(np.asarray(value, np.float32).astype(float), (size,))

    def number(value: float) -> Float[np.ndarray, " n"]:
        return np.full(size, float(value))

    if isinstance(neuron, NIR_NEURONS):
        names = type(neuron).ranges
        raw = {
            name: np.array(np.broadcast_to(np.asarray(getattr(neuron, name), np.float32), (size,))) for name in names
        }
        return node_map(Node(NIR_KINDS[type(neuron)], raw), neuron.dt)
    one, zero = number(1.0), number(0.0)
    if isinstance(neuron, IntegrateAndFire):
        return _with_reset(Discrete("IF", one, one, zero, threshold=each(neuron.threshold)), neuron.reset, True)
    if isinstance(neuron, LeakyIntegrateAndFire | DecayedInputLeakyIntegrateAndFire):
        gain = 1.0 if isinstance(neuron, LeakyIntegrateAndFire) else 1.0 / neuron.tau
        made = Discrete("LIF", number(1.0 - 1.0 / neuron.tau), number(gain), zero, threshold=each(neuron.threshold))
        return _with_reset(made, neuron.reset, True)
    if isinstance(neuron, CurrentLeakyIntegrateAndFire):
        made = Discrete(
            "CubaLIF", each(neuron.voltage_decay), one, zero, each(neuron.current_decay), one, each(neuron.threshold)
        )
        return _with_reset(made, neuron.reset, False)
    raise InvalidInput(
        f"NIR has no equation for {type(neuron).__name__}; `spikeloop export RUN policy.npz` writes a player for NumPy"
    )


def _with_reset(made: Discrete, reset: AbstractReset, fires_at_threshold: bool) -> Discrete:
    while isinstance(reset, Detached):
        reset = reset.reset
    if not isinstance(reset, HardReset | SoftReset):
        raise InvalidInput(f"NIR resets to a value, and cannot express {type(reset).__name__}")
    value = reset.value if isinstance(reset, HardReset) else 0.0
    return eqx.tree_at(
        lambda m: (m.reset, m.fires_at_threshold, m.soft_reset),
        made,
        (np.full_like(made.decay, value), fires_at_threshold, isinstance(reset, SoftReset)),
        is_leaf=lambda leaf: leaf is None,
    )


NIR_KINDS: dict[type, str] = dict(zip(NIR_NEURONS, ("IF", "LIF", "CubaLIF"), strict=True))


def node_map(node: Node, dt: float) -> Discrete:
    """The map that forward Euler makes of a node of neurons or of a readout."""
    numbers = {name: value.astype(float) for name, value in node.numbers.items()}
    zero = np.zeros_like(numbers["r"])
    threshold, reset = numbers.get("v_threshold"), numbers.get("v_reset")
    if node.kind in ("IF", "I"):
        made = Discrete(node.kind, zero + 1.0, dt * numbers["r"], zero)
    else:
        lost = dt / numbers["tau_mem" if node.kind == "CubaLIF" else "tau"]
        made = Discrete(node.kind, 1.0 - lost, lost * numbers["r"], lost * numbers["v_leak"])
    currents = (None, None)
    if node.kind == "CubaLIF":
        decayed = dt / numbers["tau_syn"]
        currents = (1.0 - decayed, decayed * numbers["w_in"])
    return Discrete(made.kind, made.decay, made.gain, made.rest, *currents, threshold, reset, raw=node, dt=dt)


def node_of(made: Discrete, to: Convention) -> tuple[Node, Float[np.ndarray, " n"]]:
    """The node whose step is this map under a convention, and the factor that goes into the weights before it.

    Raises InvalidInput for what the convention cannot express.
    """
    if made.raw is not None and made.dt == to.dt and to.name == "nir":
        return made.raw, np.ones_like(made.gain)
    scale = np.ones_like(made.gain)
    kind, numbers = made.kind, {}
    if kind == "IF" and to.leaky_only:
        lost = np.full_like(made.gain, NO_LEAK)
        kind, numbers["tau"], numbers["r"], numbers["v_leak"] = "LIF", to.dt / lost, 1.0 / lost, 0.0 * lost
        scale = made.gain
    elif kind in ("IF", "I"):
        scale = made.gain if to.resistance is not None else scale
        numbers["r"] = np.full_like(scale, to.resistance) if to.resistance is not None else made.gain / to.dt
    else:
        lost = 1.0 - made.decay
        numbers["tau_mem" if kind == "CubaLIF" else "tau"] = _time_constant(made.decay, to)
        numbers["r"], numbers["v_leak"] = made.gain / lost, made.rest / lost
        if kind == "LIF" and to.resistance is not None:
            scale, numbers["r"] = numbers["r"] / to.resistance, np.full_like(lost, to.resistance)
        elif kind != "LI" and to.unit_gain:
            scale, numbers["r"] = made.gain, 1.0 / lost
    if kind == "CubaLIF":
        _add_current(made, to, numbers, scale)
        scale = np.ones_like(scale)
    if made.threshold is not None and made.reset is not None:
        numbers["v_threshold"], numbers["v_reset"] = _threshold(made, to), made.reset
        if to.reset_to_zero and made.reset.any():
            raise InvalidInput(f"{to.reader} resets to 0 whatever the graph says, and these neurons do not")
    return Node(kind, {name: np.asarray(value, np.float32) for name, value in numbers.items()}), scale


def _add_current(made: Discrete, to: Convention, numbers: dict[str, np.ndarray], scale: np.ndarray) -> None:
    assert made.current_decay is not None and made.current_gain is not None
    if to.exact:
        raise InvalidInput(
            "the exact solution of a CubaLIF mixes current and potential, ours does not; use the convention nir"
        )
    numbers["tau_syn"] = _time_constant(made.current_decay, to)
    numbers["w_in"] = made.current_gain * scale / (1.0 - made.current_decay)
    if to.unit_gain and not np.allclose(made.current_gain * scale, 1.0):
        raise InvalidInput(f"{to.reader} adds the input to the current as it is, and these neurons do not")


def _time_constant(decay: np.ndarray, to: Convention) -> np.ndarray:
    """Of what is left after a tick, in s."""
    if np.any(decay >= 1.0):
        raise InvalidInput("NIR gives a leak a finite time constant, and these neurons keep all of it after a tick")
    if not to.exact:
        return to.dt / (1.0 - decay)
    if np.any(decay <= 0.0):
        raise InvalidInput("no time constant leaves nothing after a tick of an exact solution; use the convention nir")
    return -to.dt / np.log(decay)


def _threshold(made: Discrete, to: Convention) -> Float[np.ndarray, " n"]:
    assert made.threshold is not None
    threshold = made.threshold.astype(np.float32)
    if made.fires_at_threshold == to.fires_at_threshold:
        return threshold
    return np.nextafter(threshold, np.float32(-np.inf if made.fires_at_threshold else np.inf))
