"""The learner that follows a local rule: what changes when, at which tick a rule sees a spike, and worlds it must master."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.iterate import iterate
from tests.worlds import ActionReward, Bullseye, DelayedReward, MatchingReward, ObservationReward

from spikeloop.decoders import MotorGroups, SpikeCountChoice
from spikeloop.encoders import BernoulliPlaceCells, Direct, OneHotBins, RegularPlaceCells
from spikeloop.environments import Discrete, Spec
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Greedy, Transition
from spikeloop.learners import (
    Everywhere,
    MotorTargeting,
    Reward,
    RewardAboveMean,
    RewardModulatedPlasticity,
    RewardPredictionError,
)
from spikeloop.learners.critics import PlaceCellValue, TableValue, TemporalDifference
from spikeloop.networks import DelayedFeedForward, FeedForward, SpikingInputs
from spikeloop.neurons import (
    AbstractNeuron,
    AlphaCurrentLeakyIntegrateAndFire,
    EscapeNoise,
    IntegrateAndFire,
    SoftWinnerTakeAll,
)
from spikeloop.plasticity import (
    AbstractPairings,
    CentredPairs,
    ExponentialEligibility,
    HardBounds,
    HebbianPairs,
    MeanRescaling,
    NearestTags,
    NoBounds,
    SpikePairs,
    SquarePulse,
    ThreeFactor,
)
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy

CELLS = RegularPlaceCells(-1.0, 1.0, cells=2, width=0.4, rate=1.0)
WINNER, CENTRED = SoftWinnerTakeAll(), CentredPairs()
CRITIC = RewardPredictionError(TemporalDifference(PlaceCellValue(-1.0, 1.0, 2, 0.4), rate=0.2), discount=0.5)


def learner(
    neuron: AbstractNeuron = WINNER, pairs: AbstractPairings = CENTRED, group=1, modulator: Any = CRITIC, **fields: Any
):
    policy = SpikingPolicy(CELLS, SpikingInputs(2, FeedForward((), neuron)), MotorGroups(group), ticks=3)
    rule = ThreeFactor(fields.pop("rate", 1.0), pairs, ExponentialEligibility(2.0), fields.pop("bounds", NoBounds()))
    return RewardModulatedPlasticity(policy, rule, modulator, **fields)


BOUNDED = HardBounds(-3.0, 3.0)
WAYS = {
    "winner-take-all": learner(),
    "escape-noise": learner(EscapeNoise(), group=4),
    "hebbian": learner(pairs=HebbianPairs(), bounds=BOUNDED, rate=0.3),
    "hebbian-targeted-reward": learner(
        pairs=HebbianPairs(), bounds=BOUNDED, rate=0.3, modulator=Reward(), targeting=MotorTargeting()
    ),
    "r-stdp": learner(
        EscapeNoise(), SpikePairs(a_minus=0.2), 4, bounds=BOUNDED, targeting=MotorTargeting(), dendritic_delay=1
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_masters_a_world_where_the_action_must_match_what_is_seen(way):
    """Chance is a mean reward of zero. The last 100 of 600 one-step episodes."""
    course = iterate(way.with_fields(steps_per_iteration=100), MatchingReward(), 6, seed=1)
    assert float(np.mean(course.reports.episodes.episode_return[-1])) > 0.7


def test_a_prediction_error_of_zero_changes_nothing_and_its_sign_the_sign_of_the_change():
    def told(scale):
        one = learner(modulator=Reward(scale))
        course = iterate(one, ActionReward(), 1, seed=3)
        return np.asarray(course.last.params.network[0].weight - course.first.params.network[0].weight)

    assert not told(0.0).any() and told(1.0).any()
    np.testing.assert_allclose(told(-1.0), -told(1.0), rtol=1e-5, atol=1e-7)


def step_of(reward, obs=(1.0,), next_obs=(1.0,), terminated=True):
    arrays = (jnp.asarray(x, jnp.float32) for x in (obs, reward, next_obs))
    obs, reward, next_obs = arrays
    return Transition(obs, jnp.zeros((), jnp.int32), reward, next_obs, jnp.asarray(terminated), jnp.asarray(False))


def test_modulators():
    spec = Spec("x", (1,), Discrete(2), 5)
    key = jax.random.key(0)
    assert Reward(2.0).step(None, step_of(3.0))[1] == 6.0
    mean = RewardAboveMean(0.5)
    state, first = mean.step(mean.init(spec, key), step_of(4.0))
    _, second = mean.step(state, step_of(4.0))
    assert (float(first), float(second)) == (4.0, 2.0)
    known = RewardPredictionError(TemporalDifference(TableValue(bins=2), rate=1.0, trace_decay=0.0), 0.5)
    state, error = known.step(known.init(spec, key), step_of(3.0))
    assert float(error) == 3.0 and float(known.step(state, step_of(3.0))[1]) == 0.0  # what was expected is no news


def test_targeting():
    group, action = jnp.asarray([0, 0, 1, -1]), jnp.asarray(1, jnp.int32)
    told = jnp.asarray(2.0)
    np.testing.assert_array_equal(np.asarray(Everywhere()(told, action, group)), [2.0] * 4)
    np.testing.assert_allclose(np.asarray(MotorTargeting(0.9, 0.5)(told, action, group)), [-1.8, -1.8, 2.0, 1.0])


@pytest.mark.parametrize("delay", [0, 1, 7])
def test_through_a_delayed_network_every_pair_of_spikes_counts_at_its_own_tick(delay):
    """Three decisions are one train of spikes, whose pairs are summed by hand; no spike under way at a decision's end is lost."""
    neuron = AlphaCurrentLeakyIntegrateAndFire(t_ref=1.0, resolution=0.2)
    network = DelayedFeedForward((4, 2), neuron, delay=0.4)
    pairs = SpikePairs(0.7, 1.1, 3.0, 5.0)
    encoder = OneHotBins(bins=2, low=-1.0, high=3.0, amplitude=40_000.0)
    policy = SpikingPolicy(encoder, network, SpikeCountChoice(), 50, KeepBetweenDecisions())
    rule = ThreeFactor(1e-9, pairs, ExponentialEligibility(1e9), NoBounds(), resolution=0.2)
    one = RewardModulatedPlasticity(policy, rule, Reward(0.0), selection=Greedy(), dendritic_delay=delay)
    with jax.enable_x64(True):
        params = policy.init(2, 2, jax.random.key(0))
        strong = tuple(jnp.full_like(genes, 20.0) for genes in params.network)
        params = eqx.tree_at(lambda p: p.network, params, strong)
        connection = network.connections(params.network)[0]
        kept, state, trains = one._begin(connection, params), policy.init_state(params), []
        for k in range(3):
            obs = jnp.asarray([float(k % 2) * 2.5, 2.5])
            state, watched = policy.watch(params, state, obs, None)
            _, kept = one._learn(connection, kept, watched, jnp.zeros(2), jnp.asarray(False))
            trains.append([np.asarray(fired) for fired in watched.spikes])
    pre, post = (np.concatenate([train[place] for train in trains]) for place in (0, 1))
    seen = np.concatenate([np.zeros((delay, 2)), post])[: len(post)]
    lag = 0.2 * (np.arange(len(pre))[None, :] - np.arange(len(pre))[:, None])
    window = np.where(lag > 0, 0.7 * np.exp(-lag / 3.0), -1.1 * np.exp(np.minimum(lag, 0.0) / 5.0))
    expected = pre.T @ window @ seen
    assert post.any() and expected.any()
    np.testing.assert_allclose(np.asarray(kept.traces.eligibility), expected, rtol=1e-5)


