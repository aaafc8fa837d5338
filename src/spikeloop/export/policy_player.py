"""Plays a policy that spikeloop has exported, with NumPy and Python's standard library alone.

    from policy_player import load
    policy = load("policy.npz")
    policy.reset()                 # when an episode begins
    action = policy(observation)   # one observation, or a batch of them
    python policy_player.py policy.npz < observations.txt      # an observation a line; an empty line begins an episode

This file needs nothing beside it but the .npz, whose arrays are plain numbers: loading it cannot run code. It computes in
float32, in the same order as spikeloop does, so actions are the same but for rounding in the last digit.
"""

import json
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

FORMAT = "spikeloop-player"
VERSION = 1
F = np.float32
Part = dict[str, Any]  # a part of the program: "kind", and numbers and arrays by name
Tick = Callable[[np.ndarray], np.ndarray]


class Player:
    """A policy with its state: NumPy observations in, actions out."""

    def __init__(self, program: Part):
        self.program = program
        self.shape = tuple(program["observation_shape"])
        self._batch = 0
        self._state: Part = {}
        self.output = np.zeros((0, 0), F)  # what the last decision put out, before an action was chosen from it
        self.spikes: list[np.ndarray] = []  # how often each neuron of each population fired in it

    def reset(self) -> None:
        """Put the membranes at rest: when an episode begins."""
        self._state = {}

    def __call__(self, observation: Any) -> Any:
        """The action for an observation, or the actions for a batch. Raises ValueError for another shape or a NaN."""
        observation = np.asarray(observation, F)
        single = observation.shape == self.shape
        if not single and observation.shape[1:] != self.shape:
            raise ValueError(f"an observation has shape {self.shape}, got {observation.shape}")
        if not np.isfinite(observation).all():
            raise ValueError("the observation holds a NaN or an infinity")
        batch = observation.reshape(1 if single else len(observation), math.prod(self.shape))
        if len(batch) != self._batch:
            self._batch, self._state = len(batch), {}
        self.spikes = []
        self.output = _decide(self.program["policy"], self._state, batch, self.spikes)
        actions = _act(self.program, self.output)
        if not single:
            return actions
        return int(actions[0]) if actions.ndim == 1 else actions[0]


