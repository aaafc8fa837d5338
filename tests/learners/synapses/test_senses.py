"""What a synapse sees: the widths of the five published designs, and that each number is what its name says."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import (
    Credit,
    FiringRates,
    Place,
    Places,
    PostLayer,
    PrePost,
    PrePostLayer,
    PreviousActions,
    PreviousRewards,
    Rates,
    SynapseState,
    Weight,
    places,
)
from spikeloop.learners.synapses.rule import see

MEMORY = (PreviousActions(2), PreviousRewards(2))
DESIGNS = {
    "M1": (MEMORY, 4),
    "M2": ((*MEMORY, Weight()), 5),
    "M3": ((*MEMORY, Place()), 6),
    "M4": ((*MEMORY, Weight(), Place()), 7),
    "M5": ((Weight(), Place()), 3),
}
WHERE = places({"one": {"w": jnp.zeros((2, 3)), "x": jnp.zeros(3)}, "two": {"w": jnp.zeros((3, 2))}})
N = WHERE.count
DRAWN = np.random.default_rng(0)
ACTIONS = DRAWN.normal(size=(3, N)).astype(np.float32)
REWARDS = DRAWN.normal(size=(3, N)).astype(np.float32)
WEIGHTS, PRE, POST, CREDIT = DRAWN.normal(size=(4, N)).astype(np.float32)
EVERYTHING = (*MEMORY, Weight(2.0), Place(PrePostLayer()), FiringRates(), Credit(4.0))


def seen(state, where=WHERE, order: Any = slice(None)):
    """The states of all synapses, who are numbered in another order."""
    rates = Rates(jnp.asarray(PRE[order]), jnp.asarray(POST[order]))
    known = (jnp.asarray(values[..., order]) for values in (ACTIONS, REWARDS, WEIGHTS, CREDIT))
    actions, rewards, weights, credit = known
    return np.asarray(see(state, where, actions, rewards, weights, rates, credit))


@pytest.mark.parametrize("design", DESIGNS)
def test_widths_of_the_five_designs(design):
    senses, width = DESIGNS[design]
    state = SynapseState(senses)
    assert state.width == len(state.names) == width
    assert seen(state).shape == (N, width)


def test_every_number_is_what_its_name_says():
    """Actions and rewards are a synapse's own, the latest first; scales divide."""
    post, layer = PostLayer().code(WHERE).T
    pre3, post3, layer3 = PrePostLayer().code(WHERE).T
    columns = {
        "M1": [ACTIONS[0], ACTIONS[1], REWARDS[0], REWARDS[1]],
        "M4": [ACTIONS[0], ACTIONS[1], REWARDS[0], REWARDS[1], WEIGHTS, post, layer],
        "M5": [WEIGHTS, post, layer],
    }
    for design, expected in columns.items():
        np.testing.assert_allclose(seen(SynapseState(DESIGNS[design][0])), np.stack(expected, axis=1), rtol=1e-6)
    state = SynapseState((PreviousRewards(3), *EVERYTHING[3:], PreviousActions(1), Weight(2.0)))
    expected = [*REWARDS, pre3, post3, layer3, PRE, POST, CREDIT / 4.0, ACTIONS[0], WEIGHTS / 2.0]
    np.testing.assert_allclose(seen(state), np.stack(expected, axis=1), rtol=1e-6)
    names = ["r[t-1]", "r[t-2]", "r[t-3]", "pre", "post", "layer", "pre rate", "post rate", "credit", "a[t-1]", "w"]
    assert list(state.names) == names
    assert SynapseState(DESIGNS["M4"][0]).names == ("a[t-1]", "a[t-2]", "r[t-1]", "r[t-2]", "w", "post", "layer")


def test_a_state_remembers_as_far_back_as_its_senses_look():
    assert SynapseState((PreviousActions(1), PreviousRewards(3))).depth == 3
    assert SynapseState((PreviousActions(4), Weight())).depth == 4
    assert SynapseState((Weight(), Place(), Credit())).depth == 0


@given(st.permutations(range(N)))
def test_synapses_in_another_order_see_the_same(order):
    order = np.asarray(order)
    where = Places(WHERE.layer[order], WHERE.pre[order], WHERE.post[order], WHERE.bias[order])
    np.testing.assert_array_equal(seen(SynapseState(EVERYTHING), where, order), seen(SynapseState(EVERYTHING))[order])


@pytest.mark.parametrize(
    ("senses", "words"),
    [
        ((), "a non-empty tuple"),
        ((Weight(), Weight(2.0)), "differ from each other"),
        ((PreviousActions(2), PreviousActions(1)), "differ from each other"),
        ((Place(PrePost()), Place(PrePostLayer())), "differ from each other"),
    ],
)
def test_senses_that_repeat_are_refused_in_one_line(senses, words):
    with pytest.raises(InvalidInput, match=rf"^SynapseState\.senses must be .*{words}") as caught:
        SynapseState(senses)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("cls", "value"),
    [(PreviousActions, 0), (PreviousRewards, 0), (Weight, 0.0), (Weight, -1.0), (Credit, 0.0), (Credit, np.inf)],
)
def test_invalid_fields(cls, value):
    with pytest.raises(InvalidInput, match=rf"^{cls.__name__}\.(count|scale) must be"):
        cls(value)
