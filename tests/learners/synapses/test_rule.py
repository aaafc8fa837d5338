"""The rule by which synapses act and hear: chance, order, memory, and who is told what."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant, LinearDecay
from spikeloop.learners.synapses import (
    Additive,
    Credit,
    FiringRates,
    InTurn,
    LevelReward,
    MonteCarlo,
    Multiplicative,
    Place,
    Places,
    PrePostLayer,
    PreviousActions,
    PreviousRewards,
    Rates,
    StaticTable,
    SynapseState,
    SynapticRule,
    Table,
    Weight,
    places,
)
from spikeloop.learners.synapses.rule import choose, synapse_rates
from spikeloop.networks import FeedForward
from spikeloop.policies import DeepPolicy, SpikingPolicy

DRAWS = 6000
WHERE = places({"one": {"w": jnp.zeros((2, 2)), "x": jnp.zeros(2)}, "two": {"w": jnp.zeros((2, 1))}})
N = WHERE.count
NO_RATES = Rates(jnp.zeros(N), jnp.zeros(N))


def chosen(values, epsilon, seed=0):
    """How often each action was chosen by synapses that all expect the same."""
    many = jnp.tile(jnp.asarray(values, jnp.float32), (DRAWS, 1))
    actions = np.asarray(choose(many, jnp.asarray(epsilon), jax.random.key(seed)))
    return [int(np.sum(actions == action)) for action in (-1, 0, 1)]


@pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [2.0, 2.0, 1.0], [2.0, 0.0, 2.0], [-1.0, -1.0, -1.5]])
def test_between_equal_values_chance_is_fair(values):
    counts, best = np.asarray(chosen(values, 0.0)), np.asarray(values) == max(values)
    assert counts[~best].sum() == 0
    assert stats.chisquare(counts[best]).pvalue > 1e-3


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("best", [0, 1, 2])
def test_a_share_epsilon_of_the_actions_is_drawn_from_all_three(epsilon, best):
    counts = chosen(np.eye(3)[best], epsilon, seed=best)
    expected = np.where(np.arange(3) == best, 1.0 - 2.0 * epsilon / 3.0, epsilon / 3.0) * DRAWS
    if epsilon == 0.0:
        assert counts == expected.tolist()
    else:
        assert stats.chisquare(counts, expected).pvalue > 1e-3


@given(st.permutations(range(7)), st.integers(0, 99))
def test_choices_of_distinct_values_go_with_the_synapses(order, seed):
    values = jnp.asarray(np.random.default_rng(seed).normal(size=(7, 3)), jnp.float32)
    here = np.asarray(choose(values, jnp.zeros(()), jax.random.key(seed)))
    there = np.asarray(choose(values[jnp.asarray(order)], jnp.zeros(()), jax.random.key(seed + 1)))
    np.testing.assert_array_equal(there, here[np.asarray(order)])
    np.testing.assert_array_equal(here, np.asarray(values).argmax(axis=1) - 1)


def rounds(rule, where, weights, scores, rates=NO_RATES, table=None, seed=0):
    """Weights and actions on the way, rewards, and the last synapses, where the score of round t is given."""
    synapses, trace = rule.init(where, jax.random.key(9)), []
    if table is not None:
        synapses = eqx.tree_at(lambda s: s.value, synapses, jnp.asarray(table))
    for t, score in enumerate(scores):
        act_key, hear_key = jax.random.split(jax.random.key(seed + t))
        synapses, weights = rule.act(where, synapses, weights, act_key)
        actions = np.asarray(synapses.deed.actions)
        synapses, reward = rule.hear(where, synapses, weights, jnp.asarray(score), rates, hear_key)
        trace.append((np.asarray(weights), actions, float(reward)))
    return synapses, trace


def test_synapses_in_another_order_learn_and_do_the_same():
    """No synapse is special: with distinct values and no exploration, a whole history of acts and lessons is permuted."""
    senses = (PreviousActions(1), PreviousRewards(1), Weight(), Place(PrePostLayer()))
    rule = SynapticRule(SynapseState(senses), Table(3, 0.3), exploration=Constant(0.0), change=Additive(0.2))
    generator = np.random.default_rng(5)
    table, weights = generator.normal(size=(3**6, 3)), generator.normal(size=N)
    scores = generator.normal(size=8)
    order = generator.permutation(N)
    moved = Places(WHERE.layer[order], WHERE.pre[order], WHERE.post[order], WHERE.bias[order])
    weights = jnp.asarray(weights, jnp.float32)
    one, here = rounds(rule, WHERE, weights, scores, table=np.float32(table))
    two, there = rounds(rule, moved, weights[order], scores, table=np.float32(table), seed=50)
    for (w, a, r), (permuted_w, permuted_a, permuted_r) in zip(here, there, strict=True):
        np.testing.assert_array_equal(permuted_a, a[order])
        np.testing.assert_allclose(permuted_w, w[order], rtol=1e-6)
        assert permuted_r == r
    np.testing.assert_allclose(np.asarray(two.value), np.asarray(one.value), atol=1e-6)
    assert np.abs(np.asarray(one.value) - table).max() > 0.1
    assert len({tuple(a.tolist()) for _, a, _ in here}) > 2  # it was not always the same act


@pytest.mark.parametrize("change", [Additive(0.25), Multiplicative(0.25)], ids=lambda change: type(change).__name__)
def test_weights_are_what_the_actions_made_of_them(change):
    rule = SynapticRule(change=change, exploration=Constant(1.0))
    weights = jnp.asarray(np.random.default_rng(0).normal(size=N), jnp.float32)
    before = np.asarray(weights)
    _, trace = rounds(rule, WHERE, weights, [0.0] * 6)
    for after, actions, _ in trace:
        share = before if isinstance(change, Multiplicative) else np.ones(N)
        np.testing.assert_allclose(after, before + 0.25 * actions * share, rtol=1e-5)
        before = after
    assert {-1, 0, 1} == {int(a) for _, actions, _ in trace for a in actions}


def test_synapses_remember_the_latest_first():
    rule = SynapticRule(SynapseState((PreviousActions(3), PreviousRewards(2))), exploration=Constant(1.0))
    synapses, trace = rounds(rule, WHERE, jnp.ones(N), [1.0, 2.0, 1.5, 1.5, 9.0])
    assert [reward for _, _, reward in trace] == [0.0, 1.0, -1.0, -1.0, 1.0]
    np.testing.assert_array_equal(np.asarray(synapses.actions[:3]), [trace[t][1] for t in (4, 3, 2)])
    np.testing.assert_array_equal(np.asarray(synapses.rewards[:2]), np.repeat([[1.0], [-1.0]], N, axis=1))
    assert int(synapses.iterations) == 5
    seen = np.asarray(rule.see(WHERE, synapses, jnp.ones(N)))
    np.testing.assert_array_equal(seen[3], [*(trace[t][1][3] for t in (4, 3, 2)), 1.0, -1.0])


def test_the_rewarded_action_gains_in_the_cell_where_it_was_done():
    """One round by hand: all at the cell of no past; reward 0; then reward 1 at the cells of what was done before."""
    rule = SynapticRule(SynapseState((PreviousActions(1),)), Table(3, 0.5), exploration=Constant(1.0), discount=0.0)
    synapses, trace = rounds(rule, WHERE, jnp.zeros(N), [1.0, 2.0])
    expected = np.zeros((3, 3))
    for first, second in zip(trace[0][1], trace[1][1], strict=True):
        expected[first + 1, second + 1] = 0.5
    np.testing.assert_allclose(np.asarray(synapses.value), expected)


def test_those_who_wait_neither_act_nor_learn_nor_forget():
    rule = SynapticRule(turn=InTurn(2), exploration=Constant(1.0), change=Additive(1.0))
    synapses, weights = rule.init(WHERE, jax.random.key(0)), jnp.zeros(N)
    remembered = np.asarray(synapses.actions), np.asarray(synapses.rewards)
    for t in range(2 * N):
        acting = [(2 * t) % N, (2 * t + 1) % N]
        before = weights
        synapses, weights = rule.act(WHERE, synapses, weights, jax.random.key(t))
        moved = np.flatnonzero(np.asarray(weights - before))
        assert set(moved.tolist()) <= set(acting)
        assert np.asarray(synapses.deed.who).tolist() == acting
        np.testing.assert_array_equal(np.asarray(weights - before)[acting], np.asarray(synapses.deed.actions))
        done = np.asarray(synapses.actions)
        synapses, _ = rule.hear(WHERE, synapses, weights, jnp.asarray(1.0 * t), NO_RATES, jax.random.key(t))
        waiting = [n for n in range(N) if n not in acting]
        np.testing.assert_array_equal(done[:, waiting], remembered[0][:, waiting])
        np.testing.assert_array_equal(np.asarray(synapses.rewards)[:, waiting], remembered[1][:, waiting])
        np.testing.assert_array_equal(done[1, acting], remembered[0][0, acting])
        remembered = done, np.asarray(synapses.rewards)


def test_a_score_that_is_no_number_teaches_nothing():
    rule = SynapticRule(reward=LevelReward(1.0), exploration=Constant(1.0), discount=0.0)
    synapses, trace = rounds(rule, WHERE, jnp.zeros(N), [np.nan, np.inf, np.nan])
    assert [reward for _, _, reward in trace] == [0.0, 0.0, 0.0]
    assert not np.asarray(synapses.value).any()


def test_credit_is_refused_where_nobody_keeps_it():
    with pytest.raises(InvalidInput, match="AntitheticSynapseAgents"):
        SynapticRule(SynapseState((Credit(),)))


def test_nothing_is_learned_before_a_return_is_complete():
    rule = SynapticRule(returns=MonteCarlo(4), exploration=Constant(1.0), discount=1.0, value=Table(3, 1.0))
    assert not np.asarray(rounds(rule, WHERE, jnp.zeros(N), [1.0, 2.0, 3.0])[0].value).any()
    values = np.asarray(rounds(rule, WHERE, jnp.zeros(N), [1.0, 2.0, 3.0, 4.0])[0].value)
    assert set(np.unique(values).tolist()) == {0.0, 3.0}  # 0 for the first score, and then three rises


def test_exploration_goes_by_iterations():
    table = StaticTable(3, ((0.0, 0.0, 1.0),) * 3)
    rule = SynapticRule(SynapseState((Weight(),)), table, exploration=LinearDecay(1.0, 0.0, 1.0))
    for seed in range(3):
        _, trace = rounds(rule, WHERE, jnp.zeros(N), [0.0] * 4, seed=seed)
        assert set(trace[0][1].tolist()) != {1}
        assert all(set(actions.tolist()) == {1} for _, actions, _ in trace[1:])


def test_rates_are_those_of_the_neurons_at_both_ends():
    """Inputs and readouts have no rate; a bias's unit is always on, in the first layer as in the others."""
    policy = SpikingPolicy(network=FeedForward((3, 2)))
    where = places(policy.init(4, 2, jax.random.key(0)))
    rates = (np.asarray([0.1, 0.2, 0.3], np.float32), np.asarray([0.4, 0.5], np.float32))
    found = synapse_rates(where, tuple(map(jnp.asarray, rates)))
    for synapse in range(where.count):
        layer, pre, post = (int(column[synapse]) for column in (where.layer, where.pre, where.post))
        before = 1.0 if where.bias[synapse] else 0.0 if layer == 0 else rates[layer - 1][pre]
        behind = 0.0 if layer == 2 else rates[layer][post]
        assert float(found.pre[synapse]) == pytest.approx(before)
        assert float(found.post[synapse]) == pytest.approx(behind)
    silent = synapse_rates(where, ())
    np.testing.assert_array_equal(np.asarray(silent.pre), where.bias.astype(np.float32))
    assert not np.asarray(silent.post).any()


