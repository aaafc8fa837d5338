"""MuJoCo tasks of Gymnasium (github.com/Farama-Foundation/Gymnasium; Todorov, Erez & Tassa, 2012) as pure functions in JAX.

The state of the simulation travels as an array, so nothing has to be remembered on the host or replayed. A step sets a
simulator to the state, calls Gymnasium's own ``step``, and reads the new state off. Reward, observation and the end of an
episode are therefore Gymnasium's, bit for bit (as float32).

What travels is everything that a step reads, float64, as pairs of 32-bit words, because JAX works without 64 bits:

* MuJoCo's integration state (``mjSTATE_INTEGRATION``): time, positions, velocities, activations, the solver's warm start,
  controls and applied forces. MuJoCo computes everything else of a step from it.
* ``xpos`` and ``xipos``, positions of bodies and of their centres of mass, because Gymnasium reads them *before* it moves
  the simulation: the rewards of Ant and Humanoid are differences of them, v4 of Reacher and Pusher are rewarded by them.
  They are not a function of the positions of the joints, since MuJoCo leaves them one substep behind.
"""

import difflib
import functools
import importlib
import threading
import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float32, Int32, PRNGKeyArray, Shaped, UInt8, UInt32

from spikeloop.component import require_count
from spikeloop.environments._base import AbstractEnvironment, Spec, Step
from spikeloop.environments._host import as_floats, as_words, on_host, one_call, reset_on_host
from spikeloop.environments._registered import action_space, make, registration
from spikeloop.errors import InvalidInput

# Written down rather than asked for: what is listed must be known where MuJoCo is not installed. A test compares.
_TASKS = (
    "Ant", "HalfCheetah", "Hopper", "Humanoid", "HumanoidStandup", "InvertedDoublePendulum", "InvertedPendulum", "Pusher",
    "Reacher", "Swimmer", "Walker2d",
)  # fmt: skip
_NAMES = tuple(
    f"{task}-{version}" for version in ("v5", "v4") for task in _TASKS if (task, version) != ("Pusher", "v4")
)

# Words of an answer after those of the simulation, and where the observation begins.
_REWARD, _TERMINATED, _TRUNCATED, _OBS = range(4)


class MuJoCoState(eqx.Module):
    """An episode in progress."""

    simulation: UInt32[Array, " words"]  # the bits of float64: integration state, xpos, xipos
    steps: Int32[Array, ""]  # actions taken
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]
    obs: Float32[Array, " size"]  # the last observation


class Shapes(eqx.Module):
    """What a simulated body is made of, each part as a segment with a thickness; a sphere is a segment of length 0."""

    ends: Float[np.ndarray, "parts 2 3"]  # m, in the world: x, y, z
    radius: Float[np.ndarray, " parts"]  # m
    bodies: tuple[str, ...]  # the name of the body that each belongs to; "world" does not move
    centre: Float[np.ndarray, "3"]  # m, where the first moving body is


