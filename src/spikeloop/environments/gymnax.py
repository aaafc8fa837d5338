"""Environments of gymnax (Lange, 2022, github.com/RobertTLange/gymnax): written in JAX; a step costs microseconds.

The adapter keeps gymnax's dynamics and adds what the contract asks for: ``terminated`` and ``truncated`` apart, a time
limit of one's own choosing, and no hidden reset. It calls ``reset_env`` and ``step_env``, never ``step``, which resets.
``step_env`` of gymnax 1.0 knows no time limit, so gymnax's own ``max_steps_in_episode`` is left as it is: one
environment (DiscountingChain) scales an observation by it.

Where gymnax 1.0.1 departs from Gymnasium on classic control it is put right here:

* MountainCarContinuous-v0: Gymnasium stops a car that rolls into the *left wall*; gymnax stops a car that rolls back
  over the *goal* instead, and lets the wall car keep its velocity.
* Acrobot-v1: gymnax draws a torque noise of amplitude zero at every step. The dynamics are the same; the draw is not
  made here, since it costs nearly as much as the physics.
"""

import contextlib
import difflib
import functools
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int32, PRNGKeyArray, Shaped

from spikeloop.component import require_count
from spikeloop.environments._base import AbstractEnvironment, Box, Discrete, Spec, Step
from spikeloop.errors import InvalidInput

# Written down rather than asked for: importing gymnax takes seconds, and listing or checking names should not. A test
# compares the list with gymnax's own.
_NAMES = (
    "Acrobot-v1", "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1",
    "Asterix-MinAtar", "Breakout-MinAtar", "Freeway-MinAtar", "Seaquest-MinAtar", "SpaceInvaders-MinAtar",
    "Catch-bsuite", "DeepSea-bsuite", "DiscountingChain-bsuite", "MemoryChain-bsuite", "SimpleBandit-bsuite",
    "UmbrellaChain-bsuite",
    "BernoulliBandit-misc", "FourRooms-misc", "GaussianBandit-misc", "MetaMaze-misc", "PointRobot-misc", "Pong-misc",
    "Reacher-misc", "Swimmer-misc",
)  # fmt: skip

# What gymnax imports and we never use, which would be more than a second of every start.
_FOR_DRAWINGS_AND_NETWORKS = ("seaborn", "matplotlib", "matplotlib.pyplot", "matplotlib.colors", "flax.linen")

_UNSUPPORTED = {
    "FrozenLake-misc": "its observation is a single whole number, not a Box",
    "MNISTBandit-bsuite": "it downloads a data set when it is made",
}


class GymnaxState(eqx.Module):
    """An episode in progress."""

    inner: Any  # gymnax's own state, a tree of arrays
    steps: Int32[Array, ""]  # steps taken in this episode


class Gymnax(AbstractEnvironment):
    """Environments written in JAX by gymnax: classic control, MinAtar, bsuite and small mazes and arms.

    Observations and rewards are float32. ``Gymnax.names()`` lists what there is. Raises InvalidInput for another name.
    """

    name: str = "CartPole-v1"
    max_steps: int | None = None  # steps; None: the environment's own limit (CartPole-v1 500, Pendulum-v1 200 ...)

    def __check_init__(self):
        # An environment that the user registered with gymnax is welcome as well; only then must gymnax be imported.
        if self.name not in _NAMES and (self.name in _UNSUPPORTED or self.name not in _registered()):
            raise InvalidInput(_unknown(self.name))
        if self.max_steps is not None:
            require_count(self, "max_steps")

    @staticmethod
    def names() -> tuple[str, ...]:
        """The environments of gymnax that the library can handle. Does not import gymnax."""
        return _NAMES

    @property
    def spec(self) -> Spec:
        """Shapes, action space and time limit. Raises InvalidInput where the spaces are not Box or Discrete."""
        made = _made(self.name)
        return Spec(self.name, made.observation_shape, made.actions, self.max_steps or made.max_steps)

    def reset(self, key: PRNGKeyArray) -> tuple[GymnaxState, Float[Array, "..."]]:
        """The state and observation (float32, ``spec.observation_shape``) that begin an episode."""
        made = _made(self.name)
        with _lenient():
            obs, inner = made.env.reset_env(key, made.params)
        return GymnaxState(made.as_template(inner), jnp.zeros((), jnp.int32)), jnp.asarray(obs, jnp.float32)

    def step(self, state: GymnaxState, action: Shaped[Array, "..."], key: PRNGKeyArray) -> tuple[GymnaxState, Step]:
        """One action: an int32 scalar from 0, or a float32 vector that reaches the environment as it is, not clipped.

        ``truncated`` says that ``spec.max_steps`` was reached by a step that did not end the task. Never resets.
        """
        made = _made(self.name)
        if self.name in _KEYLESS:
            key = jax.random.key(0)  # a constant, so that XLA computes the useless draw once, at compile time
        with _lenient():
            advance = _CORRECTED.get(self.name) or made.env.step_env
            obs, inner, reward, terminated, _ = advance(key, state.inner, action, made.params)
        steps = state.steps + 1
        terminated = jnp.asarray(terminated, bool)
        step = Step(
            obs=jnp.asarray(obs, jnp.float32),
            reward=jnp.asarray(reward, jnp.float32),
            terminated=terminated,
            truncated=~terminated & (steps >= (self.max_steps or made.max_steps)),
        )
        return GymnaxState(made.as_template(inner), steps), step


