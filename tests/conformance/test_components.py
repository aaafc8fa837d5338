"""Every public component keeps its contract. A new one is tested by being in its package's ``__all__``."""

import dataclasses
import importlib
import inspect
import itertools
import json
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop import component
from spikeloop.component import Component, build, components, describe
from spikeloop.decoders import AbstractDecoder
from spikeloop.encoders import AbstractEncoder
from spikeloop.environments import Box, Spec
from spikeloop.errors import InvalidInput
from spikeloop.learners.synapses import StaticTable
from spikeloop.neurons import AbstractNeuron
from spikeloop.plasticity import AbstractPlasticity
from spikeloop.policies import AbstractPolicy

PACKAGES = (
    "encoders", "neurons", "networks", "decoders", "policies", "plasticity", "interaction", "objectives", "learners",
    "learners.critics", "learners.strategies", "learners.synapses", "environments", "training", "learners.imitation",
    "learners.agents", "export", "papers.aenugu2020", "papers.bhargava2022", "papers.bing2019", "papers.chevtchenko2021",
    "papers.hasegan2022", "papers.labady2023", "papers.zhang2022",
)  # fmt: skip
TICKS, SIZE, OUT = 6, 5, 3


def public_classes():
    """Every class in the `__all__` of the packages, once."""
    modules = [importlib.import_module(f"spikeloop.{package}") for package in PACKAGES]
    found = {getattr(module, name) for module in modules for name in module.__all__}
    return sorted((cls for cls in found if inspect.isclass(cls)), key=lambda cls: cls.__name__)


PUBLIC = public_classes()
# Fields that have no default, for the components that need them.
REQUIRED = {Box: {"low": (-1.0, 0.0), "high": (1.0, 2.0)}, Spec: {"name": "x", "max_steps": 5}}
REQUIRED[StaticTable] = {"bins": 1, "values": ((0.0, 0.5, -1.0),)}
REQUIRED[Spec] |= {"observation_shape": (2, 3), "actions": Box(**REQUIRED[Box])}


def abstract(cls):
    return cls.__name__.startswith("Abstract") or inspect.isabstract(cls)


FINAL = [cls for cls in PUBLIC if issubclass(cls, Component) and not abstract(cls)]


def example(cls):
    """A component with defaults where it has them, and one for a number that has none."""
    blank = (f for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING)
    return cls(**{f.name: REQUIRED[cls][f.name] if cls in REQUIRED else {int: 1, float: 1.0}[f.type] for f in blank})


def final(base):
    """Parametrise over the public final components of a kind."""
    found = [cls for cls in FINAL if issubclass(cls, base)]
    assert found
    return pytest.mark.parametrize("cls", found, ids=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: cls.__name__)
def test_first_line_of_the_docstring_is_a_sentence(cls):
    line = component.one_line(cls)
    assert line.endswith(".") and 3 <= len(line) <= 120
    own = cls.__doc__
    assert own and all(own is not base.__doc__ for base in cls.__mro__[1:])


def test_every_class_is_abstract_or_final():
    everything = {*PUBLIC, *(cls for name, cls in components().items() if ":" not in name)}
    concrete = [cls for cls in everything if not abstract(cls)]
    subclassed = [(a, b) for a, b in itertools.permutations(concrete, 2) if issubclass(b, a)]
    assert subclassed == []


def test_abstract_names_and_abstract_classes_are_the_same():
    for name, cls in components().items():
        assert not cls.__name__.startswith("Abstract"), f"{name} can be built, but is not meant to be"
    for cls in PUBLIC:
        if inspect.isabstract(cls):
            assert cls.__name__.startswith("Abstract")


@final(Component)
def test_round_trip_through_json(cls):
    one = example(cls)
    text = json.dumps(describe(one), allow_nan=False)
    two = build(json.loads(text))
    assert type(two) is cls and eqx.tree_equal(one, two) and describe(two) == json.loads(text)
    assert components()[component.component_name(cls)] is cls


@final(Component)
def test_nan_and_negative_counts_are_refused_in_one_line(cls):
    one = example(cls)
    for field in dataclasses.fields(cls):
        value = getattr(one, field.name)
        bad = {float: math.nan, int: -1}.get(type(value))
        if bad is not None:
            with pytest.raises(InvalidInput, match=rf"{cls.__name__}\.{field.name} must be") as caught:
                one.with_fields(**{field.name: bad})
            assert "\n" not in str(caught.value)


@final(AbstractNeuron)
def test_neuron(cls):
    neuron = example(cls)
    currents = jnp.asarray(np.random.default_rng(0).normal(0.5, 1.0, (4, TICKS, SIZE)), jnp.float32)

    def run(current, key):
        def tick(state, now):
            return neuron.step(state, now[0], now[1] if neuron.stochastic else None)

        return jax.lax.scan(tick, neuron.init(SIZE), (current, jax.random.split(key, TICKS)))

    keys = jax.random.split(jax.random.key(0), 4)
    state, spikes = jax.jit(jax.vmap(run))(currents, keys)
    assert spikes.shape == (4, TICKS, SIZE) and spikes.dtype == jnp.float32
    assert set(np.unique(np.asarray(spikes)).tolist()) <= {0.0, 1.0}
    alone_state, alone = run(currents[2], keys[2])
    np.testing.assert_array_equal(np.asarray(spikes[2]), np.asarray(alone))
    for many, one in zip(jax.tree.leaves(state), jax.tree.leaves(alone_state), strict=True):
        np.testing.assert_allclose(np.asarray(many[2]), np.asarray(one), rtol=1e-5, atol=1e-6)
    gradient = jax.jit(jax.grad(lambda c: sum(jnp.sum(leaf) for leaf in jax.tree.leaves(run(c, keys[0])))))(currents[0])
    assert np.isfinite(np.asarray(gradient)).all() and np.asarray(gradient).any()