class MuJoCo(AbstractEnvironment):
    """MuJoCo's tasks of Gymnasium, v5 and v4, stepped on the host by Gymnasium's own code; the state is an array.

    For these tasks it is the one to use: a state holds no history, a checkpoint goes on at once, and a step costs little
    more than Gymnasium's. `Gymnasium` takes any other deterministic environment. ``MuJoCo.names()`` lists what there is;
    another name raises InvalidInput. No gradient flows through it. Needs the extra ``spikeloop[mujoco]``.

    Results of different versions of MuJoCo differ in the last bits, and so after a while in everything.
    """

    name: str = "HalfCheetah-v5"
    max_steps: int | None = None  # steps; None: the task's own limit (1000; Reacher 50, Pusher 100)

    def __check_init__(self):
        if self.name not in _NAMES:
            raise InvalidInput(_unknown(self.name))
        if self.max_steps is not None:
            require_count(self, "max_steps")

    @staticmethod
    def names() -> tuple[str, ...]:
        """The tasks that there are. Does not import MuJoCo."""
        return _NAMES

    @property
    def spec(self) -> Spec:
        """Shapes, action space and time limit. Raises InvalidInput where MuJoCo is not installed."""
        pool = _pool(self.name)
        return Spec(self.name, (pool.obs_size,), pool.actions, self._limit())

    def reset(self, key: PRNGKeyArray) -> tuple[MuJoCoState, Float[Array, " size"]]:
        """A fresh episode, its seed (31 bits) drawn from `key`, and its observation, ``spec.observation_shape``."""
        pool = _pool(self.name)
        blank = MuJoCoState(
            simulation=jnp.zeros(pool.words, jnp.uint32),
            steps=jnp.zeros((), jnp.int32),
            terminated=jnp.asarray(False),
            truncated=jnp.asarray(False),
            obs=jnp.zeros(pool.obs_size, jnp.float32),
        )
        return self.restart(blank, blank.obs, jnp.asarray(True), key)

    def restart(
        self, state: MuJoCoState, obs: Float[Array, " size"], done: Bool[Array, ""], key: PRNGKeyArray
    ) -> tuple[MuJoCoState, Float[Array, " size"]]:
        """A fresh episode where `done`, else what was given. Calls the host only if there is an episode to begin."""
        pool = _pool(self.name)
        seed = jax.random.bits(key, dtype=jnp.uint32) >> 1
        answer = _reset(pool, done, seed)
        first = as_floats(answer[pool.words + _OBS : pool.answer])
        fresh = MuJoCoState(
            answer[: pool.words], jnp.zeros((), jnp.int32), jnp.asarray(False), jnp.asarray(False), first
        )
        state = jax.tree.map(lambda new, old: jnp.where(done, new, old), fresh, state)
        return state, jnp.where(done, first, obs)

    def step(self, state: MuJoCoState, action: Shaped[Array, " n"], key: PRNGKeyArray) -> tuple[MuJoCoState, Step]:
        """One action, a float32 vector; MuJoCo clips it where the model says so, and Gymnasium does not. Never resets.

        A simulation that diverges is reset to the model's own pose by MuJoCo within the step, as in Gymnasium. A state
        whose episode is over stays as it is: same observation and flags, reward 0. `key` is not used.
        """
        del key
        pool = _pool(self.name)
        action = jax.lax.stop_gradient(jnp.asarray(action, jnp.float32).reshape(pool.actions.output_size))
        done = state.terminated | state.truncated
        running = (~done).astype(jnp.uint32)
        answer = _advance(pool, jnp.concatenate([state.simulation, running[None], as_words(action)]))
        flags = answer[pool.words :]
        steps = state.steps + (~done).astype(jnp.int32)
        terminated = flags[_TERMINATED] != 0
        truncated = ~terminated & ((flags[_TRUNCATED] != 0) | (steps >= self._limit()))
        after = MuJoCoState(
            answer[: pool.words], steps, terminated, truncated, as_floats(answer[pool.words + _OBS : pool.answer])
        )
        after = jax.tree.map(lambda new, old: jnp.where(done, old, new), after, state)
        reward = jnp.where(done, 0.0, as_floats(flags[_REWARD]))
        return after, Step(after.obs, reward, after.terminated, after.truncated)

    def frame(self, state: MuJoCoState) -> UInt8[np.ndarray, "height width 3"]:
        """A picture of one state (RGB, 0 to 255), drawn by MuJoCo on the host, from where Gymnasium's camera stands.

        Raises InvalidInput where MuJoCo finds no OpenGL; `shapes` needs none.
        """
        return _pool(self.name).frame(_single(state, "frame"))

    def shapes(self, state: MuJoCoState) -> Shapes:
        """Where the parts of the body are in one state, for drawings of one's own; the floor is left out."""
        return _pool(self.name).shapes(_single(state, "shapes"))

    def _limit(self) -> int:
        return self.max_steps or registration(self.name).max_episode_steps


def forget_simulators() -> None:
    """Close every simulator. Nothing is lost: states are arrays."""
    for pool in _POOLS.values():
        while pool.idle:
            pool.idle.pop().env.close()