def load(path: str) -> Player:
    """The policy in a file. Raises ValueError if it is none."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        program = json.loads(bytes(arrays.pop("program")).decode("utf-8"))
        if (program["format"], program["version"]) != (FORMAT, VERSION):
            raise ValueError(f"it is {program['format']!r}, version {program['version']!r}")
        return Player(_filled(program, arrays))
    except Exception as error:  # zip, npy and JSON each have several ways of saying that they are damaged
        raise ValueError(f"{path} is not a policy that this player can play: {error}") from None


def _filled(part: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(part, dict):
        if set(part) == {"array"}:
            return arrays[part["array"]]
        return {name: _filled(value, arrays) for name, value in part.items()}
    return [_filled(value, arrays) for value in part] if isinstance(part, list) else part


def _act(program: Part, output: np.ndarray) -> np.ndarray:
    if "low" not in program:
        return np.argmax(output, axis=1)
    low, high = np.asarray(program["low"], F), np.asarray(program["high"], F)
    action = np.tanh(output) if program["selection"] == "Greedy" else output
    return np.clip(low + F(0.5) * (action + F(1.0)) * (high - low), low, high)


def _decide(part: Part, state: Part, obs: np.ndarray, spikes: list[np.ndarray]) -> np.ndarray:
    kind = part["kind"]
    if kind == "standardised":
        limit = F(part["limit"])
        seen = np.clip((obs - part["mean"]) * part["scale"], -limit, limit)
        return _decide(part["policy"], state, seen, spikes)
    if kind == "deep":
        return _dense(part["layers"], obs * np.asarray(part["gain"], F), last=False)
    if kind == "encoded":
        heard = _dense(part["layers"], _encoder(part["encoder"], {}, obs)(), last=True)
        return _read(part["decoder"], [heard], 1)
    if kind == "turn":
        return np.clip(F(part["gain"]) * (obs @ part["connections"]), F(-1), F(1))
    if kind == "near_or_far":
        near, far = obs[:, : part["sensors"]], obs[:, part["sensors"] :]
        first = near.max(axis=1, keepdims=True) >= F(part["threshold"])
        near_output = _decide(part["near"], state.setdefault("near", {}), near, spikes)
        return np.where(first, near_output, _decide(part["far"], state.setdefault("far", {}), far, spikes))
    return _spiking(part, state, obs, spikes)


def _dense(layers: list[Any], x: np.ndarray, last: bool) -> np.ndarray:
    for place, layer in enumerate(layers):
        x = x @ layer["weight"] + layer["bias"]
        if last or place < len(layers) - 1:
            x = np.maximum(x, F(0))
    return x


def _spiking(part: Part, state: Part, obs: np.ndarray, counts: list[np.ndarray]) -> np.ndarray:
    if not part["keep"]:
        state.clear()
    encode = _encoder(part["encoder"], state.setdefault("encoder", {}), obs)
    network, brain = part["network"], state.setdefault("network", {})
    run = {"layers": _layers, "delayed": _delayed, "circuit": _circuit}[network["kind"]]
    heard, totals = [], []
    for _ in range(part["ticks"]):
        spikes = run(network, brain, encode())
        totals = [total + fired for total, fired in zip(totals, spikes, strict=True)] if totals else spikes
        heard.append(spikes[-1])
    counts += totals
    return _read(part["decoder"], heard, part["ticks"])


def _encoder(part: Part, state: Part, obs: np.ndarray) -> Callable[[], np.ndarray]:
    kind = part["kind"]
    if kind == "combination":
        places = _levels(part, obs).astype(np.int64)
        powers = [part["levels"] ** power for power in reversed(range(obs.shape[1]))]
        codes = part["codes"][places @ np.asarray(powers)]

        def combination() -> np.ndarray:
            tick = state.get("tick", 0)
            state["tick"] = (tick + 1) % codes.shape[1]
            return codes[:, tick]

        return combination
    values = _activity(part, obs)
    if "fires" not in part:
        return lambda: values
    threshold, strict = F(part["fires"]), part["strict"]

    def regular() -> np.ndarray:
        v = state.get("v", F(part["start"])) + values
        spikes = (v > threshold if strict else v >= threshold).astype(F)
        state["v"] = v - threshold * spikes
        return spikes

    return regular


def _levels(part: Part, obs: np.ndarray) -> np.ndarray:
    low, high, levels = np.asarray(part["low"], F), np.asarray(part["high"], F), part["levels"]
    return np.clip(np.floor((obs - low) * (F(levels) / (high - low))), 0, levels - 1)


def _activity(part: Part, obs: np.ndarray) -> np.ndarray:
    kind, batch = part["kind"], len(obs)
    if kind == "direct":
        return obs * np.asarray(part["gain"], F)
    if kind == "two_neurons":
        scaled = obs * np.asarray(part["gain"], F)
        return np.stack([np.maximum(scaled, F(0)), np.maximum(-scaled, F(0))], axis=2).reshape(batch, -1)
    if kind == "table":  # a row for each level of each variable
        return part["rows"][_levels(part, obs).astype(np.int64)].reshape(batch, -1)
    if kind == "normal_bins":
        z = (obs - np.asarray(part["mean"], F)) / np.asarray(part["deviation"], F)
        share = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)), otypes=[F])(z)
        index = np.minimum(np.floor(part["bins"] * share).astype(np.int64), part["bins"] - 1)
        return (F(part["amplitude"]) * np.eye(part["bins"], dtype=F)[index]).reshape(batch, -1)
    if kind == "population":
        return np.exp(F(-0.5) * (obs[:, :, None] - part["mean"]) ** 2 / part["variance"]).reshape(batch, -1)
    low, high = np.asarray(part["low"], F), np.asarray(part["high"], F)
    share = np.clip((obs - low) / (high - low), F(0), F(1))
    activity = np.ones((batch, 1), F)
    for place, cells in enumerate(part["cells"]):
        distance = share[:, place : place + 1] * F(cells - 1) - np.arange(cells, dtype=F)
        height = F(-0.5) * (distance / F(part["width"])) ** 2
        bump = np.exp(height - height.max(axis=1, keepdims=True))
        bump = bump / bump.sum(axis=1, keepdims=True)
        activity = (activity[:, :, None] * bump[:, None, :]).reshape(batch, -1)
    rates = F(part["rate"]) * activity
    return np.minimum(rates, F(1)) if "fires" in part else rates


def _layers(part: Part, state: Part, inputs: np.ndarray) -> list[np.ndarray]:
    spikes, x = [inputs] if part["inputs_spike"] else [], inputs
    for place, layer in enumerate(part["layers"]):
        if layer["weight"] is not None:
            x = x @ layer["weight"]
        if layer["bias"] is not None:
            x = x + layer["bias"]
        x = _neurons(layer["neuron"], state.setdefault(str(place), {}), x)
        spikes.append(x)
    return spikes


def _neurons(part: Part, state: Part, current: np.ndarray) -> np.ndarray:
    if part["kind"] == "dynamic":
        c, fired = part["current_decay"] * state.get("c", F(0)) + current, state.get("spikes", F(0))
        v = np.where(fired > 0, part["theta_r"], state.get("v", F(0)))
        u = state.get("u", F(0)) + part["theta_s"] * fired
        after = v * v - u + c
        spikes = (after > part["threshold"]).astype(F)
        state.update(c=c, v=after, u=(F(1) - part["theta_u"]) * u + part["theta_v"] * v, spikes=spikes)
        return spikes
    if part["kind"] == "rule_based":
        return _rule_based(part, state, {"ampa": current})
    if "current_decay" in part:
        current = state["c"] = part["current_decay"] * state.get("c", F(0)) + part["current_gain"] * current
    v = state.get("v", F(0)) * part["decay"] + part["gain"] * current + part["rest"]
    threshold = part["threshold"]
    spikes = (v >= threshold if part["fires_at_threshold"] else v > threshold).astype(F)
    state["v"] = v - threshold * spikes if part["soft_reset"] else np.where(spikes > 0, part["reset"], v)
    return spikes


def _delayed(part: Part, state: Part, inputs: np.ndarray) -> list[np.ndarray]:
    """NEST's iaf_psc_alpha in populations whose spikes take time to arrive, in double precision as in NEST."""
    batch, spikes = len(inputs), []
    for place, delay in enumerate(part["delays"]):
        held = state.setdefault(str(place), {})
        size = inputs.shape[1] if not place else part["weights"][place - 1].shape[1]
        if not held:
            held |= {name: np.zeros((batch, size)) for name in ("v", "direct", "refractory", "ji", "je", "ii", "ie")}
            width = (batch, size) if not place else (2, batch, size)
            held["coming"] = [np.zeros(width) for _ in range(delay)]
        # What was sent so many ticks ago arrives now, at the end of the step; a direct current acts from the next one on.
        arrived = held["coming"].pop(0)
        drive = part["direct"] * (part["i_e"] + held["direct"])
        for channel, jump in (("e", part["excitatory"]), ("i", part["inhibitory"])):
            rise, flow = held["j" + channel], held["i" + channel]
            drive = drive + jump["rise_to_v"] * rise + jump["current_to_v"] * flow
            held["i" + channel] = jump["rise_to_current"] * rise + jump["decay"] * flow
            held["j" + channel] = jump["decay"] * rise
            if place:
                held["j" + channel] += jump["jump"] * arrived[int(channel == "i")]
        moved = np.maximum(held["v"] + (part["leak"] * held["v"] + drive), part["v_min"])
        v = np.where(held["refractory"] > 0, held["v"], moved)
        fired = v >= part["threshold"]
        held["refractory"] = np.where(fired, part["held"], np.maximum(held["refractory"] - 1, 0))
        held["v"] = np.where(fired, part["reset"], v)
        spikes.append(fired.astype(F))
        if place:
            sent = spikes[-2].astype(float)
            weights = part["scale"] * part["weights"][place - 1].astype(float)
            held["coming"].append(np.stack([sent @ np.maximum(weights, 0), sent @ np.minimum(weights, 0)]))
        else:
            held["direct"] = arrived
            held["coming"].append(inputs.astype(float))
    return spikes