def test_layers_without_biases_have_rates_too():
    where = places({"one": jnp.zeros((2, 3)), "two": {"w": jnp.zeros((3, 2))}})
    found = synapse_rates(where, (jnp.asarray([0.1, 0.2, 0.3]),))
    np.testing.assert_allclose(np.asarray(found.pre)[6:], [0.1, 0.1, 0.2, 0.2, 0.3, 0.3])
    np.testing.assert_allclose(np.asarray(found.post)[:6], [0.1, 0.2, 0.3] * 2)


def test_rates_that_were_heard_are_seen():
    rates = Rates(jnp.linspace(0.0, 0.7, N), jnp.linspace(0.9, 0.1, N))
    rule = SynapticRule(SynapseState((FiringRates(),)))
    synapses, _ = rounds(rule, WHERE, jnp.zeros(N), [0.0], rates)
    seen = np.asarray(rule.see(WHERE, synapses, jnp.zeros(N)))
    np.testing.assert_allclose(seen, np.stack([rates.pre, rates.post], axis=1))


@pytest.mark.parametrize("discount", [-0.1, 1.1, float("nan")])
def test_a_discount_out_of_range_is_refused(discount):
    with pytest.raises(InvalidInput, match=r"^SynapticRule\.discount must be between 0 and 1, got"):
        SynapticRule(discount=discount)


def test_a_rule_refuses_what_its_parts_refuse():
    where = places(jax.eval_shape(lambda: DeepPolicy((3,)).init(4, 2, jax.random.key(0))))
    wide = SynapseState((PreviousActions(8), PreviousRewards(8)))
    for rule, words in (
        (SynapticRule(wide), r"3\^16 cells"),
        (SynapticRule(value=StaticTable(3, ((0.0, 0.0, 0.0),) * 9)), r"needs 3\^4"),
    ):
        with pytest.raises(InvalidInput, match=words):
            rule.init(where, jax.random.key(0))
