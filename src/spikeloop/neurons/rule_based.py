r"""Rule-based neuron: six kinds of synapses, each an exponentially decaying potential, and rules for what may fire.

It is the event-driven cell INTF7 of Neymotin and colleagues (after Lytton & Stewart 2006), which Hasegan et al. 2022
(doi:10.3389/fncom.2022.1017284) build their networks of, stepped here at a fixed resolution h. Potentials are in mV. With D the
deviation from rest, the sum of the six synaptic potentials and of the after-hyperpolarisation, cut to [rest, -rest], a weight w
that arrives adds at once

    AMPA, AMPA2    P <- max(P + w (1 - D/65), 0)
    NMDA, NMDA2    P <- max(P + w B (1 - D/90), 0)   if P < 90        B = 1 / (1 + (1.6/3.57) exp(-0.062 (rest + D)))
    GABA, GABA2    P <- min(P - w (1 + D/15), 0)     if P > -15

and between arrivals every potential decays, P <- P exp(-h/tau). A neuron fires in a tick in which something arrives, if

    V = rest + sum of potentials, satisfies    threshold + raised < V <= block

and it is not refractory: above `block` it is in depolarisation block. A spike takes `ahp_weight` from the after-hyperpolarisation,
holds the neuron for `refractory` ms, and sets raised = raised_share (block - threshold), which decays with tau_raised from the
end of the refractory time on. The membrane is not reset: what fired a neuron goes on decaying.

Events of one tick meet each other, as those of the original do, which takes them one by one: n events of weight w leave
(1 - w/65)^n of the distance from the reversal potential of AMPA, (1 - w/15)^n of that of GABA, and a neuron fires where one of
them lands between threshold and block, not where their sum does. So small events carry a neuron over the threshold that one of
the same total would block, and inhibition does not grow with their number for ever.

Readings: in a tick, GABA events come first, and the weights of a kind are all their mean; NMDA is linear in them. Since a cell of
the original does nothing between events, one that is above the threshold does not fire by itself when its refractory time ends,
but with the next arrival.
"""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from spikeloop.component import require, require_finite, require_positive, require_ticks
from spikeloop.neurons._base import AbstractNeuron

MOST = 31  # events at one kind of synapses in one tick that are told apart
MAGNESIUM = 1.6 / 3.57  # concentration over the half-activation of Jahr & Stevens 1990
RECEPTORS = ("ampa", "ampa2", "nmda", "nmda2", "gaba", "gaba2")
REVERSALS: dict[str, float] = dict(
    zip(RECEPTORS, (65.0, 65.0, 90.0, 90.0, -15.0, -15.0), strict=True)
)  # potentials above rest, mV
COUNTED = ("ampa", "ampa2", "gaba", "gaba2")  # kinds whose arrivals in one tick meet each other's potentials


class Synapses(eqx.Module):
    """One number of every neuron for each kind of synapse; None where no synapse of that kind ends."""

    ampa: Float[Array, "*ticks n"] | None = None
    ampa2: Float[Array, "*ticks n"] | None = None
    nmda: Float[Array, "*ticks n"] | None = None
    nmda2: Float[Array, "*ticks n"] | None = None
    gaba: Float[Array, "*ticks n"] | None = None
    gaba2: Float[Array, "*ticks n"] | None = None

    def present(self) -> dict[str, Float[Array, "*ticks n"]]:
        """Those that are not None, by name."""
        return {name: getattr(self, name) for name in RECEPTORS if getattr(self, name) is not None}


class Arrivals(eqx.Module):
    """What arrives in a tick, as `arrivals` makes it of weights: all that does not depend on the neuron's state."""

    left: Synapses  # of AMPA and GABA: the share of the distance from the reversal potential that is left
    nmda: Synapses  # weights, added up
    excitations: Float[Array, "*ticks n"]  # events at AMPA synapses
    anything: Bool[Array, "*ticks n"]


def arrivals(weights: Synapses, events: Synapses) -> Arrivals:
    """Events of these kinds in one tick, equal and one after the other: their weights added up, and how many they are.

    A kind without `events` arrives in one event. A GABA event that passes the reversal potential is the last to count.
    """
    present = {name: jnp.maximum(sums, 0.0) for name, sums in weights.present().items()}
    numbers = {name: (sums > 0).astype(sums.dtype) for name, sums in present.items()} | events.present()
    left, excitations = {}, jnp.zeros_like(next(iter(present.values())))
    for name, sums in present.items():
        if name.startswith("nmda"):
            continue
        number = jnp.round(numbers[name])
        share = sums / jnp.maximum(number, 1.0) / abs(REVERSALS[name])
        once = (share >= 1.0) & name.startswith("gaba")
        left[name] = _power(1.0 - share, jnp.where(once, jnp.minimum(number, 1.0), number))
        excitations = excitations + number if name.startswith("ampa") else excitations
    nmda = {name: sums for name, sums in present.items() if name.startswith("nmda")}
    return Arrivals(Synapses(**left), Synapses(**nmda), excitations, jnp.asarray(sum(present.values()) > 0))


def _power(base, exponent):
    """A whole power of up to `MOST`, by squaring, which costs no logarithm."""
    exponent = jnp.minimum(exponent, MOST).astype(jnp.int32)
    power = jnp.ones_like(base)
    for bit in range(MOST.bit_length()):
        power = jnp.where((exponent >> bit) & 1 == 1, power * base, power)
        base = base * base
    return power


class RuleBasedState(eqx.Module):
    """State of rule-based neurons. The potential of a kind of synapse that no neuron has may be None."""

    potentials: Synapses  # of each kind of synapse, mV
    hyperpolarisation: Float[Array, " n"]  # after spikes, at most 0, mV
    raised: Float[Array, " n"]  # how far the threshold stands above its resting value, mV
    refractory: Float[Array, " n"]  # ticks until it may fire again
    fired: Float[Array, " n"]  # 1 where it fired in the last tick, of which the three numbers above do not know yet