def test_watching_a_decision_does_not_change_it():
    policy = SpikingPolicy(
        BernoulliPlaceCells(-1.0, 1.0, 3), SpikingInputs(9, FeedForward((5,), EscapeNoise())), MotorGroups(2), ticks=4
    )
    params = policy.init(2, 3, jax.random.key(0))
    state, key, obs = policy.init_state(params), jax.random.key(1), jnp.asarray([0.3, -0.2])
    plain = policy(params, state, obs, key)
    after, watched = policy.watch(params, state, obs, key)
    assert policy.populations(3) == (9, 5, 6)
    assert eqx.tree_equal(plain, (after, watched.decision))
    assert [fired.shape for fired in watched.spikes] == [(4, n) for n in (9, 5, 6)] and watched.expected[0] is None
    for fired, counts in zip(watched.spikes, plain[1].spikes, strict=True):
        np.testing.assert_array_equal(np.asarray(fired.sum(axis=0)), np.asarray(counts))
    for probability in watched.expected[1:]:
        assert probability is not None and np.min(probability) > 0.0 and np.max(probability) < 1.0


def test_tags_begin_anew_with_an_episode_and_weights_do_not():
    course = iterate(learner(), DelayedReward(), 4)
    tags = np.asarray(course.states.synapses[0].traces.eligibility)
    assert tags[0].any() and not tags[1].any() and tags[2].any() and not tags[3].any()
    weights = np.asarray(course.states.params.network[0].weight)
    assert all((weights[k] != weights[k + 1]).any() for k in range(3))