def _circuit(part: Part, state: Part, rates: np.ndarray) -> list[np.ndarray]:
    """Rule-based neurons with sparse projections and delays among all populations, and a source of regular pulses."""
    batch, ends = len(rates), np.cumsum(part["sizes"])
    starts = ends - part["sizes"]
    if not state:
        state["history"] = np.zeros((batch, part["longest"], int(ends[-1])), F)
        state["wait"] = np.zeros(rates.shape, F)
        state["coming"] = [np.zeros(rates.shape, F) for _ in range(part["source_delay"])]
        state["neurons"] = {}
    on = rates > 0
    pulse = on & (state["wait"] < F(1e-3))
    period = F(1000.0) / (np.where(on, rates, F(1)) * F(part["resolution"]))
    state["wait"] = np.where(on, np.where(pulse, state["wait"] + period, state["wait"]) - F(1), F(0))
    state["coming"].append(pulse.astype(F))
    came = state["coming"].pop(0)
    sums: Part = {"ampa": np.zeros((batch, int(ends[-1])), F), "ampa counted": np.zeros((batch, int(ends[-1])), F)}
    sums["ampa"][:, : rates.shape[1]], sums["ampa counted"][:, : rates.shape[1]] = F(part["source_weight"]) * came, came
    for sent in part["outgoing"]:
        fired = state["history"][:, sent["places"], starts[sent["pre"]] : ends[sent["pre"]]].reshape(batch, -1)
        edge, came = 0, fired @ sent["matrix"]
        for target, kind in sent["targets"]:
            laid, width = sums.setdefault(kind, np.zeros((batch, int(ends[-1])), F)), part["sizes"][target]
            laid[:, starts[target] : ends[target]] += came[:, edge : edge + width]
            edge += width
    weights = {kind: came for kind, came in sums.items() if not kind.endswith("counted")}
    events = {  # where all weights are the same, how many came is how much came by the weight of one
        kind: np.where(one > 0, weights[kind] / np.where(one > 0, one, F(1)), sums.get(f"{kind} counted", F(0)))
        for kind, one in part["event_sizes"].items()
    }
    spikes = _rule_based(part["neuron"], state["neurons"], weights, events)
    state["history"] = np.concatenate([state["history"][:, 1:], spikes[:, None]], axis=1)
    return [spikes[:, start:end] for start, end in zip(starts, ends, strict=True)]


