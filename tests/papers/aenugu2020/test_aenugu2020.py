"""The experiments of Aenugu 2020: their settings in numbers, and the scores that the report reads from a run."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.catalogue import built_in
from spikeloop.papers.aenugu2020 import experiments, scores
from spikeloop.papers.aenugu2020.report import learned
from spikeloop.papers.aenugu2020.setting import (
    CARTPOLE_PUBLISHED,
    GRIDWORLD,
    GRIDWORLD_AGENTS,
    MOUNTAIN_CAR,
    MOUNTAIN_CAR_PUBLISHED,
)

# Actors, modules, hidden units and synapses of each: 3 inputs x 3 taps x 2 + 2 x 3 taps; 4 x 200 + 200; 20 x 5 + 5 x 3.
PUBLISHED = {
    "gridworld": (GRIDWORLD_AGENTS, GRIDWORLD, 10 * 4 * (3 * 3 * 2 + 2 * 3), (80, 40)),
    "mountain-car": (MOUNTAIN_CAR_PUBLISHED, MOUNTAIN_CAR, 20 * (20 * 5 + 5 + 5 * 3 + 3), (100, 60)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_networks_have_their_synapses(name):
    learner, world, synapses, populations = PUBLISHED[name]
    policy, actions = learner.policy, world.spec.actions.output_size
    params = jax.eval_shape(lambda: policy.init(world.spec.observation_size, actions, jax.random.key(0)))
    biases = 0 if policy.constant else sum(np.prod(w.shape) // w.shape[2] for w in params.weights)
    assert sum(np.prod(w.shape) for w in params.weights) - biases == synapses
    assert policy.populations(actions) == populations


def test_the_published_cartpole_has_no_biases_and_starts_small():
    policy = CARTPOLE_PUBLISHED.policy
    params = policy.init(4, 2, jax.random.key(0))
    assert [w.shape for w in params.weights] == [(10, 2, 5, 200), (10, 2, 201, 1)]
    assert all(0.0 <= float(w.min()) < float(w.max()) <= 0.01 for w in params.weights)
    _, decision = policy(params, None, jnp.zeros(4), jax.random.key(1))
    log = policy.log_probabilities(params, decision.record)
    np.testing.assert_allclose(np.asarray(log.hidden), 200 * np.log(0.5), rtol=1e-5)  # sees nothing, so tosses coins


def test_a_reward_of_ten_at_the_last_step_is_discounted_by_the_steps_before_it():
    returns, lengths = np.asarray([[10.0, 10.0, 0.0]]), np.asarray([[1, 19, 300]])
    np.testing.assert_allclose(scores(GRIDWORLD, returns, lengths), [[10.0, 10.0 * 0.9**18, 0.0]])
    np.testing.assert_array_equal(scores(MOUNTAIN_CAR, -1.0 * lengths, lengths), -lengths)
    assert learned(MOUNTAIN_CAR, np.asarray([[-110.0, -4999.0], [-110.0, -5000.0]])).tolist() == [True, False]


@pytest.mark.parametrize("name", experiments())
def test_every_experiment_has_its_nulls_and_its_twin(name):
    experiment = built_in(f"aenugu2020/{name}")
    assert {"ann-twin", "random-weights", "random-actions"} <= set(experiment.controls)
    assert experiment.seeds >= 10
