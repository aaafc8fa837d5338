"""Environments of Gymnasium (github.com/Farama-Foundation/Gymnasium), simulators on the host, as pure functions in JAX.

A state is the seed of the reset and the actions taken since: *by definition* it stands for ``reset(seed)`` followed by
these actions. So ``step`` is a function of its arguments for every environment that is deterministic given its seed,
and its results are Gymnasium's own, bit for bit (as float32). To be fast as well, live simulators are kept on the
host, each under the (seed, steps, fingerprint of the actions) at which it stands. A step whose simulator is there
moves it on; a step whose simulator is not there (a run resumed in a new process, a state stepped a second time) makes
one by replaying. The result is the same, only later.

A step passes one packed array of 32-bit words each way, and the history of actions only where a simulator is missing.
"""

import collections
import dataclasses
import functools
import hashlib
import itertools
import math
import struct
import threading
from typing import Any

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int32, PRNGKeyArray, Shaped, UInt8, UInt32

from spikeloop.component import require_count
from spikeloop.environments._base import AbstractEnvironment, Discrete, Spec, Step
from spikeloop.environments._host import as_floats, as_words, on_host, one_call, reset_on_host
from spikeloop.environments._registered import action_space, make, registration, unusable
from spikeloop.errors import InvalidInput

# Words of a question: seed, steps, fingerprint (two words), mode, action.
_MODE, _ACTION = 4, 5
_RUN, _DONE, _LAST = 0, 1, 2  # modes: an ordinary step; the episode is over; the step that reaches the time limit
# Words of an answer.
_MISSED, _TERMINATED, _TRUNCATED, _FINGERPRINT, _REWARD, _OBS = 0, 1, 2, slice(3, 5), 5, 6


class GymnasiumState(eqx.Module):
    """An episode in progress: what it takes to play it again."""

    seed: UInt32[Array, ""]  # of the reset
    steps: Int32[Array, ""]  # actions taken since
    actions: Int32[Array, "max_steps"] | Float32[Array, "max_steps n"]  # valid up to `steps`; leftovers beyond
    fingerprint: UInt32[Array, "2"]  # of the actions taken: names the simulator on the host
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]
    obs: Float32[Array, "..."]  # the last observation


