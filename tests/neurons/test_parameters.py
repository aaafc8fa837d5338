"""Neurons with numbers of their own: what they draw, who trains them, and that they stay in their ranges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.encoders import PopulationCode
from spikeloop.errors import InvalidInput
from spikeloop.networks import FeedForward
from spikeloop.neurons import (
    CurrentLeakyIntegrateAndFire,
    DynamicNeuron,
    FixedParameters,
    IntegrateAndFire,
    NormalStart,
    StartAsGiven,
    TrainableParameters,
    UniformStart,
)
from spikeloop.policies import SpikingPolicy

KEY = jax.random.key(0)
THETAS = ("theta_r", "theta_s", "theta_u", "theta_v")


def run(neuron, currents):
    """Spikes [ticks, n]."""
    return jax.lax.scan(lambda s, c: neuron.step(s, c, None), neuron.init(currents.shape[1]), currents)[1]


def random_currents(ticks=6, n=40):
    return jnp.asarray(np.random.default_rng(0).normal(0.2, 0.4, (ticks, n)), jnp.float32)


@pytest.mark.parametrize("neuron", [IntegrateAndFire(), DynamicNeuron(), CurrentLeakyIntegrateAndFire()])
def test_by_default_there_are_none(neuron):
    assert neuron.init_params(5, KEY) is None and neuron.bind(None) is neuron


@pytest.mark.parametrize("cls", [DynamicNeuron, CurrentLeakyIntegrateAndFire])
def test_own_parameters_as_given_change_nothing(cls):
    currents, neuron = random_currents(), cls(parameters=TrainableParameters(StartAsGiven()))
    bound = neuron.bind(neuron.init_params(40, KEY))
    np.testing.assert_array_equal(np.asarray(run(bound, currents)), np.asarray(run(cls(), currents)))


@pytest.mark.parametrize("cls", [DynamicNeuron, CurrentLeakyIntegrateAndFire])
def test_each_neuron_has_its_own(cls):
    """A population with drawn parameters is what each neuron alone is with those numbers in its fields."""
    currents, neuron = random_currents(n=6), cls(parameters=FixedParameters(NormalStart(0.3)))
    params = neuron.init_params(6, KEY)
    together = np.asarray(run(neuron.bind(params), currents))
    for n in range(6):
        alone = cls(**{name: float(values[n]) for name, values in params.items()})
        np.testing.assert_array_equal(together[:, n : n + 1], np.asarray(run(alone, currents[:, n : n + 1])))


def test_moments_of_random_membranes():
    """N(m, (0.1 m)^2): mean and deviation within five of their own standard deviations, from 40000 neurons."""
    n = 40_000
    neuron = CurrentLeakyIntegrateAndFire(0.5, 0.6, 2.0, parameters=FixedParameters(NormalStart(0.1)))
    params = neuron.init_params(n, KEY)
    for name, mean in (("current_decay", 0.5), ("voltage_decay", 0.6), ("threshold", 2.0)):
        values = np.asarray(params[name], float)
        assert abs(values.mean() - mean) < 5 * 0.1 * mean / np.sqrt(n)
        assert abs(values.std() - 0.1 * mean) < 5 * 0.1 * mean / np.sqrt(2 * n)
    pairs = np.corrcoef([np.asarray(values) for values in params.values()])
    assert np.abs(pairs - np.eye(3)).max() < 5 / np.sqrt(n)  # a neuron's numbers are drawn apart


def test_draws_are_clipped_to_the_ranges():
    neuron = CurrentLeakyIntegrateAndFire(0.95, 1.0, 0.1, parameters=FixedParameters(NormalStart(2.0)))
    params = neuron.init_params(2000, KEY)
    for name in ("current_decay", "voltage_decay"):
        assert float(params[name].min()) == 0.0 and float(params[name].max()) == 1.0
    assert float(params["threshold"].min()) == 0.0 and float(params["threshold"].max()) > 0.3


def test_they_differ_by_seed_and_by_neuron():
    neuron = DynamicNeuron(parameters=TrainableParameters(UniformStart()))
    one, two = (neuron.init_params(50, jax.random.key(seed)) for seed in range(2))
    for name in THETAS:
        assert len(np.unique(np.asarray(one[name]))) == 50
        assert not np.asarray(one[name] == two[name]).any()


def test_uniform_start_fills_its_range():
    neuron = DynamicNeuron(parameters=TrainableParameters(UniformStart(-0.25, 0.75)))
    params = neuron.init_params(20_000, KEY)
    assert sorted(params) == list(THETAS)
    for values in params.values():
        assert -0.25 <= float(values.min()) < -0.249 and 0.749 < float(values.max()) <= 0.75
        assert float(values.std()) == pytest.approx(1 / np.sqrt(12), rel=0.02)


def test_training_cannot_leave_the_ranges():
    neuron = CurrentLeakyIntegrateAndFire(parameters=TrainableParameters())
    wild = {"current_decay": jnp.full(3, 7.0), "voltage_decay": jnp.full(3, -7.0), "threshold": jnp.full(3, -1.0)}
    bound = neuron.bind(wild)
    found = [float(getattr(bound, name)[0]) for name in ("current_decay", "voltage_decay", "threshold")]
    assert found == [1.0, 0.0, 0.0]


def gradients(neuron, parameters):
    """Gradient of a network's spikes by its parameters."""
    network = FeedForward((12, 8), neuron.with_fields(parameters=parameters))
    params = network.init(6, 4, KEY)

    def loss(params):
        current = network.drive(params, jnp.linspace(-1.0, 1.5, 6))
        spikes = network.run(params, network.init_state(params), jnp.tile(current, (5, 1)))[1]
        return jnp.sum(spikes[-1])

    return params, jax.grad(loss)(params)