class _Simulator:
    """One environment of Gymnasium, and the answer that it gives: the numbers of its state and what it was asked for.

    The parts of the answer are views made once: NumPy takes longer to make one than to copy what it shows.
    """

    def __init__(self, name: str):
        mujoco = _mujoco()
        self.env: Any = _made(name)
        self.model, self.data = self.env.model, self.env.data
        self.get, self.set, self.kind = mujoco.mj_getState, mujoco.mj_setState, mujoco.mjtState.mjSTATE_INTEGRATION
        self.xpos, self.xipos = self.data.xpos.reshape(-1), self.data.xipos.reshape(-1)  # views: MuJoCo's own memory
        size, bodies = mujoco.mj_stateSize(self.model, self.kind), self.xpos.size
        self.parts = (slice(0, size), slice(size, size + bodies), slice(size + bodies, size + 2 * bodies))
        self.numbers = size + 2 * bodies
        observed = self.env.observation_space.shape[0]
        self.answer = np.zeros(_even(2 * self.numbers + _OBS + observed), np.uint32)
        doubles, rest = self.answer.view(np.float64), self.answer[2 * self.numbers :]
        self.own = doubles[: self.numbers]
        self.state, self.positions, self.centres = (doubles[part] for part in self.parts)
        self.flags, self.reward = rest[:_OBS], rest[:_OBS].view(np.float32)
        self.obs = rest[_OBS : _OBS + observed].view(np.float32)
        self.standing = b""  # the bits of the numbers at which it stands, where that is known

    def write(self, simulation: bytes) -> None:
        """Stand where the bits of the numbers say. Nothing to do, the usual case of a batch of one, costs a tenth."""
        if simulation == self.standing:
            return
        self.standing = b""
        numbers, (state, positions, centres) = np.frombuffer(simulation), self.parts
        self.set(self.model, self.data, numbers[state], self.kind)
        self.xpos[:] = numbers[positions]
        self.xipos[:] = numbers[centres]

    def tell(self, obs: Any, reward: Any = 0.0, terminated: Any = False, truncated: Any = False) -> np.ndarray:
        """The answer: where it stands now, and what is given. Valid until the next."""
        self.get(self.model, self.data, self.state, self.kind)
        self.positions[:] = self.xpos
        self.centres[:] = self.xipos
        self.obs[:] = obs
        self.reward[_REWARD] = reward
        self.flags[_TERMINATED], self.flags[_TRUNCATED] = terminated, truncated
        self.standing = self.own.tobytes()
        return self.answer

    def shapes(self, simulation: bytes) -> Shapes:
        """The parts of one state; afterwards it stands at none."""
        mujoco = _mujoco()
        self.write(simulation)
        self.standing = b""
        mujoco.mj_kinematics(self.model, self.data)
        kinds, model = mujoco.mjtGeom, self.model
        parts = np.flatnonzero((model.geom_type != kinds.mjGEOM_PLANE) & (model.geom_rgba[:, 3] > 0))
        size, turned = model.geom_size[parts], self.data.geom_xmat[parts].reshape(-1, 3, 3)
        long = np.isin(model.geom_type[parts], [int(kinds.mjGEOM_CAPSULE), int(kinds.mjGEOM_CYLINDER)])
        half = np.where(long, size[:, 1], 0.0)[:, None] * turned[:, :, 2]  # both lie along their own z axis
        centre = self.data.geom_xpos[parts]
        return Shapes(
            ends=np.stack([centre - half, centre + half], 1),
            radius=size[:, 0].copy(),
            bodies=tuple(model.body(int(body)).name for body in model.geom_bodyid[parts]),
            centre=self.data.xpos[1].copy(),
        )


class _Pool:
    """The simulators of one task; any of them can serve any state."""

    def __init__(self, name: str):
        self.name, self.drawing = name, threading.Lock()
        self.camera: _Camera | None = None
        simulator = _Simulator(name)
        self.idle = [simulator]  # taken and put back in one piece each, so that threads need no lock
        self.actions = action_space(name, simulator.env.action_space)
        self.obs_size = int(simulator.env.observation_space.shape[0])
        self.words = 2 * simulator.numbers
        self.action_size = self.actions.output_size
        self.question = self.words + 1 + self.action_size  # words: simulation, whether to step, action
        self.answer = self.words + _OBS + self.obs_size  # words: simulation, reward, flags, observation
        self.answer_row = _even(self.answer)

    def reset(self, words: np.ndarray) -> np.ndarray:
        """Words [batch, (wanted, seed)] to answers; zeros where none is wanted."""
        answers = np.zeros((len(words), self.answer_row), np.uint32)
        simulator = self._take()
        for index, (wanted, seed) in enumerate(words.tolist()):
            if wanted:
                answers[index] = simulator.tell(simulator.env.reset(seed=seed)[0])
        self.idle.append(simulator)
        return answers

    def step(self, words: np.ndarray) -> np.ndarray:
        """Questions [batch, words] to answers; zeros where the episode is over."""
        answers = np.zeros((len(words), self.answer_row), np.uint32)
        # Bytes, since making a view takes NumPy longer than Python takes to copy what it shows.
        raw, running, simulator = words.tobytes(), 4 * self.words, self._take()
        # One after another: on two cores threads gained nothing that could be told from noise, and they would need locks.
        for index in range(len(words)):
            row = 4 * self.question * index
            if any(raw[row + running : row + running + 4]):
                simulator.write(raw[row : row + running])
                action = np.frombuffer(raw, np.float32, self.action_size, row + running + 4)
                obs, reward, terminated, truncated, _ = simulator.env.step(action)
                answers[index] = simulator.tell(obs, reward, terminated, truncated)
        self.idle.append(simulator)
        return answers

    def _take(self) -> _Simulator:
        try:
            return self.idle.pop()
        except IndexError:
            return _Simulator(self.name)

    def shapes(self, simulation: bytes) -> Shapes:
        """The parts of one state, the positions of the joints and not those of a substep before."""
        simulator = self._take()
        found = simulator.shapes(simulation)
        self.idle.append(simulator)
        return found

    def frame(self, simulation: bytes) -> np.ndarray:
        """The picture of one state. What draws is kept."""
        with self.drawing:
            self.camera = self.camera or _Camera(self.name)
            return self.camera.picture(simulation)


