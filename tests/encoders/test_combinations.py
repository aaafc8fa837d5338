"""Codes of combinations: every cell or level has one of its own, with as many spikes as any other."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.encoders import CombinationCode, PatternCode
from spikeloop.errors import InvalidInput


def codes(encoder, observations):
    """Five ticks of input for each observation."""

    def run(obs):
        return jax.lax.scan(lambda s, _: encoder.step(None, s, obs, None), encoder.init_state(None), length=5)[1]

    return np.asarray(jax.jit(jax.vmap(run))(jnp.asarray(observations, jnp.float32)))


def test_every_cell_of_the_gridworld_has_a_combination_of_trains():
    cells = list(itertools.product(range(10), repeat=2))
    found = codes(CombinationCode(levels=10, low=0.0, high=10.0), cells)
    assert found.shape == (100, 5, 3) and set(np.unique(found).tolist()) == {-1.0, 1.0}
    assert (found == 1.0).sum(axis=1).tolist() == [[2, 2, 2]] * 100
    assert len({code.tobytes() for code in found}) == 100
    trains = found.transpose(0, 2, 1).tolist()
    assert all(len({tuple(train) for train in code}) == 3 for code in trains)
    # The first of C(10, 3): trains (0, 1), (0, 2) and (0, 3).
    assert [[tick for tick, x in enumerate(train) if x > 0] for train in trains[0]] == [[0, 1], [0, 2], [0, 3]]
    skipped = codes(CombinationCode(levels=10, low=0.0, high=10.0, skip=1), cells)
    np.testing.assert_array_equal(skipped[:-1], found[1:])


def test_more_cells_than_codes_are_refused():
    with pytest.raises(InvalidInput, match=r"^2 numbers of 11 levels make 121 cells, and there are 120 codes$"):
        CombinationCode(levels=11).size(2)
    with pytest.raises(InvalidInput, match=r"^CombinationCode\.on must be at most ticks, 5, got 6"):
        CombinationCode(on=6)


def test_every_level_has_a_pattern():
    encoder = PatternCode(10, 5, 10, 0.0, 1.0)
    levels = (np.arange(10) + 0.5) / 10
    found = np.asarray([encoder.step(None, None, jnp.asarray([x, 1.0 - x], jnp.float32), None)[1] for x in levels])
    first, second = found[:, :10], found[:, 10:]
    np.testing.assert_array_equal(first[::-1], second)
    assert len(np.unique(first, axis=0)) == 10 and ((first == 1).sum(axis=1) == 5).all()
    beyond = np.asarray(encoder.step(None, None, jnp.asarray([-3.0, 7.0]), None)[1])
    np.testing.assert_array_equal(beyond, np.concatenate([first[0], first[-1]]))
    with pytest.raises(InvalidInput, match=r"^PatternCode\.levels must be at most the 3 different patterns, got 4"):
        PatternCode(3, 1, 4)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"ticks": 10**9}, "at most 64"),
        ({"ticks": 64, "on": 32}, "at most 10,000 trains"),
        ({"levels": 1000}, "codes$"),
    ],
)
def test_what_no_memory_could_hold_is_refused_at_once(fields, said):
    with pytest.raises(InvalidInput, match=said):
        CombinationCode(**fields).size(3)