def test_gradient_reaches_trainable_parameters():
    _, gradient = gradients(DynamicNeuron(), TrainableParameters(NormalStart(0.1)))
    for name in THETAS:
        reached = [np.asarray(layer.neuron[name]) for layer in gradient]
        assert all(np.isfinite(values).all() and values.any() for values in reached), name


@pytest.mark.parametrize("neuron", [DynamicNeuron(), CurrentLeakyIntegrateAndFire()])
def test_no_gradient_reaches_fixed_parameters(neuron):
    params, gradient = gradients(neuron, FixedParameters(NormalStart(0.1)))
    for layer, own in zip(gradient, params, strict=True):
        assert sorted(layer.neuron) == sorted(neuron.ranges) == sorted(own.neuron)
        assert not any(np.asarray(values).any() for values in layer.neuron.values())
        assert np.asarray(layer.weight).any()


def test_gradient_by_the_thetas_is_that_of_the_equations():
    """Of the potentials in ticks without and after a spike, against finite differences in double precision."""
    neuron = DynamicNeuron(parameters=TrainableParameters())
    params, currents = neuron.init_params(1, KEY), np.asarray([0.3, 0.45, 0.2, 0.1])

    def potentials(params):
        def tick(state, current):
            state, _ = neuron.bind(params).step(state, current, None)
            return state, state.v[0]

        return jax.lax.scan(tick, neuron.init(1), jnp.asarray(currents[:, None], jnp.float32))[1]

    def exact(theta):
        """With the spikes held: what the thetas do by themselves, and not by moving a spike."""
        c = v = u = 0.0
        for current, o in zip(currents, spikes, strict=True):
            v, u = (theta["theta_r"], u + theta["theta_s"]) if o else (v, u)
            c = 0.5 * c + current
            v, u = v * v - u + c, (1 - theta["theta_u"]) * u + theta["theta_v"] * v
        return v

    fired = np.asarray(run(neuron.bind(params), jnp.asarray(currents[:, None], jnp.float32)))[:-1, 0]
    spikes = [0.0, *fired]
    assert fired.any() and not fired.all()
    given = {name: getattr(neuron, name) for name in THETAS}
    # The window is narrow enough to hold no potential, so that no gradient runs through a spike.
    neuron = neuron.with_fields(surrogate=neuron.surrogate.with_fields(width=1e-3))
    gradient = jax.grad(lambda p: potentials(p)[-1])(params)
    for name in THETAS:
        up, down = (exact({**given, name: given[name] + step}) for step in (1e-6, -1e-6))
        assert float(gradient[name][0]) == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("parameters", [FixedParameters(), TrainableParameters()])
def test_weights_and_their_keys_are_those_of_a_network_without(parameters):
    plain, own = (FeedForward((7,), DynamicNeuron(parameters=p)) for p in (DynamicNeuron().parameters, parameters))
    one, two = (network.init(3, 2, KEY) for network in (plain, own))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(np.asarray(a.weight), np.asarray(b.weight))
        np.testing.assert_array_equal(np.asarray(a.bias), np.asarray(b.bias))
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(one)[0]]
    assert paths == ["[0].weight", "[0].bias", "[1].weight", "[1].bias"]
    changed = own.with_weights(two, tuple(connection.weights for connection in own.connections(two)))
    assert changed[1].neuron is two[1].neuron


def test_a_policy_trains_them_with_its_weights():
    neuron = DynamicNeuron(parameters=TrainableParameters(UniformStart(-0.5, 0.5)))
    policy = SpikingPolicy(PopulationCode(), FeedForward((16,), neuron), ticks=5)
    params = policy.init(3, 2, KEY)

    def loss(params):
        return jnp.sum(policy(params, policy.init_state(params), jnp.asarray([0.3, -1.0, 2.0]), None)[1].output ** 2)

    gradient = jax.grad(loss)(params)
    assert np.asarray(gradient.encoder.mean).any() and np.asarray(gradient.encoder.deviation).any()
    assert all(np.asarray(values).any() for values in gradient.network[0].neuron.values())


def test_invalid_fields():
    with pytest.raises(InvalidInput, match=r"NormalStart\.relative_deviation must be a positive finite number"):
        NormalStart(0.0)
    with pytest.raises(InvalidInput, match=r"UniformStart\.high must be above low, 1.0, got 1.0"):
        UniformStart(1.0, 1.0)
