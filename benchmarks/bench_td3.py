"""TD3 with the actor of MDC-SAN against the same in plain PyTorch, in one run on two CPU cores: `make bench-td3`.

1. The check: both begin with the same parameters, get the same batch and no target noise, and must find the same losses, the same
   objective of the actor and the same action. It stops the benchmark where they do not. It is made in float64, where rounding
   can be told from a mistake: in float32 Adam takes whole steps along gradients that are nothing but rounding.
2. The time of one update (of the critics, with its share of the actor's and the targets' at a policy delay of 2) and of one action
   while learning, on a replay of 10,000 random transitions of HalfCheetah's sizes. Ours as in training: 50 updates are one
   scan, 50 actions are another. The peer (`peer_pytorch_td3.py`) as one writes it (plain) and in
   the fastest of its forms. All in turn, and of every turn the quickest of five parts.
3. The arithmetic limit: the multiply-adds of an update over the rate of matrix products on the same cores, once the rate of a
   large product, once that of the products of the update itself, each as large as it is there.

Writes results/benchmarks/td3.json.
"""

import argparse
import dataclasses
import functools
import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from spikeloop.environments import AbstractEnvironment, Box, Spec, Step
from spikeloop.interaction import Greedy, ObservationStatistics, Replay, ReplayState, Transition
from spikeloop.learners import TD3
from spikeloop.papers.zhang2022.setting import MDC_SAN, TICKS, WIDTHS, td3
from spikeloop.provenance import provenance
from spikeloop.storage import write_json

HERE = Path(__file__).parent
PEER = HERE.parent / ".bench-venv" / "bin" / "python"
OUT = HERE.parent / "results" / "benchmarks"
CORES, OBSERVATION, ACTIONS, TRANSITIONS, BATCH = 2, 17, 6, 10_000, 100
UPDATES, ENV_STEPS, CHECK_ROUNDS = 50, 20_000, 5  # a scan of updates; past the random actions
# Of a turn, as the peer's too. The quickest counts: a machine that is shared is slower by half for seconds at a time.
PARTS = 5
TOLERANCE = 1e-6  # of the check; constants that are float32 in it leave some 1e-8
FORMS = tuple(itertools.product(("plain", "ticks", "layers"), (1, CORES)))


class Sizes(AbstractEnvironment):
    """What TD3 must know of HalfCheetah: how much is seen and done. Nothing happens in it."""

    @property
    def spec(self):
        return Spec("HalfCheetah's sizes", (OBSERVATION,), Box((-1.0,) * ACTIONS, (1.0,) * ACTIONS), 1000)

    def reset(self, key):
        return jnp.zeros(()), jnp.zeros(OBSERVATION)

    def step(self, state, action, key):
        return state, Step(jnp.zeros(OBSERVATION), jnp.zeros(()), jnp.zeros((), bool), jnp.zeros((), bool))


class FirstItems(Replay):
    """A replay whose every sample is its first items, for the check."""

    def sample(self, state, batch_size, length, key):
        return jax.tree.map(lambda ring: ring[:batch_size, None], state.items)


WORLD = Sizes()
LEARNER = td3(MDC_SAN, env_steps=TRANSITIONS)


def transitions() -> Transition:
    """Random transitions; one in a hundred ends its task."""
    draw = np.random.default_rng(0)
    obs, next_obs = (draw.normal(0.5, 2.0, (TRANSITIONS, OBSERVATION)).astype(np.float32) for _ in range(2))
    actions = draw.uniform(-1.0, 1.0, (TRANSITIONS, ACTIONS)).astype(np.float32)
    rewards = draw.normal(1.0, 1.0, TRANSITIONS).astype(np.float32)
    parts = (obs, actions, rewards, next_obs, draw.random(TRANSITIONS) < 0.01, np.zeros(TRANSITIONS, bool))
    return Transition(*(jnp.asarray(part) for part in parts))