def _rule_based(part: Part, state: Part, arriving: Part, events: Part | None = None) -> np.ndarray:
    """One tick of the event-driven cell INTF7: sums of weights by kind of synapse, and how many events they are."""
    if not state:
        zero = np.zeros_like(arriving["ampa"])
        state.update(potentials=dict.fromkeys(part["kinds"], zero), ahp=zero, raised=zero, refractory=zero)
    potentials = {name: value * part["decays"][name] for name, value in state["potentials"].items()}
    rest, ahp = part["rest"], state["ahp"] * part["decays"]["ahp"]
    held, excited, excitations = state["refractory"] > 0, np.zeros_like(ahp), np.zeros_like(ahp)
    raised = np.where(held, state["raised"], state["raised"] * part["decays"]["raised"])
    refractory = np.maximum(state["refractory"] - F(1), F(0))
    for inhibit in (True, False):
        met = np.clip(sum(potentials.values()) + ahp, rest, -rest)
        for name in (name for name in arriving if name.startswith("gaba") == inhibit):
            weights, old, reversal = np.maximum(arriving[name], F(0)), potentials[name], F(part["reversals"][name])
            if name.startswith("nmda"):
                unblocked = F(1) + F(part["magnesium"]) * np.exp(F(-0.062) * (rest + met))
                more = weights * (F(1) - met / reversal) / unblocked
                potentials[name] = np.where(old < reversal, np.maximum(old + more, F(0)), old)
                continue
            number = np.round((events or {}).get(name, weights > 0)).astype(F)
            share = weights / np.maximum(number, F(1)) / abs(reversal)
            left = (F(1) - share) ** np.where((share >= 1) & inhibit, np.minimum(number, F(1)), number)
            more = (reversal - met) * (F(1) - left)
            if inhibit:
                potentials[name] = np.where(old > reversal, np.minimum(old + more, F(0)), old)
            else:
                potentials[name] = np.maximum(old + more, F(0))
                excited, excitations = excited + more, excitations + number
    low, high = part["threshold"] + raised - rest, part["block"] - rest
    step = np.where(excitations > 0, excited / np.maximum(excitations, F(1)), F(0))
    crossing = np.floor(np.maximum(low - met, F(0)) / np.maximum(step, F(1e-6))) + F(1)
    at = np.where(step > 0, met + crossing * step, met)
    lands = (crossing <= np.maximum(excitations, F(1))) & (at > low) & (at <= high)
    fires = (sum(arriving.values()) > 0) & (refractory == 0) & lands
    state["potentials"], state["ahp"] = potentials, np.where(fires, ahp - part["ahp_weight"], ahp)
    state["raised"] = np.where(fires, part["raised_share"] * (part["block"] - part["threshold"]), raised)
    state["refractory"] = np.where(fires, part["held"], refractory)
    return fires.astype(F)