class RuleBasedNeuron(AbstractNeuron):
    """Exponential potentials of six kinds of synapses, refractoriness and depolarisation block by rules (INTF7).

    Its input is a `Synapses` of arriving weights of at least 0, also for GABA, each one event; an array alone is AMPA; more events
    in a tick are what `arrivals` makes of them. The defaults are the excitatory cells of Hasegan et al. 2022. Spikes have no
    derivative.
    """

    rest: float = -65.0  # resting potential, mV
    threshold: float = -40.0  # potential above which a rested neuron fires, mV
    block: float = -25.0  # potential above which none fires, mV
    refractory: float = 5.0  # time after a spike in which none follows, ms: a multiple of the resolution
    tau_raised: float = 8.0  # time constant with which the threshold sinks back, ms
    raised_share: float = 0.75  # how far a spike raises it, of the way from threshold to block
    ahp_weight: float = 1.0  # after-hyperpolarisation by a spike, mV
    tau_ahp: float = 400.0  # its time constant, ms
    tau_ampa: float = 10.0  # time constants of the potentials, ms
    tau_ampa2: float = 20.0
    tau_nmda: float = 300.0
    tau_nmda2: float = 300.0
    tau_gaba: float = 10.0
    tau_gaba2: float = 20.0
    resolution: float = 0.5  # length of a tick, ms

    def __check_init__(self):
        require_positive(self, "resolution", "tau_raised", "tau_ahp", *(f"tau_{name}" for name in RECEPTORS))
        require(self, "rest", lambda mv: math.isfinite(mv) and mv < 0, "a finite number below 0 mV")
        require_finite(self, "threshold", "block")
        require(self, "block", lambda mv: mv > self.threshold, f"above threshold, {self.threshold} mV")
        for field in ("raised_share", "ahp_weight"):
            require(self, field, lambda value: math.isfinite(value) and value >= 0, "a finite number of at least 0")
        require_ticks(self, self.resolution, "refractory", least=1)

    def init(self, size):
        zero = jnp.zeros(size)
        return RuleBasedState(Synapses(*(zero for _ in RECEPTORS)), zero, zero, zero, zero)

    def step(self, state: RuleBasedState, current: Arrivals | Synapses | Float[Array, " n"], key):
        came = current if isinstance(current, Arrivals) else arrivals(_synapses(current), Synapses())
        left = came.left.present()
        potentials = {name: value * self.decay(name) for name, value in state.potentials.present().items()}
        ahp = (state.hyperpolarisation - self.ahp_weight * state.fired) * self.decay("ahp")
        fired = state.fired > 0
        refractory = jnp.where(fired, self._held(), state.refractory)
        raised = jnp.where(fired, self.raised_share * (self.block - self.threshold), state.raised)
        raised = jnp.where(refractory > 0, raised, raised * self.decay("raised"))
        refractory = jnp.maximum(refractory - 1.0, 0.0)

        def deviation():
            return jnp.clip(sum(potentials.values()) + ahp, self.rest, -self.rest)

        met = deviation()
        for name in ("gaba", "gaba2"):
            if name in left:
                inhibited = jnp.minimum(potentials[name] - (met - REVERSALS[name]) * (1.0 - left[name]), 0.0)
                potentials[name] = jnp.where(potentials[name] > REVERSALS[name], inhibited, potentials[name])
        met = deviation()
        for name, weights in came.nmda.present().items():
            unblocked = 1.0 / (1.0 + MAGNESIUM * jnp.exp(-0.062 * (self.rest + met)))
            more = weights * unblocked * (1.0 - met / REVERSALS[name])
            excited = jnp.maximum(potentials[name] + more, 0.0)
            potentials[name] = jnp.where(potentials[name] < REVERSALS[name], excited, potentials[name])
        excited = jnp.zeros_like(ahp)
        for name in ("ampa", "ampa2"):
            if name in left:
                more = (REVERSALS[name] - met) * (1.0 - left[name])
                potentials[name], excited = jnp.maximum(potentials[name] + more, 0.0), excited + more
        fires = came.anything & (refractory == 0) & self._lands(met, excited, came.excitations, raised)
        fires = fires.astype(ahp.dtype)
        return RuleBasedState(Synapses(**potentials), ahp, raised, refractory, fires), fires

    def decay(self, name: str) -> Float[Array, "..."]:
        """What is left after a tick of the potential with the time constant ``tau_NAME``."""
        return jnp.exp(jnp.asarray(-self.resolution / getattr(self, f"tau_{name}"), jnp.float32))

    def potential(self, state: RuleBasedState) -> Float[Array, " n"]:
        """The membrane potential, mV."""
        hyperpolarised = state.hyperpolarisation - self.ahp_weight * state.fired
        return self.rest + sum(state.potentials.present().values()) + hyperpolarised

    def _held(self):
        return jnp.round(jnp.asarray(self.refractory / self.resolution, jnp.float32))

    def _lands(self, met, excited, events, raised):
        """Whether the first of these steps that takes the potential above threshold leaves it below the block."""
        low, high = self.threshold + raised - self.rest, self.block - self.rest
        step = jnp.where(events > 0, excited / jnp.maximum(events, 1.0), 0.0)
        crossing = jnp.floor(jnp.maximum(low - met, 0.0) / jnp.maximum(step, 1e-6)) + 1.0
        at = jnp.where(step > 0, met + crossing * step, met)
        return (crossing <= jnp.maximum(events, 1.0)) & (at > low) & (at <= high)


def _synapses(current):
    return current if isinstance(current, Synapses) else Synapses(current)