class Ours:
    """Parameters, replay and compiled programs."""

    def __init__(self, learner: TD3 = LEARNER):
        self.learner, items = learner, transitions()
        self.replay = ReplayState(items, jnp.asarray(TRANSITIONS, jnp.int32))
        state = jax.jit(lambda key: learner.init(WORLD, key))(jax.random.key(0))
        self.learned = state.learned
        self.known: ObservationStatistics = learner.normalisation.observe(state.normalisation, items.obs)
        options = learner.compiler_options  # as the trainer compiles them
        self.update, self.act = (jax.jit(work, compiler_options=options) for work in (self._update, self._act))

    def _update(self, learned, replay, known, keys):
        """As many rounds of `policy_delay` updates as keys, as an iteration of TD3 makes them."""
        count = jnp.asarray(ENV_STEPS, jnp.int32)
        return self.learner._updates(WORLD, learned, replay, known, count, jnp.zeros((), jnp.int32), keys)

    def _act(self, params, known, observations, keys):
        """One action after another, as TD3 gathers experience."""
        actor = self.learner._actor(WORLD, params, known)

        def go_on(state, seen):
            state, act = actor(state, *seen, jnp.asarray(ENV_STEPS, jnp.int32))
            return state, act.action

        return jax.lax.scan(go_on, actor.init_state(), (observations, keys))[1]

    def greedy(self, learned) -> list[float]:
        """The action on the first observation, without noise."""
        actor = dataclasses.replace(self.learner._actor(WORLD, learned.online.actor, self.known), selection=Greedy())
        return np.asarray(actor(actor.init_state(), self.replay.items.obs[0], jax.random.key(0))[1].action).tolist()

    def arrays(self) -> dict[str, np.ndarray]:
        """What the peer must know, under its names for it."""
        online, items = self.learned.online, self.replay.items
        found = {"known.mean": self.known.mean, "known.scale": self.known.scale}
        found |= {"actor.mean": online.actor.encoder.mean, "actor.deviation": online.actor.encoder.deviation}
        found |= {"actor.decoder.weight": online.actor.decoder.weight, "actor.decoder.bias": online.actor.decoder.bias}
        networks = {"actor": online.actor.network, "first": online.critics[0], "second": online.critics[1]}
        for name, layers in networks.items():
            for place, layer in enumerate(layers):
                found |= {f"{name}.{place}.weight": layer.weight, f"{name}.{place}.bias": layer.bias}
        found |= {f"replay.{name}": getattr(items, name) for name in ("obs", "action", "reward", "next_obs")}
        found["replay.alive"] = 1.0 - items.terminated.astype(jnp.float32)
        return {name: np.asarray(value) for name, value in found.items()}


@dataclasses.dataclass(frozen=True)
class Product:
    """A layer's matrix product, X [rows, inputs] W [inputs, outputs], and how often one update makes it and its gradients."""

    rows: int
    inputs: int
    outputs: int
    forward: float  # X W
    by_inputs: float  # G W^T, for G of the shape of X W
    by_weights: float  # X^T G

    @property
    def multiply_adds(self) -> float:
        """Of one update."""
        return self.rows * self.inputs * self.outputs * (self.forward + self.by_inputs + self.by_weights)


def products() -> tuple[Product, ...]:
    """The matrix products of one update. Forward is once, backward twice as much: by the inputs and by the weights.

    Actor of 170-256-256-60, whose first layer sees the same at each of 5 ticks and so is computed once:
        170 256 + 5 (256 256 + 256 60) = 448,000 for a transition. Forward for the target; forward and both gradients at
        every second update, also by the first layer's input, since the population code is trained: 1 + 3/2.
    Critic of 23-256-256-1:
        23 256 + 256 256 + 256 1 = 71,680. Two forward for the target; two forward and by their weights, and by their inputs but
        the first layer's; at every second update one forward and by its inputs, of the first layer only the 6 of the action.

    With 100 transitions: 100 (2.5 448,000 + (2 + 2 + 2 + 1/2) 71,680 + (2 + 1/2) 65,792 + 1/2 6 256) = 175 million.
    """
    code, action = OBSERVATION * MDC_SAN.encoder.neurons_per_variable, ACTIONS * MDC_SAN.decoder.neurons_per_output
    first, second = WIDTHS
    seen = OBSERVATION + ACTIONS
    return (
        Product(BATCH, code, first, 1.5, 0.5, 0.5),
        Product(BATCH * TICKS, first, second, 1.5, 0.5, 0.5),
        Product(BATCH * TICKS, second, action, 1.5, 0.5, 0.5),
        Product(BATCH, seen, 256, 4.5, 0.5 * ACTIONS / seen, 2.0),
        Product(BATCH, 256, 256, 4.5, 2.5, 2.0),
        Product(BATCH, 256, 1, 4.5, 2.5, 2.0),
    )


def seconds_of(left: tuple[int, int], right: tuple[int, int], contracted: tuple[int, int]) -> float:
    """The shortest time of one product of two matrices of these shapes, over the dimensions given."""
    a, b = (jax.random.normal(jax.random.key(n), shape) for n, shape in enumerate((left, right)))

    def product(a, b):
        return jax.lax.dot_general(a, b, (((contracted[0],), (contracted[1],)), ((), ())))

    multiply_adds = left[0] * left[1] * right[1 - contracted[1]]
    repeats = max(2, round(4e8 / multiply_adds))

    @functools.partial(jax.jit, compiler_options=TD3.compiler_options)
    def repeated(a, b):
        # The barrier makes every product wait for the last, so that none is left out.
        def again(_, carry):
            a, b, _ = jax.lax.optimization_barrier(carry)
            return a, b, product(a, b)

        return jax.lax.fori_loop(0, repeats, again, (a, b, product(a, b)))[2]

    repeated(a, b).block_until_ready()
    times = []
    for _ in range(7):
        started = time.perf_counter()
        repeated(a, b).block_until_ready()
        times.append(time.perf_counter() - started)
    return min(times) / (repeats + 1)