class _Camera:
    """MuJoCo's own drawing of a simulator of its own."""

    def __init__(self, name: str):
        mujoco, self.simulator = _mujoco(), _Simulator(name)
        model = self.simulator.model
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # GLFW warns of each display that it does not find
                self.renderer = mujoco.Renderer(model, model.vis.global_.offheight, model.vis.global_.offwidth)
        except Exception as error:  # whatever the drawing library raises
            raise InvalidInput(
                f"MuJoCo cannot draw {name}: it finds no OpenGL; without a display set the environment variable MUJOCO_GL "
                "to egl (a driver's) or osmesa (Mesa's, in software) before Python starts"
            ) from error
        track = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_CAMERA, "track")
        self.view: Any = track
        if track < 0:
            self.view = mujoco.MjvCamera()
            mujoco.mjv_defaultFreeCamera(model, self.view)
            for field, value in (self.simulator.env.mujoco_renderer.default_cam_config or {}).items():
                setattr(self.view, field, value)

    def picture(self, simulation: bytes) -> np.ndarray:
        self.simulator.write(simulation)
        self.simulator.standing = b""
        _mujoco().mj_forward(self.simulator.model, self.simulator.data)
        self.renderer.update_scene(self.simulator.data, camera=self.view)
        return np.array(self.renderer.render(), np.uint8)


_POOLS: dict[str, _Pool] = {}


def _pool(name: str) -> _Pool:
    return _POOLS.get(name) or _POOLS.setdefault(name, _Pool(name))


def _even(words: int) -> int:
    """Rows of an even number of words, so that each begins where a float64 may."""
    return words + words % 2


def _single(state: MuJoCoState, method: str) -> bytes:
    if state.steps.ndim:
        raise InvalidInput(f"MuJoCo.{method} takes one state; pick one of the batch first")
    return np.asarray(state.simulation).tobytes()


# Jitted so that a call from outside any jit compiles once and not at every step.
@functools.partial(jax.jit, static_argnums=0)
def _reset(pool: _Pool, wanted: Bool[Array, ""], seed: UInt32[Array, ""]) -> UInt32[Array, " answer"]:
    return reset_on_host(pool.reset, pool.answer_row, wanted, seed)


@functools.partial(jax.jit, static_argnums=0)
def _advance(pool: _Pool, words: UInt32[Array, " question"]) -> UInt32[Array, " answer"]:
    return one_call(functools.partial(on_host, pool.step, pool.answer_row))(words)


def _mujoco() -> Any:
    """The package. Raises InvalidInput where it, or what Gymnasium wants beside it, is missing."""
    try:
        importlib.import_module("imageio")  # Gymnasium imports it with every MuJoCo environment, drawing or not
        return importlib.import_module("mujoco")
    except ImportError as error:
        raise InvalidInput(
            f"MuJoCo needs packages that are missing: pip install 'spikeloop[mujoco]' ({error})"
        ) from error
    except Exception as error:  # MUJOCO_GL asks for an OpenGL that is not there
        raise InvalidInput(f"MuJoCo cannot be imported: {' '.join(str(error).split())}; is MUJOCO_GL right?") from error


def _made(name: str) -> Any:
    """Gymnasium's environment, bare."""
    mujoco = _mujoco()
    handler = mujoco.get_mju_user_warning()
    # Of a tag in Gymnasium's own model that will be dropped one day: said at every start, and into MUJOCO_LOG.TXT.
    mujoco.set_mju_user_warning(lambda text: None)
    try:
        return make(name).unwrapped
    finally:
        mujoco.set_mju_user_warning(handler)


def _unknown(name: str) -> str:
    if name == "Pusher-v4":
        return "Pusher-v4 works only with MuJoCo before 3; use Pusher-v5"
    close = difflib.get_close_matches(name, _NAMES, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return (
        f"unknown MuJoCo task {name!r}; {hint}available: {', '.join(_NAMES)}; Gymnasium(NAME) takes other environments"
    )
