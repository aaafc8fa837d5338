"""Zhang et al. 2022, Figure 2: what one neuron does, the dynamic one of MDC-SAN beside the one of PopSAN. No network, no training.

The paper draws the change of a potential over the potential, for a neuron of first order (one equilibrium) and for its own
(up to two). With a step of 1, and c the filtered input, which a constant input I brings to c = I / (1 - current_decay):

    PopSAN     dv = c - (1 - voltage_decay) v                    one equilibrium, v = c / (1 - voltage_decay), always stable
    dynamic    dv = v^2 - v - u + c,  du = theta_v v - theta_u u     v^2 - k v + c = 0,  k = 1 + theta_v / theta_u = 0.675

* Rheobase. PopSAN's neuron fires from c = (1 - voltage_decay) threshold on. The dynamic one rests at the lower equilibrium as
  long as there is one below the threshold: up to c = k m - m^2 with m = min(k / 2, threshold), which is (k / 2)^2 = 0.1139.
  (With a theta_v above 0 the resistance follows too late, and the potential gets over the threshold sooner.)
* Stability is that of the map (v, u) -> (v^2 - u + c, (1 - theta_u) u + theta_v v), whose Jacobian has the trace
  2 v + 1 - theta_u and the determinant 2 v (1 - theta_u) + theta_v. An eigenvalue is -1 where 1 + trace + determinant = 0,
  v = (theta_u - 2 - theta_v) / (4 - 2 theta_u) = -0.441: below c = -0.493 the potential no longer rests but alternates, and
  farther below the square of its low phase throws it over the threshold. PopSAN's neuron is silent under any inhibition.
* The upper equilibrium, 0.675 at c = 0, lies above the threshold and is unstable: no neuron stays there.

Everything is simulated in double precision. `HAND` was worked out by hand from Algorithm 1; `COUNTS` are from a plain
program of its own, line by line Algorithm 1 for one neuron and the equations of Tang et al. 2020 for the other.
"""

import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spikeloop.analysis.tables import markdown
from spikeloop.component import require, require_count, require_finite
from spikeloop.encoders import DeterministicPopulationCode
from spikeloop.errors import InvalidInput
from spikeloop.neurons import AbstractNeuron, CurrentLeakyIntegrateAndFire, DynamicNeuron
from spikeloop.storage import write_atomically, write_json
from spikeloop.study import AbstractStudy