class Gymnasium(AbstractEnvironment):
    """Any registered Gymnasium environment with Box observations and Discrete or Box actions, stepped on the host.

    Works under ``jit``, ``scan`` and ``vmap`` (one call to the host a batch); no gradient flows through it. The
    environment must be deterministic given its seed. A third party's must be registered first: import its package. For
    Gymnasium's MuJoCo tasks `MuJoCo` is better: its states hold the simulation and not the history of actions.
    """

    name: str = "CartPole-v1"
    max_steps: int | None = None  # steps; None: the limit that Gymnasium registered for it

    def __check_init__(self):
        registration(self.name)
        if self.max_steps is not None:
            require_count(self, "max_steps")

    @property
    def spec(self) -> Spec:
        """Shapes, action space and time limit.

        Raises InvalidInput where the spaces are not supported, a package is missing or there is no time limit.
        """
        limit, pool = self._limit(), _pool(self.name)
        return Spec(self.name, pool.observation_shape, pool.actions, limit)

    def reset(self, key: PRNGKeyArray) -> tuple[GymnasiumState, Float[Array, "..."]]:
        """A fresh episode, its seed (31 bits) drawn from `key`, and its observation, ``spec.observation_shape``."""
        limit, pool = self._limit(), _pool(self.name)
        history = (limit,) if isinstance(pool.actions, Discrete) else (limit, pool.actions.output_size)
        blank = GymnasiumState(
            seed=jnp.zeros((), jnp.uint32),
            steps=jnp.zeros((), jnp.int32),
            actions=jnp.zeros(history, pool.action_type),
            fingerprint=jnp.zeros(2, jnp.uint32),
            terminated=jnp.asarray(False),
            truncated=jnp.asarray(False),
            obs=jnp.zeros(pool.observation_shape, jnp.float32),
        )
        return self.restart(blank, blank.obs, jnp.asarray(True), key)

    def restart(
        self, state: GymnasiumState, obs: Float[Array, "..."], done: Bool[Array, ""], key: PRNGKeyArray
    ) -> tuple[GymnasiumState, Float[Array, "..."]]:
        """A fresh episode where `done`, else what was given. Calls the host only if there is an episode to begin."""
        pool = _pool(self.name)
        seed = jnp.where(done, jax.random.bits(key, dtype=jnp.uint32) >> 1, state.seed)
        fresh = as_floats(_reset(pool, done, seed)).reshape(pool.observation_shape)
        # The actions stay, as leftovers: clearing them would touch the whole history at every step.
        state = dataclasses.replace(
            state,
            seed=seed,
            steps=jnp.where(done, 0, state.steps),
            fingerprint=jnp.where(done, jnp.uint32(0), state.fingerprint),
            terminated=~done & state.terminated,
            truncated=~done & state.truncated,
            obs=jnp.where(done, fresh, state.obs),
        )
        return state, jnp.where(done, fresh, obs)

    def step(
        self, state: GymnasiumState, action: Shaped[Array, "..."], key: PRNGKeyArray
    ) -> tuple[GymnasiumState, Step]:
        """One action: an int32 scalar from 0 for Discrete, a float32 vector, not clipped, for Box. Never resets.

        A state whose episode is over stays as it is: same observation and flags, reward 0. `key` is not used.
        """
        del key
        pool, limit = _pool(self.name), state.actions.shape[0]
        action = jax.lax.stop_gradient(jnp.asarray(action, pool.action_type).reshape(state.actions.shape[1:]))
        done = state.terminated | state.truncated
        mode = jnp.where(done, _DONE, jnp.where(state.steps + 1 >= limit, _LAST, _RUN))
        head = jnp.stack([state.seed, state.steps.astype(jnp.uint32), *state.fingerprint, mode.astype(jnp.uint32)])
        words = as_words(jnp.atleast_1d(action))
        answer = _advance(pool, jnp.concatenate([head, words]), state.actions)
        steps = state.steps + (~done).astype(jnp.int32)
        terminated = jnp.where(done, state.terminated, answer[_TERMINATED] != 0)
        cut = ~terminated & ((answer[_TRUNCATED] != 0) | (steps >= limit))
        truncated = jnp.where(done, state.truncated, cut)
        obs = jnp.where(done, state.obs, as_floats(answer[_OBS:]).reshape(pool.observation_shape))
        state = dataclasses.replace(
            state,
            steps=steps,
            # Out of range where done, so that nothing is written: cheaper than choosing between two histories.
            actions=state.actions.at[jnp.where(done, limit, state.steps)].set(action, mode="drop"),
            fingerprint=jnp.where(done, state.fingerprint, answer[_FINGERPRINT]),
            terminated=terminated,
            truncated=truncated,
            obs=obs,
        )
        reward = jnp.where(done, 0.0, as_floats(answer[_REWARD]))
        return state, Step(obs, reward, terminated, truncated)

    def frame(self, state: GymnasiumState) -> UInt8[np.ndarray, "height width 3"]:
        """A picture of one state (RGB, 0 to 255), drawn by the environment on the host; frames in order are cheap.

        Raises InvalidInput where the environment cannot draw or a package for drawing is missing.
        """
        if state.steps.ndim:
            raise InvalidInput("Gymnasium.frame draws one state; pick one of the batch first")
        return _pool(self.name, "rgb_array").frame(int(state.seed), np.asarray(state.actions)[: int(state.steps)])

    def _limit(self) -> int:
        if limit := self.max_steps or registration(self.name).max_episode_steps:
            return limit
        raise InvalidInput(f"{self.name} has no time limit of its own; give max_steps")