def arithmetic_limit(peer_rate: float) -> dict[str, float]:
    """What the cores could do at most: multiply-adds over the rate of a large product, and the sum over the products' own times."""
    count = sum(product.multiply_adds for product in products())
    rate = max(2 * 1024**3 / seconds_of((1024, 1024), (1024, 1024), (1, 0)), peer_rate)
    own = 0.0
    for made in products():
        x, w, g = (made.rows, made.inputs), (made.inputs, made.outputs), (made.rows, made.outputs)
        own += made.forward * seconds_of(x, w, (1, 0))
        own += made.by_inputs * seconds_of(g, w[::-1], (1, 0))  # the weights are laid out transposed before
        own += made.by_weights * seconds_of(x, g, (0, 0))
    return {
        "multiply_adds_per_update": round(count),
        "operations_per_second_of_a_large_matrix_product": round(rate),
        "operations_per_second_of_products_of_these_shapes": round(2 * count / own),
        "limit_ms_per_update_at_the_rate_of_a_large_product": round(2e3 * count / rate, 3),
        "limit_ms_per_update_at_the_rate_of_its_own_products": round(1e3 * own, 3),
    }


def peer(file: Path, form: str, threads: int, *more: str) -> dict:
    """What the peer reports, from a process of its own."""
    command = [
        str(PEER),
        str(HERE / "peer_pytorch_td3.py"),
        str(file),
        "--form",
        form,
        "--threads",
        str(threads),
        *more,
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])


def our_check(file: Path) -> dict[str, list]:
    """What the peer's check reports, of ours. Writes what the peer must know."""
    ours = Ours(dataclasses.replace(LEARNER, replay=FirstItems(TRANSITIONS), target_noise=0.0))

    def wider(leaf):
        return jnp.asarray(np.asarray(leaf), jnp.float64) if leaf.dtype == jnp.float32 else leaf

    with jax.enable_x64(True):
        both = ours.learned, ours.replay, ours.known
        ours.learned, ours.replay, ours.known = jax.tree.map(wider, both)
        np.savez(file, **ours.arrays())
        keys = jax.random.split(jax.random.key(0), CHECK_ROUNDS)
        learned, found = ours.update(ours.learned, ours.replay, ours.known, keys)
        action = [ours.greedy(ours.learned), ours.greedy(learned)]
    return {**{name: np.asarray(values).tolist() for name, values in found.items()}, "action": action}


def compare(ours: dict[str, list], theirs: dict[str, list]) -> dict[str, float]:
    """The largest differences, relative to the value itself or 0.1, whichever is larger. Raises where they are no rounding."""
    found = {}
    for name in ("critic_loss", "value", "action"):
        a, b = np.asarray(ours[name]), np.asarray(theirs[name])
        found[name] = float(np.max(np.abs(a - b) / np.maximum(np.abs(a), 0.1)))
    if not all(away < TOLERANCE for away in found.values()):
        raise SystemExit(f"Ours and the peer do not compute the same: {found}\nours {ours}\npeer {theirs}")
    return found


def milliseconds(work, times: int) -> float:
    """Of one call: the shortest mean of so many, of `PARTS` times."""
    means = []
    for _ in range(PARTS):
        started = time.perf_counter()
        for _ in range(times):
            jax.block_until_ready(work())
        means.append((time.perf_counter() - started) / times)
    return 1e3 * min(means)


def our_turn(ours: Ours) -> tuple[float, float]:
    """Milliseconds of an update and of an action. What was learned is thrown away, which changes no time."""
    rounds = UPDATES // ours.learner.policy_delay
    keys, act_keys = (jax.random.split(jax.random.key(n), count) for n, count in enumerate((rounds, UPDATES)))
    observations = ours.replay.items.obs[:UPDATES]

    def update():
        return ours.update(ours.learned, ours.replay, ours.known, keys)

    def act():
        return ours.act(ours.learned.online.actor, ours.known, observations, act_keys)

    jax.block_until_ready((update(), act()))
    return milliseconds(update, 4) / UPDATES, milliseconds(act, 20) / UPDATES


