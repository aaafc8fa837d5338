"""The experiments of Zhang et al. 2022: the settings of the paper, and shapes that fit every task."""

from typing import Any

import jax
import pytest

from spikeloop.catalogue import ENTRIES, built_in
from spikeloop.environments import Box
from spikeloop.interaction import Constant, GaussianNoise
from spikeloop.learners import TD3, SoftTarget
from spikeloop.papers.zhang2022.setting import MDC_SAN, POPSAN
from spikeloop.papers.zhang2022.tasks import ACTORS, TASKS

EXPERIMENTS = [f"zhang2022/{task}/{actor}" for task in TASKS for actor in ACTORS]


def test_every_actor_on_every_task_is_listed():
    assert set(EXPERIMENTS) <= set(ENTRIES) and len(EXPERIMENTS) == 16
    lines = [ENTRIES[name].line for name in EXPERIMENTS]
    assert len(set(lines)) == 16 and all("TD3" in line for line in lines)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_settings_are_those_of_the_paper(name):
    made = built_in(name)
    learner = made.learner
    assert isinstance(learner, TD3)
    assert isinstance(learner.target, SoftTarget) and isinstance(learner.exploration, GaussianNoise)
    spiking = name.endswith(("mdc-san", "popsan"))
    assert learner.optimizer.learning_rate == Constant(1e-4 if spiking else 1e-3)
    assert learner.critic_optimizer.learning_rate == Constant(1e-3)
    assert (learner.discount, learner.target.rate, learner.replay.capacity, learner.batch_size) == (
        0.99,
        0.005,
        10**6,
        100,
    )
    assert (learner.exploration.deviation, learner.target_noise, learner.target_noise_clip) == (0.1, 0.2, 0.5)
    assert (learner.policy_delay, learner.exploration.random_steps, learner.learning_starts) == (2, 10_000, 1000)
    assert (learner.critic.widths, learner.policy_delay) == ((256, 256), 2)
    protocol = made.protocol
    assert (protocol.env_steps, protocol.env_steps // protocol.evaluations, protocol.evaluation_episodes) == (
        10**6,
        10**4,
        10,
    )
    assert made.seeds == 10


@pytest.mark.parametrize(("observations", "actions"), [(3, 1), (17, 6), (105, 8)])
def test_the_spiking_actors_have_a_population_for_each_variable_and_each_action(observations, actions):
    for policy in (MDC_SAN, POPSAN):
        assert policy.populations(actions) == (256, 256, 10 * actions)
        params = jax.eval_shape(lambda key, policy=policy: policy.init(observations, actions, key), jax.random.key(0))
        assert params.encoder.mean.shape == (observations, 10)
        assert params.network[0].weight.shape == (10 * observations, 256)


def test_a_task_of_mujoco_can_begin():
    pytest.importorskip("mujoco")
    made = built_in("zhang2022/halfcheetah/mdc-san")
    assert isinstance(made.environment.spec.actions, Box)
    state: Any = jax.eval_shape(lambda key: made.learner.init(made.environment, key), jax.random.key(0))
    assert state.replay.items.obs.shape == (10**6, 17)
