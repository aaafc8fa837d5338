"""Individuals that NEST scores, from outside, are individuals that the library scores: generation for generation.

Runs only where NEST is installed (`make test-nest`).
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.environments import Gymnax
from spikeloop.interaction import LargestObservation
from spikeloop.learners import Evolution
from spikeloop.learners.strategies import Clipped, Everyone, FromRange, Genetic
from spikeloop.papers.labady2023.setting import MOUNTAIN_CAR

nest = pytest.importorskip("nest")
peer = pytest.importorskip("benchmarks.peer_nest")

nest.verbosity = nest.VerbosityLevel.ERROR

WORLD = Gymnax("MountainCar-v0", max_steps=40)
POLICY, BINS = MOUNTAIN_CAR, 30
LOW, HIGH = np.array([-1.2, -0.07]), np.array([0.6, 0.07])
STRATEGY = Genetic(6, tournament=3, sigma=5.0, bounds=Clipped(), first=FromRange(-20.0, 20.0), remeasuring=Everyone())
LEARNER = Evolution(POLICY, STRATEGY, score=LargestObservation(0))
GENERATIONS = 3


def driven(seen):
    """The two input neurons of a position and a velocity, counted without the library's encoder."""
    bins = np.clip(np.floor((seen - LOW) / (HIGH - LOW) * BINS).astype(int), 0, BINS - 1)
    return bins + np.array([0, BINS])


def play(individual, key, reset, step):
    """The score of an episode that NEST plays, and the spikes of each population."""
    split = peer.INPUTS * peer.HIDDEN
    genes = [
        individual[:split].reshape(peer.INPUTS, peer.HIDDEN),
        individual[split:].reshape(peer.HIDDEN, peer.OUTPUTS),
    ]
    brain = peer.Network([values.astype(np.float64) for values in genes], threads=1)
    reset_key, key = jax.random.split(key)
    state, seen = reset(reset_key)
    positions = [seen[0]]
    for _ in range(WORLD.spec.max_steps):
        left, none, right = brain.window(driven(np.asarray(seen, np.float64)))
        action = 0 if left > max(none, right) else 2 if right > max(left, none) else 1
        state, after = step(state, jnp.int32(action), key)  # Mountain Car draws nothing on the way
        seen = after.obs
        positions.append(seen[0])
    return max(float(position) for position in positions), brain.counts()


def test_nest_outside_is_the_policy_inside():
    reset, step = jax.jit(WORLD.reset), jax.jit(WORLD.step)
    ask, tell, iterate = jax.jit(STRATEGY.ask), jax.jit(STRATEGY.tell), jax.jit(LEARNER.step, static_argnums=0)
    inside = LEARNER.init(WORLD, jax.random.key(0))
    outside = inside
    neurons = np.asarray([peer.INPUTS, peer.HIDDEN, peer.OUTPUTS])
    for key in jax.random.split(jax.random.key(1), GENERATIONS):
        ask_key, start_key = jax.random.split(key)  # as the learner does
        population = ask(outside, ask_key)
        starts = LEARNER.start(STRATEGY.population, LEARNER.episodes, start_key)[:, 0]
        played = [play(np.asarray(x), start, reset, step) for x, start in zip(population, starts, strict=True)]
        scores, spikes = zip(*played, strict=True)
        outside = tell(outside, population, jnp.asarray(scores, jnp.float32))
        inside, report = iterate(WORLD, inside, key)
        assert (np.asarray(report.episodes.length) == WORLD.spec.max_steps).all()
        ticks = STRATEGY.population * WORLD.spec.max_steps * POLICY.ticks
        rates = [float(report.metrics[f"firing_rate_{place}"]) for place in (1, 2, 3)]
        np.testing.assert_allclose(rates, np.sum(spikes, axis=0) / neurons / ticks, rtol=1e-6)  # not a spike apart
        np.testing.assert_array_equal(np.asarray(inside.fitness), np.asarray(outside.fitness))
        np.testing.assert_array_equal(np.asarray(inside.population), np.asarray(outside.population))
        assert len(set(scores)) > 1 and (np.sum(spikes, axis=0) > 0).all()
    key = jax.random.key(2)
    np.testing.assert_array_equal(np.asarray(ask(inside, key)), np.asarray(ask(outside, key)))