@final(AbstractEncoder)
def test_encoder(cls):
    encoder = example(cls)
    params = encoder.init(SIZE, jax.random.key(0))
    obs = jnp.asarray(np.random.default_rng(1).normal(size=(4, SIZE)), jnp.float32)

    def run(params, obs, key):
        def tick(state, key):
            return encoder.step(params, state, obs, key if encoder.stochastic else None)

        return jax.lax.scan(tick, encoder.init_state(params), jax.random.split(key, TICKS))[1]

    keys = jax.random.split(jax.random.key(1), 4)
    inputs = jax.jit(jax.vmap(run, in_axes=(None, 0, 0)))(params, obs, keys)
    assert inputs.shape == (4, TICKS, encoder.size(SIZE)) and inputs.dtype == jnp.float32
    np.testing.assert_allclose(np.asarray(inputs[1]), np.asarray(run(params, obs[1], keys[1])), rtol=1e-5, atol=1e-6)
    if encoder.constant:
        assert not encoder.stochastic
        np.testing.assert_array_equal(np.asarray(inputs), np.asarray(inputs[:, :1]).repeat(TICKS, axis=1))
    gradients = jax.grad(lambda p, o: jnp.sum(run(p, o, keys[0])), argnums=(0, 1))(params, obs[0])
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(gradients))


@final(AbstractDecoder)
def test_decoder(cls):
    decoder = example(cls)
    size = decoder.population(OUT) or SIZE
    params = decoder.init(size, OUT, jax.random.key(0))
    spikes = jnp.asarray(np.random.default_rng(2).random((4, TICKS, size)) < 0.5, jnp.float32)

    def run(params, spikes):
        state = decoder.init_state(params, size)
        state = jax.lax.scan(lambda state, fired: (decoder.step(params, state, fired), None), state, spikes)[0]
        return decoder.read(params, state, TICKS)

    outputs = jax.jit(jax.vmap(run, in_axes=(None, 0)))(params, spikes)
    assert outputs.shape == (4, OUT) and outputs.dtype == jnp.float32
    np.testing.assert_allclose(np.asarray(outputs[3]), np.asarray(run(params, spikes[3])), rtol=1e-5, atol=1e-6)
    gradients = jax.grad(lambda p, s: jnp.sum(run(p, s)), argnums=(0, 1))(params, spikes[0])
    leaves = jax.tree.leaves(gradients)
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in leaves) and any(
        np.asarray(leaf).any() for leaf in leaves
    )


@final(AbstractPolicy)
def test_policy(cls):
    policy = example(cls)
    params = policy.init(SIZE, OUT, jax.random.key(0))
    obs = jnp.asarray(np.random.default_rng(3).normal(size=(4, SIZE)), jnp.float32)
    state, key = policy.init_state(params), jax.random.key(1) if policy.stochastic else None

    def decide(params, obs):
        return policy(params, state, obs, key)

    after, decisions = jax.jit(jax.vmap(decide, in_axes=(None, 0)))(params, obs)
    _, alone = decide(params, obs[1])
    np.testing.assert_allclose(np.asarray(decisions.output[1]), np.asarray(alone.output), rtol=1e-4, atol=1e-5)
    assert tuple(counts.shape[1] for counts in decisions.spikes) == policy.populations(OUT)
    assert all(counts.max() <= policy.ticks_per_decision for counts in decisions.spikes)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    gradient = jax.grad(lambda p: jnp.sum(decide(p, obs[0])[1].output))(params)
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(gradient))


@final(AbstractPlasticity)
def test_plasticity(cls):
    rule = example(cls)
    rng = np.random.default_rng(4)
    weights = jnp.asarray(rng.uniform(0.2, 0.8, (4, SIZE, OUT)), jnp.float32)
    pre = jnp.asarray(rng.random((TICKS, SIZE)) < 0.5, jnp.float32)
    post = jnp.asarray(rng.random((TICKS, OUT)) < 0.5, jnp.float32)

    def run(weights, pre, post):
        def tick(carry, fired):
            traces, change = rule.step(carry[0], carry[1], *fired, jnp.ones(()))
            return (traces, carry[1] + change), change

        return jax.lax.scan(tick, (rule.init(weights), weights), (pre, post))

    (traces, after), changes = jax.jit(jax.vmap(run, in_axes=(0, None, None)))(weights, pre, post)
    assert after.shape == weights.shape and after.dtype == jnp.float32 and np.asarray(changes).any()
    assert jax.tree.structure(traces) == jax.tree.structure(rule.init(weights[0]))
    np.testing.assert_allclose(np.asarray(after[2]), np.asarray(run(weights[2], pre, post)[0][1]), rtol=1e-5)
    assert not run(weights[0], jnp.zeros_like(pre), jnp.zeros_like(post))[1].any()  # no spikes, no change