HAND_INPUT = 0.3
# v, u and spike of the dynamic neuron at its first ticks under that input.
HAND = ((0.3, 0.0, 0), (0.54, -0.0516, 1), (0.4450, 0.0343, 0), (0.7263, -0.0604, 1), (0.5101, 0.0301, 1))
INPUTS = (-2.0, -1.0, -0.7, -0.5, 0.0, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
# Spikes under these constant inputs, in 5 and in 100 ticks.
COUNTS = {
    "dynamic": {5: (2, 1, 0, 0, 0, 0, 0, 1, 1, 3, 4, 5, 5), 100: (50, 49, 48, 0, 0, 1, 14, 26, 39, 66, 99, 100, 100)},
    "popsan": {5: (0, 0, 0, 0, 0, 0, 1, 2, 2, 4, 4, 5, 5), 100: (0, 0, 0, 0, 0, 0, 24, 49, 49, 99, 99, 100, 100)},
}
NAMES = {"dynamic": "dynamic neuron", "popsan": "PopSAN's neuron"}
LONG = 10_000  # ticks within which a neuron must fire to count as firing at all
ENCODER_TICKS = 20


class Equilibrium(NamedTuple):
    """Where a neuron rests under a constant current, and whether it returns there."""

    v: float
    stable: bool


class NeuronDynamics(AbstractStudy):
    """Zhang 2022, Figure 2: equilibria, phase plane, rheobase and rates of the dynamic neuron and of PopSAN's."""

    dynamic: DynamicNeuron = DynamicNeuron()  # of second order
    popsan: CurrentLeakyIntegrateAndFire = CurrentLeakyIntegrateAndFire()  # of first order
    currents: tuple[float, ...] = (-0.2, 0.0, 0.1, 0.25)  # constant c for which the change of v is drawn
    excitation: float = 0.15  # input of the step, and of the phase plane
    inhibition: float = -1.0  # input of the step downwards
    decision: int = 5  # ticks of a decision, in which spikes are counted
    ticks: int = 100  # the same, for the rate in the long run

    def __check_init__(self):
        for field, kind in (("dynamic", DynamicNeuron), ("popsan", CurrentLeakyIntegrateAndFire)):
            if not isinstance(getattr(self, field), kind):
                raise InvalidInput(f"NeuronDynamics.{field} must be a {kind.__name__}, got {getattr(self, field)}")
            require(
                getattr(self, field), "current_decay", lambda decay: decay < 1.0, "below 1, or no current is constant"
            )
        require(self.popsan, "voltage_decay", lambda decay: decay < 1.0, "below 1, or it has no equilibrium")
        require(self.dynamic, "theta_u", lambda theta: theta != 0.0, "other than 0, or it has no equilibrium")
        require_finite(self, "excitation", "inhibition")
        require(
            self, "currents", lambda cs: len(cs) > 0 and all(map(math.isfinite, cs)), "finite numbers, at least one"
        )
        require_count(self, "decision", "ticks")

    @property
    def neurons(self) -> dict[str, DynamicNeuron | CurrentLeakyIntegrateAndFire]:
        """Both, by name."""
        return {"dynamic": self.dynamic, "popsan": self.popsan}

    def carry_out(self, folder):
        from spikeloop.papers.zhang2022.dynamics_figure import draw

        facts = self.facts()
        counts = {
            name: {length: spike_counts(neuron, INPUTS, length) for length in (self.decision, self.ticks)}
            for name, neuron in self.neurons.items()
        }
        # At other settings there is nothing to stand beside what was found.
        usual = self == NeuronDynamics()
        write_atomically(folder / "dynamics.png", draw(self))
        title = "One neuron under constant input: the dynamic one of MDC-SAN and that of PopSAN."
        tables = [facts_table(facts, usual), counts_table(counts, COUNTS if usual else {})]
        table = {"title": title, "markdown": "\n\n".join(tables), **facts, "inputs": INPUTS, "spikes": counts}
        write_json(folder / "table.json", table)

    def facts(self) -> dict[str, Any]:
        """First ticks, rheobases, equilibria without input, where inhibition excites, and when the encoder fires."""
        first = simulate(self.dynamic, np.full((len(HAND), 1), HAND_INPUT))
        # At the first tick v = c = I.
        found = {name: onset(neuron, 2.0 * neuron.threshold) for name, neuron in self.neurons.items()}
        # Under inhibition v = I, then I^2 + (1 + current_decay) I, which is above the threshold here at the latest.
        rebound = onset(self.dynamic, -2.0 - self.dynamic.threshold)
        return {
            "first_ticks": [
                [round(float(value[tick, 0]), 4) for value in (first.v, first.u, first.spikes)]
                for tick in range(len(HAND))
            ],
            "rheobase": {
                name: {
                    "current": round(found[name] / (1.0 - neuron.current_decay), 6),
                    "input": round(found[name], 6),
                    "current_in_theory": round(rheobase(neuron), 6),
                }
                for name, neuron in self.neurons.items()
            },
            "equilibria": {
                name: [[round(v, 6), stable] for v, stable in equilibria(neuron, 0.0)]
                for name, neuron in self.neurons.items()
            },
            "rests_above": {
                "current": round(lowest_rest(self.dynamic), 6),
                "input": round(lowest_rest(self.dynamic) * (1.0 - self.dynamic.current_decay), 6),
            },
            "rebound_below": {"input": round(rebound, 6)},
            "encoder": {f"{activity:g}": encoder_spikes(activity) for activity in (1.0, 0.5)},
        }


def simulate(neuron: AbstractNeuron, inputs: Float[np.ndarray, "ticks n"]) -> Any:
    """The state at the end of every tick, in double precision: each leaf has shape [ticks, n]."""
    with jax.enable_x64(True):
        return jax.device_get(_simulate(neuron, jnp.asarray(inputs, jnp.float64)))


@eqx.filter_jit
def _simulate(neuron, inputs):
    def tick(state, current):
        state, _ = neuron.step(state, current, None)
        return state, state

    return jax.lax.scan(tick, neuron.init(inputs.shape[1]), inputs)[1]


def spike_counts(neuron: AbstractNeuron, inputs: Any, ticks: int) -> list[int]:
    """How often it fires in so many ticks under each constant input, from rest."""
    return simulate(neuron, np.tile(np.asarray(inputs, float), (ticks, 1))).spikes.sum(axis=0).astype(int).tolist()


def onset(neuron: AbstractNeuron, fires: float) -> float:
    """The constant input nearest to 0 at which it fires, by bisection between 0 and one at which it does."""
    silent = 0.0
    for _ in range(30):
        middle = 0.5 * (silent + fires)
        if spike_counts(neuron, [middle], LONG)[0]:
            fires = middle
        else:
            silent = middle
    return fires


def equilibria(neuron: DynamicNeuron | CurrentLeakyIntegrateAndFire, current: float) -> list[Equilibrium]:
    """Where the potential rests under a constant current c, were it not for the threshold; the lower first."""
    if isinstance(neuron, CurrentLeakyIntegrateAndFire):
        return [Equilibrium(current / (1.0 - neuron.voltage_decay), True)]
    k = slope(neuron)
    inside = k * k / 4.0 - current
    found = [k / 2.0 - math.sqrt(inside), k / 2.0 + math.sqrt(inside)] if inside >= 0.0 else []
    return [Equilibrium(v, is_stable(neuron, v)) for v in found]


def slope(neuron: DynamicNeuron) -> float:
    """k of v^2 - k v + c = 0."""
    return 1.0 + neuron.theta_v / neuron.theta_u


def is_stable(neuron: DynamicNeuron, v: float) -> bool:
    """Whether both eigenvalues of the map at an equilibrium lie inside the unit circle."""
    jacobian = np.array([[2.0 * v, -1.0], [neuron.theta_v, 1.0 - neuron.theta_u]])
    return bool(np.abs(np.linalg.eigvals(jacobian)).max() < 1.0)


def rheobase(neuron: DynamicNeuron | CurrentLeakyIntegrateAndFire) -> float:
    """The constant current c above which it fires, in theory."""
    if isinstance(neuron, CurrentLeakyIntegrateAndFire):
        return neuron.threshold * (1.0 - neuron.voltage_decay)
    highest = min(0.5 * slope(neuron), neuron.threshold)
    return slope(neuron) * highest - highest**2


def lowest_rest(neuron: DynamicNeuron) -> float:
    """The constant current c below which the lower equilibrium is unstable and the potential alternates around it."""
    v = (neuron.theta_u - 2.0 - neuron.theta_v) / (4.0 - 2.0 * neuron.theta_u)
    return slope(neuron) * v - v**2


def encoder_spikes(activity: float) -> str:
    """Spikes of PopSAN's deterministic population code, 1 or 0 a tick, at this activity."""
    code = DeterministicPopulationCode(neurons_per_variable=1)
    with jax.enable_x64(True):
        params = code.init(1, jax.random.key(0))
        away = params.deviation[0] * math.sqrt(2.0 * math.log(1.0 / activity))  # where the Gaussian has this activity
        state, fired = code.init_state(params), []
        for _ in range(ENCODER_TICKS):
            state, spikes = code.step(params, state, away, None)
            fired.append(f"{int(spikes[0])}")
    return "".join(fired)


def facts_table(facts: dict[str, Any], usual: bool) -> str:
    """What is known, beside what was found; at other settings only what was found."""

    def resting(name):
        places = (f"{v:.3f} ({'stable' if stable else 'unstable'})" for v, stable in facts["equilibria"][name])
        return ", ".join(places) or "none"

    def shown(values):
        return f"{values[0]:.4f}, {values[1]:.4f}, {values[2]:.0f}"

    rows = [
        [f"dynamic, input {HAND_INPUT:g}, tick {tick}: v, u, spike", shown(hand), shown(found)]
        for tick, (hand, found) in enumerate(zip(HAND, facts["first_ticks"], strict=True), start=1)
    ]
    for name, known in (("dynamic", ("0.1139", "0.0569")), ("popsan", ("0.1250", "0.0625"))):
        found = facts["rheobase"][name]
        rows += [
            [f"{NAMES[name]}: rheobase, constant c", known[0], f"{found['current']:.6f}"],
            ["the same in theory", known[0], f"{found['current_in_theory']:.6f}"],
            ["the same as constant input", known[1], f"{found['input']:.6f}"],
        ]
    rows += [
        ["dynamic neuron: equilibria at c = 0", "0 and 0.675", resting("dynamic")],
        ["PopSAN's neuron: equilibrium at c = 0", "0", resting("popsan")],
        ["dynamic neuron: rests only above the input", "", f"{facts['rests_above']['input']:.4f}"],
        ["dynamic neuron: fires below the input", "-0.7 to -0.5", f"{facts['rebound_below']['input']:.4f}"],
        ["deterministic code, A = 1", "every tick", facts["encoder"]["1"]],
        ["deterministic code, A = 0.5", "every second", facts["encoder"]["0.5"]],
    ]
    return markdown(["", *(["known"] if usual else []), "here"], [row if usual else [row[0], row[2]] for row in rows])


def counts_table(counts: dict[str, dict[int, list[int]]], known: dict[str, dict[int, tuple[int, ...]]]) -> str:
    """Spikes by input, for both neurons and both times, each beside what is known."""
    header, columns = ["constant input"], [[f"{value:g}" for value in INPUTS]]
    for name, of in counts.items():
        for length, found in of.items():
            if name in known:
                header.append(f"{NAMES[name]}, T = {length}, known")
                columns.append([str(count) for count in known[name][length]])
            header.append(f"{NAMES[name]}, T = {length}, here")
            columns.append([str(count) for count in found])
    return markdown(header, list(zip(*columns, strict=True)))
