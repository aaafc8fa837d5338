"""Place cells and action cells that compete: the network of Chevtchenko & Ludermir 2021 (their public code, `SNN_v2`).

One tick a decision, three layers after the input bits x:

    hidden   h = 1[x P >= 1]                                    P fixed, drawn once, entries -1, 0 and 1; no memory
    place    v <- v + h W_1 + N(0, sigma_p);  p = argmax v      one cell fires; its v becomes -1, then all are cut to [-1, 1]
    action   u = W_2[p] + N(0, sigma_a)                         one cell fires in each axis, the one of largest u; no memory

Each input excites (+1) a twentieth of the hidden cells, anywhere, and inhibits (-1) a tenth of them, all within a quarter of the
layer on either side of the place that the input's own rank has in it. A cell is never both; in the public code what inhibits may
overwrite what excites, so that there fewer are excited.

An action of several axes is one of `axes[0] * axes[1] * ...`, the last axis counting fastest. The output holds the sum of u over
the axes for each of them; its largest entry is the winner of every axis.
"""

import abc
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.component import Component, require, require_between, require_count
from spikeloop.errors import InvalidInput
from spikeloop.policies._base import AbstractPolicy, Activity, Decision, Trace, TracedDecision, Traffic

THRESHOLD = 1.0  # input at which a hidden cell fires; the place cells' potentials stay within it


class PlaceAndActionParams(eqx.Module):
    """The connections: from the inputs to the hidden cells, to the place cells, to the action cells."""

    hidden: Float[Array, "inputs hidden"]
    place: Float[Array, "hidden places"]
    action: Float[Array, "places cells"]
    alive: tuple[Float[Array, " _"], ...] | None = None  # of each layer: 0 for cells that are silenced; None: none is


class Propagated(eqx.Module):
    """What one decision did: who fired in each layer, and what it left behind."""

    hidden: Float[Array, " hidden"]  # 1.0 for the cells that fired
    place: Float[Array, " places"]  # 1.0 for the winner
    drive: Float[Array, " cells"]  # u of the action cells, noise included
    potentials: Float[Array, " places"]  # v of the place cells after the winner's reset


class AbstractWeightStart(Component):
    """What the weights of the place and action cells begin with."""

    @abc.abstractmethod
    def __call__(
        self, place: tuple[int, int], action: tuple[int, int], key: PRNGKeyArray
    ) -> tuple[Float[Array, "hidden places"], Float[Array, "places cells"]]:
        """Both matrices, of these shapes."""


class ZeroWeights(AbstractWeightStart):
    """All zero, as in the paper: at first chance alone decides who wins."""

    def __call__(self, place, action, key):
        return jnp.zeros(place), jnp.zeros(action)


class DrawnWeights(AbstractWeightStart):
    """Drawn at random: place cells' normal around 0, action cells' even between 0 and 1. For search without learning."""

    deviation: float = 0.1  # standard deviation of the place cells' weights

    def __check_init__(self):
        require(self, "deviation", lambda value: 0.0 < value < math.inf, "a positive finite number")

    def __call__(self, place, action, key):
        place_key, action_key = jax.random.split(key)
        return self.deviation * jax.random.normal(place_key, place), jax.random.uniform(action_key, action)


