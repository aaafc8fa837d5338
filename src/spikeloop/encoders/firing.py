"""From an activity to spikes, with the straight-through gradient: the derivative of a spike by its activity is 1.

    Bernoulli   o = 1[U < A],             U ~ U(0, 1), one draw a tick and neuron       P(o = 1) = A
    Poisson     o = 1[N >= 1],            N ~ Poisson(A), likewise                      P(o = 1) = 1 - exp(-A)

The second is drawn as 1[U < 1 - exp(-A)], the same in distribution. Backward 1 as in PopSAN (Tang et al. 2020), whatever
the spike was.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


# The sum "activity + (spikes - activity)" would round a spike to 0.99999994, so the rule is written out.
@jax.custom_jvp
def straight_through(spikes: Float[Array, " n"], activity: Float[Array, " n"]) -> Float[Array, " n"]:
    """The spikes, which differentiate as the activity."""
    return spikes


@straight_through.defjvp
def _straight_through_jvp(primals, tangents):
    return primals[0], tangents[1]


def bernoulli_spikes(activity: Float[Array, " n"], key: PRNGKeyArray) -> Float[Array, " n"]:
    """A spike with the probability that the activity is."""
    return _draw(activity, activity, key)


def poisson_spikes(activity: Float[Array, " n"], key: PRNGKeyArray) -> Float[Array, " n"]:
    """A spike if a Poisson process of the activity's rate has any event within the tick."""
    return _draw(-jnp.expm1(-activity), activity, key)


def _draw(probability, activity, key):
    fired = jax.random.uniform(key, activity.shape, activity.dtype) < probability
    return straight_through(fired.astype(activity.dtype), activity)