def test_published_rules_run_in_a_network_with_hidden_neurons_and_chosen_connections():
    """STDP-RL through a hidden population, with targets and homeostasis; only the connections that were chosen change."""
    network = SpikingInputs(2, FeedForward((6, 5), EscapeNoise(threshold=0.0)))
    policy = SpikingPolicy(CELLS, network, MotorGroups(2), ticks=8, between_decisions=KeepBetweenDecisions())
    rule = ThreeFactor(0.01, NearestTags(window=5.0, ignored=0.5), SquarePulse(40.0), HardBounds(0.0, 1.0))
    one = RewardModulatedPlasticity(
        policy, rule, Reward(), MotorTargeting(0.9, 0.5), MeanRescaling(1000), only=(2,), dendritic_delay=1
    )
    course = iterate(one, ObservationReward(), 20)
    before, after = course.first.params.network, course.last.params.network
    assert all((a.weight == b.weight).all() for a, b in zip(before[:2], after[:2], strict=True))
    assert (before[2].weight != after[2].weight).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: learner(only=()), r"^RewardModulatedPlasticity\.only must be None or a non-empty tuple of different"),
        (lambda: Reward(float("inf")), r"^Reward\.scale must be a finite number, got inf$"),
        (
            lambda: MotorGroups((3, 3)).population(3),
            r"^action 2 has no motor group: neurons has 2 entries$",
        ),
        (lambda: MotorGroups((3, 3)).population(1), r"^motor group 1 has no action: there are 1 actions$"),
        (
            lambda: learner().init(Bullseye(), jax.random.key(0)),
            r"^RewardModulatedPlasticity needs discrete actions, and those of Bullseye are continuous$",
        ),
        (
            lambda: learner(IntegrateAndFire()).init(ActionReward(), jax.random.key(0)),
            r"^ThreeFactor needs neurons that fire by chance and know how probably, such as EscapeNoise or SoftWinner",
        ),
        (
            lambda: (
                learner()
                .with_fields(policy=SpikingPolicy(Direct(), FeedForward((4,))))
                .init(ActionReward(), jax.random.key(0))
            ),
            r"^there is no connection between two populations of this FeedForward; SpikingInputs makes one$",
        ),
        (
            lambda: learner(only=(1,)).init(ActionReward(), jax.random.key(0)),
            r"^only must be below 1, the connections of SpikingInputs, got \(1,\)$",
        ),
        (
            lambda: SpikingInputs(5).init(4, 2, jax.random.key(0)),
            r"^SpikingInputs\.inputs must be 4, what the encoder puts out, got 5$",
        ),
        (
            lambda: SpikingInputs(4, DelayedFeedForward((4, 2))).init(4, None, jax.random.key(0)),
            r"^SpikingInputs needs weights from the inputs, and a DelayedFeedForward has none",
        ),
    ],
)
def test_mistakes_are_answered_in_one_line(make, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
