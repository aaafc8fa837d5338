"""Hasegan et al. 2022: their critic by hand, the size of their circuit, and that their rule and ours are one."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.environments import Discrete, Spec
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Episode, Moment, Transition
from spikeloop.networks import TrainableProjection
from spikeloop.papers.hasegan2022 import UprightCritic, stdp_rl
from spikeloop.papers.hasegan2022.setting import BINS, circuit
from spikeloop.policies import Decision

CRITIC = UprightCritic(velocity_weight=0.4, positive_bias=1.5, gain=3.0)


def told(before, now, terminated=False, counts=(3.0, 1.0)):
    def obs(pole):
        return jnp.asarray([0.3, -0.2, *pole])

    no = jnp.zeros((), bool)
    transition = Transition(obs(before), jnp.zeros((), jnp.int32), jnp.ones(()), obs(now), jnp.asarray(terminated), no)
    episode = Episode(no, jnp.ones(()), jnp.ones((), jnp.int32))
    moment = Moment(transition, episode, Decision(jnp.asarray(counts), ()))
    return float(CRITIC.hear(None, moment)[1])


def loss(angle, velocity):
    return math.sqrt(angle**2 + 0.4 * velocity**2)


def test_reward_is_what_the_loss_fell_by():
    fell = 3.0 * (loss(0.1, 0.2) - loss(0.05, 0.1))
    assert told((0.1, 0.2), (0.05, 0.1)) == pytest.approx(1.5 * fell, rel=1e-5)  # the bias is on rewards only
    assert told((0.05, 0.1), (0.1, 0.2)) == pytest.approx(-fell, rel=1e-5)
    assert told((0.05, 0.1), (0.2, 3.0)) == -1.0 and told((0.2, 3.0), (0.05, 0.1)) == 1.0


def test_becoming_upright_is_rewarded_draws_are_punished_and_nothing_is_said_of_what_was_upright():
    assert told((0.02, 0.0), (0.005, 0.005)) == 1.0
    assert told((0.005, 0.005), (0.004, 0.004)) == told((0.005, 0.005), (0.2, 3.0)) == 0.0
    assert told((0.005, 0.005), (0.2, 3.0), counts=(2.0, 2.0)) == 0.0
    assert told((0.02, 0.0), (0.005, 0.005), counts=(2.0, 2.0)) == pytest.approx(-1.0 / 1.5)
    assert told((0.02, 0.0), (0.005, 0.005), counts=(0.0, 0.0)) == pytest.approx(-1.0 / 1.5)


def test_the_end_of_an_episode_says_nothing():
    assert told((0.05, 0.1), (0.25, 3.0), terminated=True) == told((0.1, 0.1), (0.2, 1.0), True, (0.0, 0.0)) == 0.0


def test_it_knows_no_other_world():
    with pytest.raises(InvalidInput, match=r"^UprightCritic knows CartPole's four numbers, and Other shows \(3,\)$"):
        CRITIC.init(Spec("Other", (3,), Discrete(2), 10), jax.random.key(0))


def test_the_circuit_has_1800_plastic_synapses_and_a_neuron_for_each_input():
    network = circuit()
    plastic = [projection for projection in network.projections if isinstance(projection, TrainableProjection)]
    sizes = dict(zip([p.name for p in network.populations], network.sizes(40), strict=True))
    assert sum(projection.convergence * sizes[projection.post] for projection in plastic) == 1800
    assert BINS.size(4) == sizes["ES"] and sum(sizes.values()) == 200


def test_stages_follow_each_other_as_published():
    """500, 2000 and 22,500 s of decisions of 50 ms, the last in six parts, and the numbers of each round."""
    learner: Any = stdp_rl().learner
    assert [stage.env_steps * 0.05 for stage in learner.stages] == [500.0, *[2000.0] * 4, *[5000.0] * 2, 6500.0]
    for env_steps, (step, window, kappa) in (
        (0, (0.04, 3.0, 1.0)),
        (49_999, (0.002, 5.0, 1.0)),
        (50_000, (0.01, 5.0, 0.9)),
    ):
        now = learner._learner(learner._stage(jnp.int32(env_steps)))
        found = (now.rule.rule.rate, now.rule.rule.pairs.window, now.targeting.opposite)
        np.testing.assert_allclose(jax.tree.map(float, found), (step, window, kappa), rtol=1e-6)
