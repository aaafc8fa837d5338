"""Behavioural cloning: the gradient of the squared distance from a teacher's output, for spiking and deep policies alike.

    minimise the mean over a batch of |policy(s) - teacher(s)|^2

It is the twin of supervised plasticity: the same teacher, the same number of steps, but the whole gradient of the error. Through a
spiking policy it runs with surrogate derivatives. One iteration: the teacher drives `steps` steps, and `updates` batches are drawn
from them.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from spikeloop.component import require_count
from spikeloop.interaction import Actor, Straight
from spikeloop.learners._base import AbstractLearner, Report
from spikeloop.learners.imitation.drive import Drive, DriveState
from spikeloop.learners.optimizer import Adam
from spikeloop.policies import AbstractPolicy, DeepPolicy, InTurn


class CloningState(eqx.Module):
    """The policy's parameters, the optimiser's state, and the teacher at the wheel."""

    params: Any
    optimizer: Any
    drive: DriveState


class BehaviouralCloning(AbstractLearner):
    """A policy learns a teacher's decisions by gradient descent on their squared difference."""

    fixed_env_steps = True

    policy: AbstractPolicy = InTurn(DeepPolicy((20,)), DeepPolicy((20,)), sensors=6)  # the pupil
    drive: Drive = Drive()  # the teacher
    optimizer: Adam = Adam()
    steps: int = 100  # of the teacher in an iteration
    updates: int = 10  # gradients of an iteration
    batch_size: int = 32  # steps that each is made from

    def __check_init__(self):
        require_count(self, "steps", "updates", "batch_size")

    def typical_env_steps(self, environment):
        return self.steps

    def init(self, environment, key):
        params_key, drive_key = jax.random.split(key)
        spec = environment.spec
        params = self.policy.init(spec.observation_size, spec.actions.output_size, params_key)
        return CloningState(params, self.optimizer.init(params), self.drive.init(environment, drive_key))

    def step(self, environment, state, key):
        drive_key, update_key = jax.random.split(key)
        drive, lesson = self.drive(environment, state.drive, self.steps, drive_key)

        def distance(params, obs, target, key):
            decision = self.policy(params, self.policy.init_state(params), obs, key if self.policy.stochastic else None)
            output = decision[1].output
            return jnp.sum((output - target) ** 2), jnp.mean(jnp.abs(target - jnp.clip(output, -1.0, 1.0)))

        def loss(params, obs, target, keys):
            squares, errors = jax.vmap(distance, in_axes=(None, 0, 0, 0))(params, obs, target, keys)
            return jnp.mean(squares), jnp.mean(errors)

        def update(carry, key):
            params, optimizer = carry
            draw_key, loss_key = jax.random.split(key)
            drawn = jax.random.randint(draw_key, (self.batch_size,), 0, self.steps)
            keys = jax.random.split(loss_key, self.batch_size)
            (_, error), gradient = jax.value_and_grad(loss, has_aux=True)(
                params, lesson.obs[drawn], lesson.target[drawn], keys
            )
            return self.optimizer.apply(params, optimizer, gradient, drive.env_steps), error

        carry, errors = jax.lax.scan(
            update, (state.params, state.optimizer), jax.random.split(update_key, self.updates)
        )
        taken = jnp.asarray(self.steps, jnp.int32)
        return CloningState(*carry, drive), Report(taken, lesson.episodes, {"error": jnp.mean(errors)})

    def actor(self, environment, state):
        return Actor(self.policy, state.params, environment.spec.actions, Straight())
