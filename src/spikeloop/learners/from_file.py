"""Learners that begin with a policy from a file: one goes on learning, the other plays it as it is.

The file is a `policy.safetensors` of a run. What is taken from it are the parameters of one of its seeds, and they must fit the
policy of the learner in every name and shape; nothing else of the file is used, and none of it can be code. All seeds of the new
run begin with these same parameters, and differ by what they then meet.
"""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from spikeloop.component import require_count
from spikeloop.errors import InvalidInput
from spikeloop.interaction import AbstractSelection, Actor, Greedy, Interaction, begin, interact
from spikeloop.learners._base import AbstractLearner, Report
from spikeloop.learners.dqn import DQN
from spikeloop.policies import AbstractPolicy, AbstractWrappedPolicy, SpikingPolicy
from spikeloop.storage import load_arrays, read_header


def read_parameters(file: str, template: Any, place: int = 0) -> Any:
    """Parameters of this structure and these shapes from a `policy.safetensors`, those of the seed in this place.

    Raises InvalidInput if the file is none, or holds other parameters.
    """
    seeds = read_header(Path(file)).get("seeds")
    if not isinstance(seeds, list):
        raise InvalidInput(f"{file} holds no policies; a policy.safetensors of a run is needed")
    if place >= len(seeds):
        raise InvalidInput(f"{file} holds the policies of {len(seeds)} seeds; place {place} is none of them")
    several = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((len(seeds), *leaf.shape), leaf.dtype), template)
    return jax.tree.map(lambda leaf: leaf[place], load_arrays(Path(file), several))


class _FromFile(AbstractWrappedPolicy):
    """A policy whose first parameters come from a file; while a learner makes its state, and at no other time."""

    policy: AbstractPolicy
    file: str
    place: int

    def init(self, obs_size, out_size, key):
        return read_parameters(self.file, jax.eval_shape(lambda: self.policy.init(obs_size, out_size, key)), self.place)


class FineTuning(AbstractLearner):
    """A learner that begins with the parameters of a policy from a file in the place of random ones."""

    fixed_env_steps = False

    learner: AbstractLearner = (
        DQN()
    )  # what goes on learning; it has a field `policy`, of the architecture that the file holds
    file: str = "policy.safetensors"  # of a run: the parameters to begin with
    place: int = 0  # which of its seeds, counted from 0

    def __check_init__(self):
        require_count(self, "place", least=0)
        if _policy(self.learner) is None:
            raise InvalidInput(
                f"FineTuning.learner must have a policy to begin with; {type(self.learner).__name__} has none"
            )

    @property
    def individuals(self):
        return self.learner.individuals

    def typical_env_steps(self, environment):
        return self.learner.typical_env_steps(environment)

    def init(self, environment, key):
        policy = _policy(self.learner)
        assert policy is not None  # which a FineTuning is not made without
        return self.learner.with_fields(policy=_FromFile(policy, self.file, self.place)).init(environment, key)

    def step(self, environment, state, key):
        return self.learner.step(environment, state, key)

    def actor(self, environment, state):
        return self.learner.actor(environment, state)

    def lessons(self, state):
        return self.learner.lessons(state)


def _policy(learner: AbstractLearner) -> AbstractPolicy | None:
    policy = getattr(learner, "policy", None)
    return policy if isinstance(policy, AbstractPolicy) else None


class FixedPolicyState(eqx.Module):
    """The parameters, and the episode in progress."""

    params: Any
    interaction: Interaction
    env_steps: Int[Array, ""]


class FixedPolicy(AbstractLearner):
    """Plays the policy of a file and learns nothing: what an imported policy is, and what others are compared with."""

    fixed_env_steps = True

    policy: AbstractPolicy = SpikingPolicy()  # the architecture that the file holds
    file: str = "policy.safetensors"  # of a run: the parameters
    place: int = 0  # which of its seeds, counted from 0
    selection: AbstractSelection = Greedy()  # from the output to an action

    def __check_init__(self):
        require_count(self, "place", least=0)

    def typical_env_steps(self, environment):
        return 1

    def init(self, environment, key):
        spec = environment.spec
        policy = _FromFile(self.policy, self.file, self.place)
        params = policy.init(spec.observation_size, spec.actions.output_size, key)
        return FixedPolicyState(
            params, begin(environment, self._actor(environment, params), key), jnp.zeros((), jnp.int32)
        )

    def step(self, environment, state, key):
        actor = self._actor(environment, state.params)
        interaction, moment = interact(environment, actor, state.interaction, state.env_steps, key)
        episodes = jax.tree.map(lambda leaf: leaf[None], moment.episode)
        state = FixedPolicyState(state.params, interaction, state.env_steps + 1)
        return state, Report(jnp.ones((), jnp.int32), episodes, {})

    def actor(self, environment, state):
        return self._actor(environment, state.params)

    def _actor(self, environment, params):
        return Actor(self.policy, params, environment.spec.actions, self.selection)
