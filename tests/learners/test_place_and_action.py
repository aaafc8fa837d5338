"""Place and action cells: the rule by hand, bounds that hold, and a maze of two cells."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.iterate import iterate
from tests.worlds import Bullseye

from spikeloop.environments import ImageMaze, RandomCodes
from spikeloop.errors import InvalidInput
from spikeloop.interaction import Constant
from spikeloop.learners import PlaceAndAction, RewardedTrace
from spikeloop.policies import DrawnWeights, PlaceAndActionPolicy

SMALL = PlaceAndActionPolicy(hidden=60, places=12, axes=(3, 3))
DOOR = ImageMaze(
    layout=("S#", "#T"), max_steps=30, code=RandomCodes(16)
)  # two cells: of nine moves only one leads to the target


def test_the_rule_by_hand():
    """One eligible synapse, rewarded once: all numbers follow from the two equations."""
    rule = RewardedTrace(Constant(4.0), low=-10.0, high=1.0, decay=0.1)
    trace = jnp.asarray([[0.5, 0.0], [-0.8, 0.2]])
    pre, post = jnp.asarray([1.0, -1.0]), jnp.asarray([1.0, 0.0])
    # (1 - 1/4) z, and +-1 for the synapses of the winner, cut to [-1, 1]
    expected = np.asarray([[1.0, 0.0], [-1.0, 0.15]])
    np.testing.assert_allclose(rule.eligible(trace, pre, post, jnp.zeros((), jnp.int32)), expected, rtol=1e-6)
    weights = jnp.asarray([[0.9, 0.3], [-9.9, 0.0]])
    after = rule.rewarded(weights, trace, jnp.ones(()))
    np.testing.assert_allclose(after, 0.9 * np.asarray([[1.0, 0.3], [-10.0, 0.2]]), rtol=1e-6)
    np.testing.assert_allclose(rule.rewarded(weights, trace, jnp.zeros(())), 0.9 * np.asarray(weights), rtol=1e-6)


def test_a_decision_by_hand():
    """Without noise: which cells fire, whose eligibility rises, and what the last reward did before them."""
    policy = PlaceAndActionPolicy(hidden=60, places=3, place_noise=0.0, start=DrawnWeights())
    learner = PlaceAndAction(policy, action_noise=Constant(0.0))
    state = learner.init(DOOR, jax.random.key(0))
    obs = jnp.asarray(DOOR.codes()[0, 0])
    decide = jax.jit(lambda state, reward: learner.decide(DOOR, state, obs, reward, jax.random.key(1)))
    once, action = decide(state, jnp.zeros(()))

    fired = np.asarray(obs) @ np.asarray(state.params.hidden) >= 1.0
    assert 0 < fired.sum() < 60
    place = 0.9995 * np.asarray(state.params.place)  # they fade before they are used
    drive = fired @ place
    winner = drive.argmax()
    assert int(action) == int(np.clip(np.asarray(state.params.action), 0, 1)[winner].argmax())
    potentials = np.clip(drive, -1.0, 1.0)
    potentials[winner] = -1.0
    np.testing.assert_allclose(once.potentials, potentials, rtol=1e-4, atol=1e-5)
    eligible = np.zeros((60, 3))
    eligible[:, winner] = np.where(fired, 1.0, -1.0)
    np.testing.assert_array_equal(once.place_trace, eligible)
    chosen = np.zeros((3, 9))
    chosen[winner, int(action)] = 1.0
    np.testing.assert_array_equal(once.action_trace, chosen)

    twice, _ = decide(once, jnp.ones(()))  # the reward of the first decision
    np.testing.assert_allclose(
        twice.params.place, 0.9995 * np.clip(np.asarray(once.params.place) + eligible, -10.0, 1.0), rtol=1e-5
    )
    np.testing.assert_allclose(
        twice.params.action, 0.999 * np.clip(np.asarray(once.params.action) + chosen, 0.0, 1.0), rtol=1e-5
    )


@pytest.fixture(scope="module")
def course():
    """The maze of two cells, 60 episodes."""
    return iterate(PlaceAndAction(SMALL), DOOR, 60)


def test_a_maze_of_two_cells_is_solved(course):
    assert (
        np.asarray(course.reports.env_steps)[-20:].mean() < 1.5
    )  # by chance it takes 9 steps on average, less the limit


def test_weights_and_eligibilities_never_leave_their_bounds(course):
    place, action = np.asarray(course.states.params.place), np.asarray(course.states.params.action)
    assert -10.0 <= place.min() < -1.0 and 0.5 < place.max() <= 1.0
    assert action.min() >= 0.0 and 0.9 < action.max() <= 1.0
    for trace in (course.states.place_trace, course.states.action_trace):
        assert np.abs(np.asarray(trace)).max() <= 1.0
    assert np.asarray(course.states.potentials).max() <= 1.0 and np.asarray(course.states.potentials).min() == -1.0
    np.testing.assert_array_equal(course.states.params.hidden[-1], course.first.params.hidden)  # it is fixed


def test_every_step_is_counted_and_the_network_runs_once_more_at_the_end(course):
    steps, episodes = np.asarray(course.reports.env_steps), course.reports.episodes
    np.testing.assert_array_equal(np.asarray(episodes.length)[:, 0], steps)
    assert np.asarray(episodes.ended).all()
    np.testing.assert_array_equal(course.states.decisions, np.cumsum(steps + 1))


def test_without_reward_nothing_is_learned():
    """In a maze whose target cannot be reached the weights stay what they were."""
    sealed = ImageMaze(layout=("S#T",), max_steps=5, code=RandomCodes(16))
    course = iterate(PlaceAndAction(SMALL), sealed, 5)
    assert not np.asarray(course.last.params.place).any() and not np.asarray(course.last.params.action).any()
    assert np.asarray(course.last.place_trace).any()


def test_each_input_excites_and_inhibits_its_share_and_inhibits_near_its_rank():
    policy = PlaceAndActionPolicy(hidden=200, places=5)
    hidden = np.asarray(policy.init(40, 4, jax.random.key(0)).hidden)
    np.testing.assert_array_equal((hidden == 1).sum(axis=1), np.full(40, 10))
    np.testing.assert_array_equal((hidden == -1).sum(axis=1), np.full(40, 20))
    for place, row in enumerate(hidden):
        first = np.clip(5 * place - 50, 0, 100)
        inhibited = np.flatnonzero(row == -1)
        assert inhibited.min() >= first and inhibited.max() < first + 100
    assert np.flatnonzero(hidden[0] == 1).max() > 150  # what excites is anywhere


def test_the_winner_of_the_output_is_the_winner_of_every_axis():
    policy = SMALL.with_fields(start=DrawnWeights(), action_noise=0.0)
    params = policy.init(16, 9, jax.random.key(0))
    _, decision = policy(params, policy.init_state(params), jnp.ones(16), jax.random.key(1))
    row, column = np.unravel_index(int(decision.output.argmax()), (3, 3))
    drive = np.asarray(decision.spikes[1]) @ np.asarray(params.action)
    assert (row, column) == (drive[:3].argmax(), drive[3:].argmax())
    np.testing.assert_array_equal(np.flatnonzero(decision.spikes[2]), [row, 3 + column])


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidInput, match="discrete actions"):
        PlaceAndAction().init(Bullseye(), jax.random.key(0))
    with pytest.raises(InvalidInput, match=r"axes of \(2, 2\) make 4 actions, and the environment has 9"):
        PlaceAndAction(SMALL.with_fields(axes=(2, 2))).init(DOOR, jax.random.key(0))
    with pytest.raises(InvalidInput, match=r"PlaceAndActionPolicy\.inhibited must be at most"):
        PlaceAndActionPolicy(inhibited=0.5)
    with pytest.raises(InvalidInput, match=r"RewardedTrace\.high must be above low"):
        RewardedTrace(low=1.0, high=1.0)