def _read(part: Part, heard: list[np.ndarray], ticks: int) -> np.ndarray:
    if part["kind"] == "membrane":
        return _membrane(part, heard, ticks)
    counts = np.asarray(np.sum(heard, axis=0, dtype=F))
    if part["kind"] == "linear":
        return counts / F(ticks) @ part["weight"] + part["bias"]
    if part["kind"] == "population":
        rates = counts.reshape(len(counts), *part["weight"].shape) / F(ticks)
        return np.asarray(np.sum(part["weight"] * rates, axis=2)) + part["bias"]
    if part["kind"] == "opposed":
        return (counts[:, 0::2] - counts[:, 1::2]) / F(part["most"])
    if part["kind"] == "groups":
        groups = np.split(counts, np.cumsum(part["neurons"])[:-1], axis=1)
        return np.stack([group.mean(axis=1, dtype=F) for group in groups], axis=1)
    if part["kind"] == "choice":
        most = counts.max(axis=1)
        draw = (counts == most[:, None]).sum(axis=1) > 1
        counts[:, part["otherwise"]] = np.where(draw, most + F(0.5), counts[:, part["otherwise"]])
        return counts
    return counts / F(ticks)


def _membrane(part: Part, heard: list[np.ndarray], ticks: int) -> np.ndarray:
    reading, potentials, v = part["reading"], [], F(0)
    for spikes in heard:
        driven = spikes if part["weight"] is None else spikes @ part["weight"]
        driven = driven if part["bias"] is None else driven + part["bias"]
        v = v * part["decay"] + driven * part["gain"] + part["rest"]
        potentials.append(v)
    if reading == "mean":
        return np.asarray(np.sum(potentials, axis=0, dtype=F)) / F(ticks)
    if reading == "last":
        return potentials[-1]
    most = np.argmax(potentials if reading == "max" else np.abs(potentials), axis=0)
    return np.take_along_axis(np.asarray(potentials), most[None], axis=0)[0]


def main(arguments: list[str]) -> int:
    """Play a policy on the observations of standard input; returns the exit code."""
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(
            "usage: python policy_player.py policy.npz < observations; an observation a line, its numbers between spaces"
        )
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    try:
        policy = load(arguments[0])
        for line in sys.stdin:
            if not line.strip():
                policy.reset()
                continue
            numbers = [float(word) for word in line.strip(" []\n\r\t").replace(",", " ").split()]
            action = policy(np.reshape(numbers, policy.shape) if len(numbers) == math.prod(policy.shape) else numbers)
            print(action if isinstance(action, int) else " ".join(f"{value:.9g}" for value in action), flush=True)
    except ValueError as error:
        print(f"policy_player: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