def forget_simulators() -> None:
    """Close every live simulator. Nothing is lost: a state that needs one replays its actions."""
    for pool in _POOLS.values():
        with pool.lock:
            for simulator in itertools.chain(pool.idle, *pool.live.values(), (pool.drawing or ())[:1]):
                simulator.close()
            pool.live.clear()
            pool.idle.clear()
            pool.drawing = None


class _Pool:
    """The live simulators of one environment, each under the state at which it stands."""

    def __init__(self, name: str, render_mode: str | None = None):
        simulator = make(name, render_mode)
        observations, self.action_space = simulator.observation_space, simulator.action_space
        if not isinstance(observations, gymnasium.spaces.Box):
            raise InvalidInput(f"{name} observes a {type(observations).__name__} space; only Box is supported")
        self.name, self.render_mode, self.actions = name, render_mode, action_space(name, self.action_space)
        self.action_type = np.int32 if isinstance(self.actions, Discrete) else np.float32
        self.observation_shape = tuple(map(int, observations.shape))
        self.answer_size = _OBS + math.prod(self.observation_shape)
        self.lock = threading.Lock()  # XLA may call from several threads
        self.capacity = 16  # live simulators at most; grows with the largest batch
        # Oldest first. Several may stand at one state: a sweep gives every member the same seed, and they part later.
        self.live: collections.OrderedDict[bytes, list[Any]] = collections.OrderedDict()
        self.idle: list[Any] = [simulator]
        self.drawing: tuple[Any, int, np.ndarray] | None = None  # the one that draws; the seed and actions behind it

    def reset(self, words: Any) -> np.ndarray:
        """Words [batch, (wanted, seed)] to first observations [batch, words]; zeros where none is wanted."""
        rows = np.array(words)
        obs = np.zeros((len(rows), self.answer_size - _OBS), np.float32)
        with self.lock:
            self.capacity = max(self.capacity, 4 * len(rows))
            for index in np.flatnonzero(rows[:, 0]):
                simulator, seed = self._take(), int(rows[index, 1])
                obs[index] = np.ravel(simulator.reset(seed=seed)[0])
                self.live.setdefault(_key(seed, 0, _BLANK), []).append(simulator)
        return obs.view(np.uint32)

    def step(self, words: Any) -> np.ndarray:
        """Questions [batch, words] to answers; a question whose simulator is not here is marked as missed."""
        rows = np.array(words)
        answers = np.zeros((len(rows), self.answer_size), np.uint32)
        with self.lock:
            self.capacity = max(self.capacity, 4 * len(rows))
            self._answer(rows, answers, np.flatnonzero(rows[:, _MODE] != _DONE), lambda index, key: self._find(key))
        return answers

    def step_missed(self, words: Any, histories: Any, answers: Any) -> np.ndarray:
        """The answers, those that were missed made good by replaying the history of the episode."""
        rows, histories, complete = np.array(words), np.asarray(histories), np.array(answers)
        missed = np.flatnonzero(complete[:, _MISSED])
        with self.lock:
            self._answer(rows, complete, missed, lambda i, _: self._replay(int(rows[i, 0]), histories[i, : rows[i, 1]]))
        return complete

    def frame(self, seed: int, history: np.ndarray) -> np.ndarray:
        """The picture at the end of a history. The simulator stays there: the next picture is likely one step on."""
        with self.lock:
            simulator, drawn_seed, drawn = self.drawing or (self._take(), -1, history)
            self.drawing = None
            if drawn_seed != seed or not np.array_equal(drawn, history[: len(drawn)]):
                simulator.reset(seed=seed)
                drawn = history[:0]
            for action in self._native(history[len(drawn) :]):
                simulator.step(action)
            self.drawing = (simulator, seed, history.copy())
            try:
                return np.array(simulator.render(), np.uint8)
            except Exception as error:  # whatever the drawing library raises
                raise unusable(self.name, error) from error

    def _answer(self, rows: np.ndarray, answers: np.ndarray, which: np.ndarray, simulator_of: Any) -> None:
        """Fill in the answers of some rows. Python's own numbers and bytes: numpy is slow one element at a time."""
        floats, raw, size = answers.view(np.float32), rows.tobytes(), 4 * rows.shape[1]
        heads, actions = rows[:, : _MODE + 1].tolist(), self._native(rows[:, _ACTION:].view(self.action_type))
        for index in which.tolist():
            question = raw[size * index : size * (index + 1)]
            simulator = simulator_of(index, question[:16])
            if simulator is None:
                answers[index, _MISSED] = 1
                continue
            obs, reward, terminated, truncated, _ = simulator.step(actions[index])
            fingerprint = _extend(question[8:16], question[4 * _ACTION :])
            answers[index, :_REWARD] = (0, terminated, truncated, *struct.unpack("=2I", fingerprint))
            floats[index, _REWARD] = reward
            floats[index, _OBS:] = np.ravel(obs)
            seed, steps, _, _, mode = heads[index]
            if terminated or truncated or mode == _LAST:
                self.idle.append(simulator)  # its episode is over: no state can ask for it again
            else:
                self.live.setdefault(_key(seed, steps + 1, fingerprint), []).append(simulator)

    def _native(self, actions: np.ndarray) -> Any:
        """Actions, one a row, as the environment's own action space has them."""
        if isinstance(self.actions, Discrete):
            return (actions.reshape(-1) + int(self.action_space.start)).tolist()
        return actions.reshape(-1, *self.action_space.shape).astype(self.action_space.dtype)

    def _replay(self, seed: int, history: np.ndarray) -> Any:
        simulator = self._take()
        simulator.reset(seed=seed)
        for action in self._native(history):
            simulator.step(action)
        return simulator

    def _find(self, key: bytes) -> Any | None:
        standing = self.live.pop(key, None)
        if not standing:
            return None
        if len(standing) > 1:
            self.live[key] = standing[:-1]
        return standing[-1]

    def _take(self) -> Any:
        """A simulator to reset: an idle one, the one not used for longest where the pool is full, or a new one."""
        if self.idle:
            return self.idle.pop()
        if sum(map(len, self.live.values())) >= self.capacity:
            return self._find(next(iter(self.live)))
        return make(self.name, self.render_mode)


