"""Tables of values against a loop over their definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.test_build import as_users_have_it

from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import Experience, FollowCredit, PreviousActions, StaticTable, SynapseState, Table
from spikeloop.learners.synapses.value import cell

KEY = jax.random.key(0)
WIDTH = 2
numbers = st.sampled_from([-3.0, -1.0, -0.9, -0.34, -0.33, 0.0, 0.33, 0.34, 1.0, 7.0])


def drawn(seed, n=40, width=WIDTH, discount=0.7):
    """Experiences that meet often in a table of 9 cells."""
    generator = np.random.default_rng(seed)
    states, after = generator.uniform(-1.2, 1.2, size=(2, n, width)).astype(np.float32)
    actions = generator.integers(-1, 2, n).astype(np.int32)
    rewards = generator.normal(size=n).astype(np.float32)
    return Experience(*map(jnp.asarray, (states, actions, rewards, after, np.float32(discount))))


def interval(number, bins):
    """Which of `bins` equal intervals of [-1, 1] a number is in; those outside count to the outermost."""
    return int(np.clip(np.searchsorted(np.linspace(-1, 1, bins + 1), number, side="right") - 1, 0, bins - 1))


def place(state, bins):
    where = 0
    for number in state:
        where = where * bins + interval(float(number), bins)
    return where


@given(st.lists(numbers, min_size=1, max_size=4), st.integers(1, 6))
def test_a_state_falls_into_the_cell_of_its_intervals(state, bins):
    """The first number counts most."""
    assert int(cell(jnp.asarray(state, jnp.float32), bins)) == place(np.float32(state), bins)


def test_three_bins_keep_the_values_of_actions_and_signs_apart():
    states = [[a, r] for a in (-1.0, 0.0, 1.0) for r in (-1.0, 0.0, 1.0)]
    assert [int(cell(jnp.asarray(state), 3)) for state in states] == list(range(9))


@pytest.mark.parametrize("discount", [0.0, 0.7])
@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_a_table_moves_to_the_mean_target_of_every_visited_cell(rate, discount):
    """All targets are made from the table as it was before the first of them was learned."""
    table = Table(3, rate)
    before = np.random.default_rng(1).normal(size=(9, 3)).astype(np.float32)
    lived = drawn(0, discount=discount)
    targets: dict[tuple[int, int], list[float]] = {}
    for state, action, reward, after in zip(
        *map(np.asarray, (lived.states, lived.actions, lived.rewards, lived.next_states)), strict=True
    ):
        target = reward + discount * before[place(after, 3)].max()
        targets.setdefault((place(state, 3), int(action) + 1), []).append(float(target))
    expected = before.astype(np.float64)
    for where, found in targets.items():
        expected[where] += rate * (np.mean(found) - expected[where])
    assert 9 < len(targets) < 27  # some cells are visited several times, some never
    np.testing.assert_allclose(np.asarray(table.learn(jnp.asarray(before), lived, KEY)), expected, atol=1e-5)


@given(st.permutations(range(12)))
def test_a_table_does_not_hang_on_the_order_of_the_synapses(order):
    lived, order = drawn(2, n=12), jnp.asarray(order)
    mixed = Experience(
        lived.states[order], lived.actions[order], lived.rewards[order], lived.next_states[order], lived.discount
    )
    before = jnp.asarray(np.random.default_rng(1).normal(size=(9, 3)), jnp.float32)
    one, two = (np.asarray(Table(3, 0.5).learn(before, each, KEY)) for each in (lived, mixed))
    np.testing.assert_allclose(one, two, atol=1e-6)
    assert np.abs(one - np.asarray(before)).max() > 0.1


def test_a_table_finds_the_value_of_a_task_without_end():
    """Reward 1 for action 1 only, the same state for ever: Q = r + g / (1 - g)."""
    table, states = Table(1, 0.2), jnp.zeros((3, 1))
    lived = Experience(states, jnp.asarray([-1, 0, 1]), jnp.asarray([0.0, 0.0, 1.0]), states, jnp.asarray(0.8))
    learned = jax.lax.fori_loop(0, 300, lambda _, q: table.learn(q, lived, KEY), table.init(1, 3, KEY))
    np.testing.assert_allclose(np.asarray(learned), [[4.0, 4.0, 5.0]], rtol=1e-3)


def test_a_table_begins_at_zero_and_is_its_own_lesson():
    learned = Table(3).init(4, 7, KEY)
    assert learned.shape == (81, 3) and not np.asarray(learned).any()
    assert {name: lesson is learned for name, lesson in Table(3).lessons(learned).items()} == {"table": True}
    values = jnp.asarray(np.arange(27, dtype=np.float32).reshape(9, 3))
    np.testing.assert_array_equal(np.asarray(Table(3)(values, jnp.asarray([1.0, -1.0]))), [18.0, 19.0, 20.0])


def test_a_static_table_is_what_it_was_and_stays_it():
    rows = tuple((float(n), n + 0.25, -float(n)) for n in range(9))
    table = StaticTable(3, rows)
    learned = table.init(WIDTH, 7, KEY)
    np.testing.assert_array_equal(np.asarray(table.learn(learned, drawn(0), KEY)), rows)
    for state in ([-1.0, 0.0], [0.5, 0.9]):
        np.testing.assert_array_equal(np.asarray(table(learned, jnp.asarray(state))), rows[place(state, 3)])
    assert table.lessons(learned) == {}


def test_follow_credit_goes_where_the_first_number_points():
    value = FollowCredit()
    for credit in (-2.0, 0.3):
        values = np.asarray(value(None, jnp.asarray([credit, 9.0])))
        np.testing.assert_allclose(values, [-credit, 0.0, credit], rtol=1e-6)
    assert value.learn(value.init(2, 5, KEY), drawn(0), KEY) is None


def test_a_table_that_would_be_too_large_is_refused_in_one_line():
    Table(10).init(6, 1, KEY)  # a million cells
    for value, width in ((Table(10), 7), (Table(3), 13), (Table(3), 20_000), (Table(10**400), 50)):
        with pytest.raises(
            InvalidInput, match=rf"{width} numbers has {value.bins}\^{width} cells, more than"
        ) as caught:
            value.init(width, 1, KEY)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("width", [1, 3, 100_000])
def test_a_static_table_of_another_shape_is_refused_in_one_line(width):
    table = StaticTable(3, ((0.0, 0.0, 1.0),) * 9)
    with pytest.raises(InvalidInput, match=rf"has 9 cells, and a state of {width} numbers .* needs 3\^{width}$"):
        table.init(width, 1, KEY)


@pytest.mark.parametrize("row", [(0.0, 1.0), (0.0, 1.0, 2.0, 3.0), (0.0, np.nan, 1.0), (np.inf, 0.0, 0.0)], ids=str)
def test_rows_that_are_not_three_finite_numbers_are_refused(row):
    with as_users_have_it(), pytest.raises(InvalidInput, match=r"three finite numbers; row 5 is \(") as caught:
        StaticTable(3, ((0.0, 0.0, 1.0),) * 5 + (row,) + ((0.0, 0.0, 1.0),) * 3)  # pyright: ignore[reportArgumentType]
    assert len(str(caught.value)) < 120  # and not the whole table


@pytest.mark.parametrize("fields", [{"bins": 0}, {"rate": -0.1}, {"rate": 1.1}])
def test_invalid_fields(fields):
    with pytest.raises(InvalidInput, match=r"^Table\.(bins|rate) must be"):
        Table(**fields)


def test_a_state_as_deep_as_it_likes_is_still_refused_in_one_line():
    with pytest.raises(InvalidInput, match="more than 1,000,000"):
        Table().init(SynapseState((PreviousActions(10_000),)).width, 1, KEY)
