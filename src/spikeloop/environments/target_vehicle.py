"""A vehicle that has to reach a target among obstacles, as the robot of Bing et al. 2019; their scenes are not public.

A square arena with walls, discs and rectangles in it, and a round vehicle of constant speed v that only turns. In a step of h
seconds with the turn rate omega = omega_max a it goes along an arc, exactly:

    x <- x + v h sinc(omega h / 2) (cos, sin)(theta + omega h / 2)          theta <- theta + omega h

Six sonars look ahead. Each measures, from the centre of the vehicle, the distance d to whatever is first on its ray:

    disc        t^2 - 2 t (d . c) + |c|^2 = rho^2 for a centre c seen from here and a direction d; the smaller root
    rectangle   the last of the entries into its two slabs, if it comes before the first of the exits
    arena       the first of the exits out of its slabs

What is observed is nearness, max(0, 1 - d / range): 0 where nothing is within range, 1 at contact with the centre. The last number
is the direction of the target relative to the heading, in half turns: positive to the left, as a positive turn is.

Every episode draws a scene of its own: a start, as target the farthest of four places, and obstacles, of which those that would
stand too near to either are left out. Reward 1 at the target, -1 at a collision, both of which end the episode.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int32, PRNGKeyArray

from spikeloop.component import require, require_count, require_positive
from spikeloop.environments._base import AbstractEnvironment, Box, Spec, Step

ANGLES = np.deg2rad([75.0, 45.0, 15.0, -15.0, -45.0, -75.0]).astype(np.float32)  # of the sonars, from left to right
AWAY = -1000.0  # where an obstacle is that was left out, m; beyond the arena's walls no ray reaches it
RADII = (0.3, 0.7)  # of the discs, m
HALF_SIDES = (0.2, 0.7)  # of the rectangles, m
MARGIN = 0.8  # between the arena's walls and a start or a target, m
CLEARANCE = 0.9  # between an obstacle and the centre of a start or a target, at least, m


class VehicleState(eqx.Module):
    """The vehicle and its scene; lengths in m."""

    position: Float[Array, "2"]
    heading: Float[Array, ""]  # radians, anticlockwise from the first axis
    target: Float[Array, "2"]
    discs: Float[Array, "discs 3"]  # centre and radius
    rectangles: Float[Array, "rectangles 4"]  # centre and half sides
    steps: Int32[Array, ""]


class TargetVehicle(AbstractEnvironment):
    """A vehicle of constant speed with six sonars, which has to reach a target among obstacles drawn at random.

    The action is the turn rate as a share of the largest, -1 to 1, positive to the left.
    """

    size: float = 8.0  # side of the arena, m
    discs: int = 4  # round obstacles, before any is left out
    rectangles: int = 3  # rectangular ones
    radius: float = 0.2  # of the vehicle, m
    speed: float = 1.0  # m/s
    turn_rate: float = 2.5  # largest, rad/s
    seconds: float = 0.05  # length of a step
    sonar: float = 1.5  # range of the sonars, m
    reach: float = 0.4  # distance from the target at which it is reached, m
    max_steps: int = 500  # steps after which an episode is truncated

    def __check_init__(self):
        require_positive(self, "size", "radius", "speed", "turn_rate", "seconds", "sonar", "reach")
        require(self, "size", lambda size: size > 2 * MARGIN, f"above {2 * MARGIN:g}, twice the margin at its walls")
        require_count(self, "discs", "rectangles", least=0)
        require_count(self, "max_steps")

    @property
    def spec(self):
        return Spec("TargetVehicle", (len(ANGLES) + 1,), Box((-1.0,), (1.0,)), self.max_steps)

    def reset(self, key):
        start_key, heading_key, target_key, disc_key, rectangle_key = jax.random.split(key, 5)
        position = self._place(start_key, ())
        heading = jax.random.uniform(heading_key, minval=-jnp.pi, maxval=jnp.pi)
        places = self._place(target_key, (4,))
        target = places[jnp.argmax(jnp.linalg.norm(places - position, axis=1))]
        state = VehicleState(
            position,
            heading,
            target,
            self._obstacles(disc_key, self.discs, RADII, 1),
            self._obstacles(rectangle_key, self.rectangles, HALF_SIDES, 2),
            jnp.zeros((), jnp.int32),
        )
        room = jnp.minimum(self._room(state, position), self._room(state, target))
        away = room < CLEARANCE
        state = eqx.tree_at(
            lambda state: (state.discs, state.rectangles),
            state,
            (_left_out(state.discs, away[: self.discs]), _left_out(state.rectangles, away[self.discs :])),
        )
        return state, self.observe(state)

    def step(self, state, action, key):
        turn = jnp.clip(action[0], -1.0, 1.0) * self.turn_rate * self.seconds
        chord = self.speed * self.seconds * jnp.sinc(0.5 * turn / jnp.pi)  # NumPy's sinc(x) is sin(pi x) / (pi x)
        position = state.position + chord * _direction(state.heading + 0.5 * turn)
        heading = _half_turn(state.heading + turn)
        state = VehicleState(position, heading, state.target, state.discs, state.rectangles, state.steps + 1)
        arrived = jnp.linalg.norm(state.target - position) <= self.reach
        collided = ~arrived & self.collides(state)
        step = Step(
            obs=self.observe(state),
            reward=arrived.astype(jnp.float32) - collided.astype(jnp.float32),
            terminated=arrived | collided,
            truncated=~(arrived | collided) & (state.steps >= self.max_steps),
        )
        return state, step

    def observe(self, state: VehicleState) -> Float[Array, " observed"]:
        """Nearness by each sonar, from left to right, and the target's direction in half turns."""
        nearness = jnp.maximum(0.0, 1.0 - self.distances(state) / self.sonar)
        ahead = state.target - state.position
        bearing = _half_turn(jnp.arctan2(ahead[1], ahead[0]) - state.heading)
        return jnp.append(nearness, bearing / jnp.pi)

    def distances(self, state: VehicleState) -> Float[Array, " sonars"]:
        """From the vehicle's centre to what is first on each sonar's ray, m."""
        directions = _direction(state.heading + jnp.asarray(ANGLES))
        return jax.vmap(lambda direction: self._first(state, direction))(directions)

    def collides(self, state: VehicleState) -> Bool[Array, ""]:
        """Whether the vehicle touches an obstacle or a wall of the arena."""
        wall = jnp.minimum(jnp.min(state.position), jnp.min(self.size - state.position))
        return jnp.min(jnp.append(self._room(state, state.position), wall)) <= self.radius

    def _first(self, state: VehicleState, direction: Float[Array, "2"]) -> Float[Array, ""]:
        safe = jnp.where(jnp.abs(direction) < 1e-9, 1e-9, direction)
        arena = jnp.min(jnp.maximum(-state.position / safe, (self.size - state.position) / safe))
        centres = state.discs[:, :2] - state.position
        along, away = centres @ direction, jnp.sum(centres**2, axis=1)
        inside = along**2 - away + state.discs[:, 2] ** 2
        disc = along - jnp.sqrt(jnp.maximum(inside, 0.0))
        discs = jnp.where((inside >= 0.0) & (disc >= 0.0), disc, jnp.inf)
        centres, half = state.rectangles[:, :2] - state.position, state.rectangles[:, 2:]
        one, other = (centres - half) / safe, (centres + half) / safe
        enter, leave = jnp.max(jnp.minimum(one, other), axis=1), jnp.min(jnp.maximum(one, other), axis=1)
        rectangles = jnp.where((enter <= leave) & (enter >= 0.0), enter, jnp.inf)
        return jnp.min(jnp.concatenate([arena[None], discs, rectangles]))

    def _room(self, state: VehicleState, point: Float[Array, "2"]) -> Float[Array, " obstacles"]:
        """Distance from a point to the edge of each obstacle, discs first; below 0 inside a disc, 0 inside a rectangle."""
        discs = jnp.linalg.norm(state.discs[:, :2] - point, axis=1) - state.discs[:, 2]
        beyond = jnp.maximum(jnp.abs(state.rectangles[:, :2] - point) - state.rectangles[:, 2:], 0.0)
        return jnp.concatenate([discs, jnp.linalg.norm(beyond, axis=1)])

    def _place(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*shape 2"]:
        return jax.random.uniform(key, (*shape, 2), minval=MARGIN, maxval=self.size - MARGIN)

    def _obstacles(self, key, count, sizes, numbers):
        place_key, size_key = jax.random.split(key)
        places = jax.random.uniform(place_key, (count, 2), minval=0.0, maxval=self.size)
        return jnp.concatenate(
            [places, jax.random.uniform(size_key, (count, numbers), minval=sizes[0], maxval=sizes[1])], axis=1
        )


def _left_out(obstacles, away):
    return jnp.where(away[:, None], jnp.asarray(AWAY), obstacles).at[:, 2:].set(jnp.abs(obstacles[:, 2:]))


def _direction(angle):
    return jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)


def _half_turn(angle):
    """The same angle between -pi and pi."""
    return jnp.mod(angle + jnp.pi, 2.0 * jnp.pi) - jnp.pi
