"""How a policy answers observations, one decision from rest for each: spikes of every neuron, outputs, and tuning maps.

A tuning map has a cell for each pair of values of two observed variables, the others held where they are: how often each
neuron fires in one decision there. Figures 13 to 15 of Labady 2023 are such maps. A policy that carries state from one
decision to the next is asked at rest all the same; in an episode its counts also depend on the decisions before.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from spikeloop.environments import Box, Discrete
from spikeloop.interaction import Actor
from spikeloop.policies import AbstractPolicy

AT_ONCE = 64  # observations that are answered side by side


class Response(eqx.Module):
    """Spikes of each neuron of every population in one decision, and the output; over draws where chance has a part."""

    spikes: tuple[Float[Array, "*seen _"], ...]
    output: Float[Array, "*seen out"]


def respond(
    policy: AbstractPolicy, params: Any, observations: Float[Array, "seen *obs"], draws: int = 1, key: Any = None
) -> Response:
    """The mean answer to each observation over so many draws (one is enough where nothing is left to chance).

    ``key`` may be None unless the policy is stochastic; all observations meet the same draws.
    """
    count = observations.shape[0]
    # Always the same number at once, so that one program serves all calls.
    padding = jnp.broadcast_to(observations[:1], (-count % AT_ONCE, *observations.shape[1:]))
    padded = jnp.concatenate([observations, padding])
    answers = [
        _respond(policy, params, padded[first : first + AT_ONCE], draws, key)
        for first in range(0, len(padded), AT_ONCE)
    ]
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:count], *answers)


@eqx.filter_jit
def _respond(policy: AbstractPolicy, params: Any, observations: Any, draws: int, key: Any) -> Response:
    keys = jax.random.split(key, draws) if policy.stochastic else None

    def once(obs, draw):
        _, decision = policy(params, policy.init_state(params), obs, draw)
        return Response(decision.spikes, decision.output)

    def answer(obs):
        if keys is None:
            return once(obs, None)
        return jax.tree.map(lambda leaf: jnp.mean(leaf, axis=0), jax.vmap(once, in_axes=(None, 0))(obs, keys))

    return jax.vmap(answer)(observations)


def tuning_map(
    policy: AbstractPolicy,
    params: Any,
    at: Float[Array, " obs"],
    variables: tuple[int, int],
    values: tuple[Float[Array, " first"], Float[Array, " second"]],
    draws: int = 1,
    key: PRNGKeyArray | None = None,
) -> Response:
    """The answer over two variables of the (flat) observation, the others held as in `at`; leaves are ``[first, second, _]``."""
    first, second = jnp.meshgrid(*values, indexing="ij")
    seen = jnp.broadcast_to(at, (first.size, at.shape[0]))
    seen = seen.at[:, variables[0]].set(first.ravel()).at[:, variables[1]].set(second.ravel())
    found = respond(policy, params, seen, draws, key)
    return jax.tree.map(lambda leaf: leaf.reshape(*first.shape, -1), found)


def preferred(actions: Discrete | Box, output: Float[Array, "*seen out"]) -> Int[Array, "*seen"] | None:
    """The action of largest output, of discrete actions with a number each; None otherwise."""
    if isinstance(actions, Discrete) and output.shape[-1] == actions.count:
        return jnp.argmax(output, axis=-1)
    return None


class Sensitivity(eqx.Module):
    """What one standard deviation of a variable does, mean over the states it was asked at.

    ``effect``: change of each output as the variable rises by one deviation; ``size``: the same without its sign;
    ``switched``: share of the states where the action of largest output changes if the variable moves half a deviation up or
    down (None where actions are not chosen by outputs).
    """

    deviation: Float[Array, " obs"]
    effect: Float[Array, "obs out"]
    size: Float[Array, "obs out"]
    switched: Float[Array, " obs"] | None


def sensitivity(
    actor: Actor,
    observations: Float[Array, "seen obs"],
    draws: int = 1,
    key: PRNGKeyArray | None = None,
    variables: tuple[int, ...] | None = None,
) -> Sensitivity:
    """Central differences of the outputs with regard to each variable (or some), half a standard deviation to either side.

    A variable that never varied gets zeros. Costs two decisions for each state and variable.
    """
    deviation = jnp.std(observations, axis=0)
    steps = 0.5 * jnp.diag(deviation)
    steps = steps if variables is None else steps[jnp.asarray(variables)]

    def moved(step):
        return respond(actor.policy, actor.params, observations + step[None], draws, key).output

    effects, sizes, switches = [], [], []
    middle = preferred(actor.actions, moved(jnp.zeros_like(deviation)))
    for step in steps:
        up, down = moved(step), moved(-step)
        effects.append(jnp.mean(up - down, axis=0))
        sizes.append(jnp.mean(jnp.abs(up - down), axis=0))
        if middle is not None:
            sides = [preferred(actor.actions, side) for side in (up, down)]
            switches.append(jnp.mean((sides[0] != middle) | (sides[1] != middle), dtype=jnp.float32))
    switched = jnp.stack(switches) if switches else None
    deviation = deviation if variables is None else deviation[jnp.asarray(variables)]
    return Sensitivity(deviation, jnp.stack(effects), jnp.stack(sizes), switched)