class _Made(eqx.Module):
    """A gymnax environment and what the adapter must know of it; made once a name."""

    env: Any
    params: Any
    template: Any  # the state's shapes and types
    observation_shape: tuple[int, ...]
    actions: Discrete | Box
    max_steps: int

    def as_template(self, inner: Any) -> Any:
        """The state with the types it has after a reset.

        gymnax puts Python numbers into some states and arrays into others, which a ``scan`` would refuse as a carry.
        """
        return jax.tree.map(lambda leaf, like: jnp.asarray(leaf, like.dtype).reshape(like.shape), inner, self.template)


class _WhenUsed(types.ModuleType):
    """Stands for a module until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks whether it is a package
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextlib.contextmanager
def _imported_when_used(*names: str) -> Iterator[None]:
    stand_ins = {name: _WhenUsed(name) for name in names if name not in sys.modules}
    for name, stand_in in stand_ins.items():
        package, _, module = name.rpartition(".")
        if package in stand_ins:
            setattr(stand_ins[package], module, stand_in)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


@functools.cache
def _made(name: str) -> _Made:
    # The first call may come from inside a jitted function; arrays made there must be real ones, since they are kept.
    with jax.ensure_compile_time_eval(), _lenient():
        with _imported_when_used(*_FOR_DRAWINGS_AND_NETWORKS):
            import gymnax
        from gymnax.environments import spaces

        env, params = gymnax.make(name)
        observation, action = env.observation_space(params), env.action_space(params)
        if not isinstance(observation, spaces.Box):
            raise InvalidInput(f"{name} observes a {type(observation).__name__} space; only Box is supported")
        if isinstance(action, spaces.Discrete):
            actions: Discrete | Box = Discrete(int(action.n))
        elif isinstance(action, spaces.Box) and len(action.shape) == 1:
            low, high = (np.broadcast_to(np.asarray(bound), action.shape) for bound in (action.low, action.high))
            if not (np.isfinite(low).all() and np.isfinite(high).all()):
                raise InvalidInput(f"{name} has an action without finite bounds")
            actions = Box(tuple(map(float, low)), tuple(map(float, high)))
        else:
            raise InvalidInput(f"{name} acts in a {type(action).__name__} space; only Discrete and Box are supported")
        obs, template = jax.eval_shape(lambda key: env.reset_env(key, params), jax.random.key(0))
        return _Made(env, params, template, tuple(obs.shape), actions, int(params.max_steps_in_episode))


@contextlib.contextmanager
def _lenient() -> Iterator[None]:
    """gymnax mixes types and ranks freely; the library's own strict rules must not reach into it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def _mountain_car_continuous(
    key: PRNGKeyArray, state: Any, action: Float[Array, "1"], params: Any
) -> tuple[Any, Any, Any, Any, Any]:
    """`step_env` as Gymnasium has it: the car stops at the left wall, and rolls back freely over the goal."""
    del key
    force = jnp.clip(action[0], params.min_action, params.max_action)
    velocity = state.velocity + force * params.power - params.gravity * jnp.cos(3 * state.position)
    velocity = jnp.clip(velocity, -params.max_speed, params.max_speed)
    position = jnp.clip(state.position + velocity, params.min_position, params.max_position)
    velocity = jnp.where((position == params.min_position) & (velocity < 0), 0.0, velocity)
    terminated = (position >= params.goal_position) & (velocity >= params.goal_velocity)
    reward = jnp.where(terminated, 100.0, 0.0) - 0.1 * action[0] ** 2  # the action as given, not clipped
    state = state.replace(position=position, velocity=velocity, time=state.time + 1)
    return jnp.stack([position, velocity]), state, reward, terminated, {}


_CORRECTED = {"MountainCarContinuous-v0": _mountain_car_continuous}
_KEYLESS = ("Acrobot-v1",)  # they consume a key without needing one


def _registered() -> list[str]:
    import gymnax

    return gymnax.registered_envs


def _unknown(name: str) -> str:
    if name in _UNSUPPORTED:
        return f"gymnax environment {name} is not supported: {_UNSUPPORTED[name]}"
    close = difflib.get_close_matches(name, _NAMES, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"unknown gymnax environment {name!r}; {hint}available: {', '.join(_NAMES)}"
