"""Trained policies in any loop: shapes, batches, and when state is kept."""

import gymnasium
import numpy as np
import pytest

import spikeloop
from spikeloop.errors import InvalidInput
from spikeloop.learners import RandomSearch
from spikeloop.loading import load, load_policies, median_seed
from spikeloop.networks import FeedForward
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy
from spikeloop.run import Run
from spikeloop.training import Protocol
from tests.small import small_experiment


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """A run whose learner keeps its membranes between decisions, and whose control does not."""
    keeping = SpikingPolicy(network=FeedForward((8,)), ticks=3, between_decisions=KeepBetweenDecisions())
    forgetting = SpikingPolicy(network=FeedForward((8,)), ticks=3)
    experiment = small_experiment(
        label="keeping",
        learner=RandomSearch(policy=keeping, candidates=2),
        controls={"forgetting": RandomSearch(policy=forgetting, candidates=2)},
        protocol=Protocol(env_steps=100, evaluations=1, records=2, evaluation_episodes=2, final_episodes=2),
        seeds=3,
    )
    made = Run.create(tmp_path_factory.mktemp("loading") / "run", experiment)
    made.carry_out()
    return made


OBSERVATIONS = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)


def outputs(policy: spikeloop.Policy, observations: np.ndarray) -> np.ndarray:
    """What a policy does with one observation after the other."""
    return np.asarray([policy(observation) for observation in observations])


def test_an_action_for_one_and_actions_for_a_batch(run):
    policy = load(run.path, "forgetting")
    assert isinstance(policy(OBSERVATIONS[0]), int)
    batch = policy(OBSERVATIONS)
    assert batch.shape == (40,) and set(batch.tolist()) <= {0, 1}
    np.testing.assert_array_equal(batch, outputs(policy, OBSERVATIONS))


def test_a_policy_that_rests_between_decisions_needs_no_reset(run):
    policy = load(run.path, "forgetting")
    np.testing.assert_array_equal(outputs(policy, OBSERVATIONS), outputs(policy, OBSERVATIONS))


def test_a_policy_that_keeps_its_state_begins_again_after_a_reset(run):
    policy = load(run.path)
    strong = 3.0 * OBSERVATIONS  # enough to leave potentials behind
    first = policy._states, outputs(policy, strong)
    left = policy._states.network[0].v
    assert np.abs(np.asarray(left)).max() > 0
    policy.reset()
    np.testing.assert_array_equal(outputs(policy, strong), first[1])


def test_members_of_a_batch_keep_states_of_their_own(run):
    policy, single = load(run.path), load(run.path)
    together = np.asarray([policy(np.stack([a, b])) for a, b in zip(OBSERVATIONS, -OBSERVATIONS, strict=True)])
    np.testing.assert_array_equal(together[:, 0], outputs(single, OBSERVATIONS))
    single.reset()
    np.testing.assert_array_equal(together[:, 1], outputs(single, -OBSERVATIONS))


def test_it_plays_in_a_gymnasium_loop(run):
    policy, environment = load(run.path), gymnasium.make("CartPole-v1")
    observation, _ = environment.reset(seed=1)
    policy.reset()
    done, total = False, 0.0
    while not done:
        observation, reward, terminated, truncated, _ = environment.step(policy(observation))
        done, total = terminated or truncated, total + float(reward)
    assert 8 <= total <= 500


def test_the_typical_seed_is_the_median_one():
    assert median_seed({"returns": [[1.0], [9.0], [5.0]]}) == 2
    assert median_seed({"returns": [[4.0], [1.0], [3.0], [2.0]]}) == 3  # the lower of the two in the middle


def test_mistakes_are_named(run):
    policy = load(run.path)
    for wrong, words in ((np.zeros(3), "shape"), (np.zeros((2, 3)), "shape"), (np.full(4, np.nan), "NaN")):
        with pytest.raises(InvalidInput, match=words):
            policy(wrong)
    with pytest.raises(InvalidInput, match="no seed 7"):
        load(run.path, seed=7)
    with pytest.raises(InvalidInput, match="no arm"):
        load(run.path, "x")


def test_every_seed_has_parameters_of_its_own(run):
    policies = load_policies(run, "keeping")
    assert policies.seeds == (0, 1, 2)
    first, second = (policies.of_seed(place).params.network[0].weight for place in (0, 1))
    assert not np.allclose(first, second)