class PlaceAndActionPolicy(AbstractPolicy):
    """Hidden cells with fixed random weights, place cells of which one fires, and action cells of which one fires an axis."""

    hidden: int = 1000  # hidden cells
    places: int = 100  # place cells
    axes: tuple[int, ...] | None = None  # choices of each axis of an action; None: a single axis with all actions
    excited: float = 0.05  # share of the hidden cells that an input excites
    inhibited: float = 0.1  # share that it inhibits
    spread: float = 0.25  # how far on either side they are, as a share of the hidden layer
    place_noise: float = 0.4  # standard deviation of the noise on the place cells' potentials
    action_noise: float = 0.1  # the same on the action cells', where no learner says otherwise
    start: AbstractWeightStart = ZeroWeights()  # the weights that it begins with

    def __check_init__(self):
        require_count(self, "hidden", "places")
        require_between(self, 0.0, 1.0, "excited", "inhibited", "spread")
        room = min(1.0, 2.0 * self.spread)
        rule = f"at most what room there is beside the excited, {room:g} - {self.excited:g}"
        require(self, "inhibited", lambda share: share + self.excited <= room + 1e-9, rule)
        for noise in ("place_noise", "action_noise"):
            require(self, noise, lambda value: 0.0 <= value < math.inf, "a finite number of at least 0")
        rule = "None or a non-empty tuple of whole numbers of at least 2"
        require(self, "axes", lambda axes: axes is None or (len(axes) > 0 and all(n >= 2 for n in axes)), rule)

    @property
    def stochastic(self):
        return True

    @property
    def carries_state(self):
        return True

    @property
    def ticks_per_decision(self):
        return 1

    def cells_of(self, out_size: int) -> Float[np.ndarray, "out cells"]:
        """Which action cells, one an axis, stand for each action: 1.0 there. Raises InvalidInput if the axes do not fit."""
        axes = (out_size,) if self.axes is None else self.axes
        if math.prod(axes) != out_size:
            raise InvalidInput(f"axes of {axes} make {math.prod(axes)} actions, and the environment has {out_size}")
        chosen = np.stack(np.unravel_index(np.arange(out_size), axes), axis=1)
        return np.concatenate([np.eye(n, dtype=np.float32)[chosen[:, place]] for place, n in enumerate(axes)], axis=1)

    def populations(self, out_size):
        return self.hidden, self.places, self.cells_of(out_size).shape[1]

    def init(self, obs_size, out_size, key):
        hidden_key, weights_key = jax.random.split(key)
        shapes = (self.hidden, self.places), (self.places, self.cells_of(out_size).shape[1])
        place, action = self.start(*shapes, weights_key)
        return PlaceAndActionParams(self._connections(obs_size, hidden_key), place, action)

    def init_state(self, params):
        return jnp.zeros(self.places)

    def propagate(
        self,
        params: PlaceAndActionParams,
        potentials: Float[Array, " places"],
        obs: Float[Array, " inputs"],
        action_noise: Float[Array, ""] | float,
        key: PRNGKeyArray,
    ) -> Propagated:
        """One pass through the layers, with this much noise on the action cells."""
        place_key, action_key = jax.random.split(key)
        hidden_alive, place_alive, cells_alive = params.alive or (None, None, None)
        hidden = _living((obs @ params.hidden >= THRESHOLD).astype(jnp.float32), hidden_alive)
        noise = self.place_noise * jax.random.normal(place_key, potentials.shape)
        potentials = potentials + hidden @ params.place + noise
        winner = jnp.argmax(potentials)
        potentials = jnp.clip(potentials.at[winner].set(-THRESHOLD), -THRESHOLD, THRESHOLD)
        place = _living(jax.nn.one_hot(winner, self.places), place_alive)
        drive = params.action[winner] if params.alive is None else place[winner] * params.action[winner]
        drive = drive + action_noise * jax.random.normal(action_key, drive.shape)
        return Propagated(hidden, place, _living(drive, cells_alive), potentials)

    def __call__(self, params, state, obs, key):
        done = self.propagate(params, state, jnp.ravel(obs), self.action_noise, key)
        return done.potentials, self._decision(params, done)

    def activity(self, params, state, obs, key):
        inputs = jnp.ravel(obs)
        done = self.propagate(params, state, inputs, self.action_noise, key)
        decision = self._decision(params, done)
        traffic = (
            Traffic(params.hidden, inputs[None], "inputs to hidden"),
            Traffic(params.place, done.hidden[None], "hidden to places"),
            Traffic(params.action, done.place[None], "places to actions"),
        )
        outputs = tuple(fired[None] for fired in decision.spikes)
        return done.potentials, Activity(decision, traffic, outputs, (done.potentials[None],))

    def _decision(self, params, done):
        out_size = math.prod(self.axes or (params.action.shape[1],))
        cells = jnp.asarray(self.cells_of(out_size))
        output = cells @ done.drive
        fired = _living(cells[jnp.argmax(output)], None if params.alive is None else params.alive[2])
        return Decision(output, (done.hidden, done.place, fired))

    def trace(self, params, state, obs, key):
        state, traced = self.probe(params, state, obs, key)
        return state, TracedDecision(traced.decision, Trace(traced.trace.spikes, traced.trace.evidence))

    def probe(self, params, state, obs, key):
        """The potentials of the place cells, and u of the action cells; hidden cells have none."""
        done = self.propagate(params, state, jnp.ravel(obs), self.action_noise, key)
        decision = self._decision(params, done)
        spikes = tuple(fired[None] for fired in decision.spikes)
        membranes = None, done.potentials[None], done.drive[None]
        return done.potentials, TracedDecision(decision, Trace(spikes, decision.output[None], membranes))

    def _connections(self, inputs: int, key: PRNGKeyArray) -> Float[Array, "inputs hidden"]:
        excited_key, inhibited_key = jax.random.split(key)
        shape, width = (inputs, self.hidden), round(2 * self.spread * self.hidden)
        first = np.arange(inputs) * self.hidden / inputs - self.spread * self.hidden
        first = np.clip(np.floor(first), 0, self.hidden - width)[:, None]  # a window at the edge is shifted inside
        near = (np.arange(self.hidden) >= first) & (np.arange(self.hidden) < first + width)
        excited = _lowest(jax.random.uniform(excited_key, shape), round(self.excited * self.hidden))
        lots = jax.random.uniform(inhibited_key, shape)
        inhibited = _lowest(jnp.where(jnp.asarray(near) & ~excited, lots, 2.0), round(self.inhibited * self.hidden))
        return excited.astype(jnp.float32) - inhibited.astype(jnp.float32)


def _lowest(lots, count):
    """Which entries of each row are among its `count` lowest."""
    return jnp.argsort(jnp.argsort(lots, axis=1), axis=1) < count


def _living(fired, alive):
    """What fired, without what is silenced."""
    return fired if alive is None else fired * alive