_POOLS: dict[tuple[str, str | None], _Pool] = {}
_BLANK = bytes(8)  # the fingerprint of no actions


def _pool(name: str, render_mode: str | None = None) -> _Pool:
    key = (name, render_mode)
    return _POOLS.get(key) or _POOLS.setdefault(key, _Pool(*key))


def _key(seed: int, steps: int, fingerprint: bytes) -> bytes:
    return struct.pack("=2I", seed, steps) + fingerprint


def _extend(fingerprint: bytes, action: bytes) -> bytes:
    """The fingerprint after one more action: 64 bits of BLAKE2b, the same in every process."""
    return hashlib.blake2b(fingerprint + action, digest_size=8).digest()


# Jitted so that a call from outside any jit compiles once and not at every step.
@functools.partial(jax.jit, static_argnums=0)
def _reset(pool: _Pool, wanted: Bool[Array, ""], seed: UInt32[Array, ""]) -> UInt32[Array, "obs"]:
    return reset_on_host(pool.reset, pool.answer_size - _OBS, wanted, seed)


@functools.partial(jax.jit, static_argnums=0)
def _advance(pool: _Pool, words: UInt32[Array, "question"], history: Array) -> UInt32[Array, "answer"]:
    def advance(words, history):
        answers = on_host(pool.step, pool.answer_size, words)
        # Which simulators are alive is no secret input: it decides who computes the answer, never what the answer is.
        host = functools.partial(on_host, pool.step_missed, pool.answer_size)
        missed = jnp.any(answers[:, _MISSED] != 0)
        return jax.lax.cond(missed, host, lambda words, history, answers: answers, words, history, answers)

    return one_call(advance)(words, history)
