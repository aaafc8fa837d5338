"""Every synapse an agent, in a world: what is scored, what is told, and that a silent network is not trained in silence."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from rich.console import Console
from tests.iterate import flat, iterate
from tests.worlds import Bullseye, ConstantReward, Corridor

from spikeloop.cli.progress import TerminalWatcher
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Actor, Constant, play_episode
from spikeloop.learners import AntitheticSynapseAgents, SynapseAgents
from spikeloop.learners.synapses import (
    Additive,
    FiringRates,
    QNetwork,
    SynapseState,
    SynapticRule,
    Table,
    places,
)
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.training import Protocol, Trainer

SPIKING = SpikingPolicy(network=FeedForward((5, 3), IntegrateAndFire(0.3)), ticks=4)
QUIET = SpikingPolicy(network=FeedForward((5,), IntegrateAndFire(1e6)), ticks=1)
WALK = SynapticRule(exploration=Constant(1.0), change=Additive(0.1))


def test_one_iteration_is_one_act_of_every_synapse_and_so_many_episodes():
    first, states, report = iterate(SynapseAgents(SPIKING, WALK, episodes=3), Corridor(), 6)
    path = np.concatenate([np.asarray(ravel_pytree(first.params)[0])[None], flat(states.params)])
    changes = np.diff(path, axis=0)
    np.testing.assert_allclose(np.round(changes / 0.1), changes / 0.1, atol=1e-3)
    assert set(np.round(changes / 0.1).ravel().tolist()) == {-1.0, 0.0, 1.0}
    np.testing.assert_allclose(np.asarray(report.metrics["weight_change"]), np.abs(changes).mean(axis=1), rtol=1e-3)
    episodes = report.episodes
    assert episodes.length.shape == (6, 3) and np.asarray(episodes.ended).all()
    np.testing.assert_array_equal(np.asarray(report.env_steps), np.asarray(episodes.length).sum(axis=1))
    scores = np.asarray(episodes.episode_return).mean(axis=1)
    np.testing.assert_allclose(np.asarray(report.metrics["score"]), scores, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(report.metrics["reward"]), [0.0, *np.where(np.diff(scores) > 0, 1, -1)])
    assert len(set(scores.tolist())) > 2


def test_the_score_is_that_of_the_new_weights():
    """A world without chance, a linear policy: what is played is what the actor plays after the act, not before."""
    learner = SynapseAgents(DeepPolicy(()), WALK)
    _, states, report = iterate(learner, Bullseye(), 10)
    scores = np.asarray(report.metrics["score"])
    play = jax.jit(lambda state: play_episode(Bullseye(), learner.actor(Bullseye(), state), jax.random.key(0)).episode)
    played = [float(play(jax.tree.map(lambda leaf, t=t: leaf[t], states)).episode_return) for t in range(10)]
    np.testing.assert_allclose(scores, played, rtol=1e-4)
    assert len(set(scores.tolist())) > 5


def test_they_find_the_bullseye():
    """The tabular agents of the linear toys in a world: four weights, a return that is quadratic in the action."""
    rule = SynapticRule(exploration=Constant(0.1), change=Additive(0.02))

    def scores(value, key):
        learner = SynapseAgents(DeepPolicy(()), rule.with_fields(value=value))
        init_key, key = jax.random.split(key)

        def step(state, key):
            state, report = learner.step(Bullseye(), state, key)
            return state, report.metrics["score"]

        return jax.lax.scan(step, learner.init(Bullseye(), init_key), jax.random.split(key, 600))[1]

    keys = jax.random.split(jax.random.key(0), 12)
    learned, idle = (
        np.asarray(jax.jit(jax.vmap(lambda key, value=value: scores(value, key)))(keys))[:, -100:].mean(axis=1)
        for value in (Table(), Table(rate=0.0))
    )
    assert (learned > -0.1).all()
    assert np.median(idle) < -1.0


def test_rates_are_spikes_per_neuron_and_tick_over_all_episodes():
    learner = SynapseAgents(SPIKING, SynapticRule(SynapseState((FiringRates(),))), episodes=2)
    first, states, report = iterate(learner, Corridor(), 1)
    # What was played can be played again: the key of the episodes is the second of the step's three.
    step_key = jax.random.split(jax.random.split(jax.random.key(0))[1], 1)[0]
    params = jax.tree.map(lambda leaf: leaf[0], states.params)
    actor = Actor(SPIKING, params, Corridor().spec.actions)
    played = [play_episode(Corridor(), actor, key) for key in jax.random.split(jax.random.split(step_key, 3)[1], 2)]
    ticks = sum(int(each.episode.length) for each in played) * 4
    rates = [np.sum([each.spikes[layer] for each in played], axis=0) / ticks for layer in (0, 1)]
    for layer, rate in enumerate(rates, start=1):
        assert float(report.metrics[f"firing_rate_{layer}"][0]) == pytest.approx(rate.mean(), abs=1e-6)
    assert 0.0 < rates[0].mean() < 1.0
    where = places(first.params)
    heard = np.asarray(states.synapses.rates.post[0])
    for layer in (0, 1):
        here = where.layer == layer
        np.testing.assert_allclose(heard[here], rates[layer][where.post[here]], atol=1e-6)
    assert not heard[where.layer == 2].any()


LEARNERS = (SynapseAgents, AntitheticSynapseAgents)


@pytest.mark.parametrize("cls", LEARNERS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("silent", [True, False])
def test_a_silent_network_is_reported_and_the_user_is_warned(cls, silent):
    policy = QUIET if silent else QUIET.with_fields(network=FeedForward((5,), IntegrateAndFire(1e-6)))
    protocol = Protocol(env_steps=4, records=1)
    trainer, output = Trainer(Corridor(), cls(policy), protocol, range(2)), io.StringIO()
    watcher = TerminalWatcher(Console(file=output, width=500))
    watcher.begin("mine", trainer)
    records = trainer.advance()
    watcher.records("mine", trainer, records)
    rates = [record.metrics["firing_rate_1"] for record in records]
    assert len(rates) == 2 and all((rate == 0.0) == silent for rate in rates)
    assert ("warning: mine: layer 1 is silent in 2 of 2 seeds" in output.getvalue()) == silent


@pytest.mark.parametrize("cls", LEARNERS, ids=lambda cls: cls.__name__)
def test_a_policy_without_spikes_has_no_rates(cls):
    _, _, report = iterate(cls(DeepPolicy((3,))), ConstantReward(), 1)
    assert not [name for name in report.metrics if name.startswith("firing_rate")]


def test_a_table_is_a_lesson_and_a_network_is_none():
    table = SynapseAgents(DeepPolicy(()), SynapticRule(value=Table(3)))
    state = table.init(ConstantReward(), jax.random.key(0))
    assert table.lessons(state)["table"].shape == (81, 3)
    network = SynapseAgents(DeepPolicy(()), SynapticRule(value=QNetwork()))
    assert network.lessons(network.init(ConstantReward(), jax.random.key(0))) == {}


def test_a_network_of_values_learns_from_every_synapse():
    learner = SynapseAgents(DeepPolicy(()), SynapticRule(value=QNetwork(updates=2, batch_size=4)))
    first, states, _ = iterate(learner, Corridor(), 3)
    np.testing.assert_array_equal(np.asarray(states.synapses.value.replay.added), [6, 12, 18])
    assert np.asarray(states.synapses.value.updates).tolist() == [2, 4, 6]
    moved = jax.tree.map(
        lambda new, old: jnp.abs(new[-1] - old).max(), states.synapses.value.online, first.synapses.value.online
    )
    assert all(float(change) > 0 for change in jax.tree.leaves(moved))


@pytest.mark.parametrize("episodes", [0, -1])
def test_invalid_fields(episodes):
    with pytest.raises(InvalidInput, match=r"^SynapseAgents\.episodes must be a whole number"):
        SynapseAgents(episodes=episodes)