def spread(values: list[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {
        "median": round(statistics.median(values), 3),
        "lowest": round(min(values), 3),
        "highest": round(max(values), 3),
    }


def try_forms(file: Path) -> tuple[dict, dict]:
    """The check of every form of the peer, and a first measurement of it."""
    checked, forms, differences = our_check(file), {}, {}
    for form in FORMS:
        told = peer(file, *form, "--check-rounds", str(CHECK_ROUNDS))
        differences[form] = compare(checked, told["check"])
        forms[form] = {key: told[key] for key in ("ms_per_update", "ms_per_action")}
    return forms, differences


def take_turns(
    rounds: int, file: Path, chosen: dict[str, tuple[str, int]]
) -> tuple[dict[str, list[float]], float, str]:
    """Milliseconds by who and what, the peer's best rate of a large product, and its version."""
    ours, rate, version = Ours(), 0.0, ""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        turn = dict(zip(("spikeloop_update", "spikeloop_action"), our_turn(ours), strict=True))
        told = {form: peer(file, *form) for form in dict.fromkeys(chosen.values())}
        for name, form in chosen.items():
            turn[name] = told[form][f"ms_per_{name.split('_')[1]}"]
        for name, value in turn.items():
            times.setdefault(name, []).append(value)
        key = "operations_per_second_of_a_matrix_product"
        rate = max(rate, *(report[key] for report in told.values()))
        version = next(iter(told.values()))["torch"]
    return times, rate, version


def ratios(times: dict[str, list[float]], who: str) -> dict[str, dict[str, float]]:
    """How many times longer the peer took, of each part and of both together."""
    ours, theirs = ([times[f"{name}_{what}"] for what in ("update", "action")] for name in ("spikeloop", who))
    sums = [[a + b for a, b in zip(*both, strict=True)] for both in (ours, theirs)]
    pairs = zip(("update", "action", "update_and_action"), [*ours, sums[0]], [*theirs, sums[1]], strict=True)
    return {what: spread([b / a for a, b in zip(mine, other, strict=True)]) for what, mine, other in pairs}


def measure(rounds: int, file: Path) -> dict:
    """The check, the peer's forms, then all in turn, then the limit."""
    forms, differences = try_forms(file)
    plain = [form for form in FORMS if form[0] == "plain"]
    chosen = {
        f"{who}_{what}": min(among, key=lambda form, what=what: forms[form][f"ms_per_{what}"])
        for who, among in (("plain", plain), ("fastest", FORMS))
        for what in ("update", "action")
    }
    times, rate, version = take_turns(rounds, file, chosen)
    limit, ours = arithmetic_limit(rate), statistics.median(times["spikeloop_update"])
    for kind in ("a_large_product", "its_own_products"):
        bound = limit[f"limit_ms_per_update_at_the_rate_of_{kind}"]
        limit[f"fraction_reached_at_the_rate_of_{kind}"] = round(bound / ours, 2)
    for who in ("plain", "fastest"):
        theirs = sum(statistics.median(times[f"{who}_{what}"]) for what in ("update", "action"))
        acting = statistics.median(times["spikeloop_action"])
        least = limit["limit_ms_per_update_at_the_rate_of_a_large_product"] + acting
        limit[f"ratio_at_the_limit_{who}"] = round(theirs / least, 1)
    return {
        "setting": "TD3, actor of MDC-SAN, sizes of HalfCheetah (17 observations, 6 actions), batch 100, policy delay 2",
        "cores": CORES,
        "torch": version,
        "relative_differences_in_float64": {in_words(form): value for form, value in differences.items()},
        "peer_forms": {
            in_words(form): {key: round(value, 3) for key, value in found.items()} for form, found in forms.items()
        },
        "chosen": {name: in_words(form) for name, form in chosen.items()},
        "milliseconds": {name: spread(values) for name, values in times.items()},
        "rounds": {name: [round(value, 3) for value in values] for name, values in times.items()},
        "ratio": {who: ratios(times, who) for who in ("plain", "fastest")},
        "limit": limit,
    }


def in_words(form: tuple[str, int]) -> str:
    """A form of the peer."""
    return f"{form[0]}, {form[1]} thread{'s' * (form[1] > 1)}"


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often ours and the peer take turns")
    options = parser.parse_args()
    # Before JAX starts: it takes as many threads as there are cores. The peer inherits it.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    jax.config.update("jax_platforms", "cpu")
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.rounds, Path(folder) / "td3.npz")
    found |= {"provenance": provenance(), "wall_seconds": round(time.perf_counter() - started, 1)}
    OUT.mkdir(parents=True, exist_ok=True)
    write_json(OUT / "td3.json", found)
    print(json.dumps({name: value for name, value in found.items() if name != "provenance"}, indent=2))


if __name__ == "__main__":
    main()
