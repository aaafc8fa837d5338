"""Circuits: wiring as drawn, spikes that arrive when they should, and parts that nothing trains."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.worlds import ActionReward

from spikeloop.decoders import MotorGroups
from spikeloop.encoders import NormalBins
from spikeloop.errors import InvalidInput
from spikeloop.interaction import RandomAmongLargest
from spikeloop.learners import Evolution, OwnStart
from spikeloop.learners.strategies import MultiplicativeEvolutionStrategy
from spikeloop.networks import Circuit, FixedProjection, Population, RegularSource, TrainableProjection
from spikeloop.neurons import RuleBasedNeuron, Synapses, arrivals
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy

H = 0.5
CELL = RuleBasedNeuron(resolution=H)
INHIBITORY = CELL.with_fields(refractory=2.5, threshold=-47.0)
# Recurrent, with two kinds of receptors in one synapse and delays of 2 to 8 ticks; the shortest, 2, is the block.
CIRCUIT = Circuit(
    (Population("in", 6, CELL), Population("i", 5, INHIBITORY), Population("out", 8, CELL)),
    (
        TrainableProjection("in", "out", 4, ampa2=12.0, nmda2=1.0, delay=(1.0, 2.0)),
        FixedProjection("out", "i", 3, ampa2=20.0, spread=0.5, delay=(1.8, 2.2)),
        FixedProjection("i", "out", 2, gaba2=4.0, delay=(1.5, 4.0)),
        FixedProjection("i", "i", 2, gaba=2.0),
        FixedProjection("out", "out", 3, ampa=6.0, delay=(1.0, 3.0)),
    ),
    RegularSource(weight=30.0),
)
TICKS = 121


@pytest.fixture(scope="module")
def ran():
    """Parameters, and the spikes of 121 ticks (no multiple of a block) of regular input at changing rates."""
    params = jax.jit(lambda key: CIRCUIT.init(6, 8, key))(jax.random.key(3))
    rates = np.zeros((TICKS, 6), np.float32)
    rates[:, :3], rates[30:90, 3:5] = 100.0, 160.0
    rates = jnp.asarray(rates)
    run = jax.jit(lambda params, state, rates: CIRCUIT.run(params, state, rates))
    spikes = run(params, CIRCUIT.init_state(params), rates)[1]
    return params, rates, [np.asarray(fired) for fired in spikes]


def test_every_neuron_has_its_number_of_different_inputs(ran):
    params = ran[0]
    for projection, drawn in zip(CIRCUIT.projections, params.wiring.value, strict=True):
        synapses, strength = np.asarray(drawn.synapses), np.asarray(drawn.strength)
        assert set(np.unique(synapses)) <= {0.0, 1.0} and synapses.sum(axis=0).max() == 1.0
        assert (synapses.sum(axis=(0, 1)) == projection.convergence).all()
        assert synapses.shape[0] == len(projection.delays(H))
        assert (np.abs(strength - 1.0) <= projection.spread).all()
        if projection.pre == projection.post:
            assert not np.diagonal(synapses.sum(axis=0)).any()
    weights, synapses = np.asarray(params.weights[0]), np.asarray(params.wiring.value[0].synapses).sum(axis=0)
    assert (weights[synapses == 0] == 0.0).all() and (weights[synapses == 1] >= 6.0).all() and weights.max() <= 18.0


def test_spikes_arrive_after_their_delays(ran):
    """Population by population: the neurons, given what the spikes found would send them one by one, fire those spikes."""
    params, _, spikes = ran
    names = [population.name for population in CIRCUIT.populations]
    fired = dict(zip(names, spikes, strict=True))
    arriving: dict[str, dict] = {name: {} for name in fired}
    events: dict[str, dict] = {name: {} for name in fired}
    for projection, drawn in zip(CIRCUIT.projections, params.wiring.value, strict=True):
        synapses, strength = np.asarray(drawn.synapses), np.asarray(drawn.strength)
        for receptor, mean in projection.receptors.items():
            varied = isinstance(projection, FixedProjection) or receptor == "ampa2"
            weights = mean * (strength if varied else np.ones_like(strength))
            into, number = (
                of[projection.post].setdefault(receptor, np.zeros_like(fired[projection.post]))
                for of in (arriving, events)
            )
            for step, pre, post in zip(*np.nonzero(synapses), strict=True):
                delay = projection.delays(H)[step]
                into[delay:, post] += weights[pre, post] * fired[projection.pre][:-delay, pre]
                number[delay:, post] += fired[projection.pre][:-delay, pre]
    for population in CIRCUIT.populations[1:]:
        neuron, weights = population.neuron, {k: jnp.asarray(v) for k, v in arriving[population.name].items()}
        numbers = {k: jnp.asarray(v) for k, v in events[population.name].items() if not k.startswith("nmda")}
        came = arrivals(Synapses(**weights), Synapses(**numbers))
        again = jax.jit(lambda came, neuron=neuron, n=population.size: jax.lax.scan(
            lambda state, now: neuron.step(state, now, None), neuron.init(n), came
        )[1])(came)  # fmt: skip
        assert fired[population.name].sum() > 10
        np.testing.assert_array_equal(np.asarray(again), fired[population.name])


def test_ticks_at_once_are_ticks_one_by_one(ran):
    params, rates, spikes = ran

    def step(state, now):
        return CIRCUIT.step(params, state, now, None)

    one_by_one = jax.jit(lambda rates: jax.lax.scan(step, CIRCUIT.init_state(params), rates)[1])(rates)
    for many, one in zip(spikes, one_by_one, strict=True):
        np.testing.assert_array_equal(many, np.asarray(one))


def test_inputs_are_regular_and_begin_at_once():
    source = RegularSource(weight=30.0, delay=1.0)
    rates = np.full((200, 2), 50.0, np.float32)
    rates[50:110, 1] = 0.0
    scan = jax.lax.scan(lambda wait, now: source.step(wait, now, H), source.init(2), jnp.asarray(rates))
    pulses = np.asarray(scan[1])
    assert np.flatnonzero(pulses[:, 0]).tolist() == [0, 40, 80, 120, 160]
    assert np.flatnonzero(pulses[:, 1]).tolist() == [0, 40, 110, 150, 190]


def test_only_synapses_that_exist_can_be_changed_and_none_turns_its_sign(ran):
    params, rates, _ = ran
    absent = np.asarray(params.wiring.value[0].synapses).sum(axis=0) == 0
    (connection,) = CIRCUIT.connections(params)
    assert (connection.pre, connection.post) == (0, 2)
    changed = CIRCUIT.with_weights(params, (connection.weights - 100.0,))
    assert (np.asarray(changed.weights[0])[absent] == 0.0).all()
    run = jax.jit(lambda params: CIRCUIT.run(params, CIRCUIT.init_state(params), rates)[1])
    nothing = CIRCUIT.with_weights(params, (jnp.zeros_like(connection.weights),))
    for one, other in zip(run(changed), run(nothing), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_evolution_leaves_the_wiring_alone():
    circuit = Circuit((Population("in", 3), Population("out", 2)), (TrainableProjection("in", "out", 2),))
    policy = SpikingPolicy(NormalBins(3), circuit, MotorGroups(1), 2, KeepBetweenDecisions())
    strategy = MultiplicativeEvolutionStrategy(population=8, sigma=0.3)
    # Nothing fires in two ticks, so actions are drawn, and with starts of their own individuals differ in fitness.
    learner = Evolution(policy, strategy, start=OwnStart(), selection=RandomAmongLargest())
    world = ActionReward()
    first = learner.init(world, jax.random.key(0))
    assert first.strategy.weights.shape == (3 * 2,)
    after, _ = jax.jit(lambda state: learner.step(world, state, jax.random.key(1)))(first)
    assert eqx.tree_equal(first.fixed, after.fixed)
    before, now = np.asarray(first.strategy.weights), np.asarray(after.strategy.weights)
    assert (now[before == 0.0] == 0.0).all() and (now[before > 0.0] > 0.0).all() and (now != before).any()
    played = learner.actor(world, after).params.network
    assert eqx.tree_equal(played.wiring, first.fixed.network.wiring)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Circuit(projections=(FixedProjection("in", "nowhere", 1, ampa=1.0),)), "there is no population 'nowhere'"),
        (lambda: FixedProjection("a", "a", 5, ampa=1.0).draw(5, 5, H, jax.random.key(0)), "cannot have 5 different inputs"),
        (lambda: TrainableProjection("a", "b", ampa=1.0, gaba=1.0, ampa2=0.0), "needs one of ampa, ampa2, gaba and gaba2"),
        (lambda: Circuit(source=RegularSource(delay=0.7)), "RegularSource.delay must be a multiple of 0.5 ms"),
        (lambda: Circuit(projections=(FixedProjection(delay=(0.1, 1.0)),)), "delays from in to out must be at least 0.5 ms"),
        (lambda: CIRCUIT.sizes(3), "the last population, out, must have 3 neurons"),
        (lambda: CIRCUIT.init(5, 8, jax.random.key(0)), "the first population must have 5 neurons"),
    ],
)  # fmt: skip
def test_bad_input_is_answered_in_one_line(make, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
