"""Policies as NIR graphs: the numbers mean what NIR says, conventions fire the same spikes, and ways there and back."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeloop.decoders import LastMembrane, LinearRate, MaxMembrane, MeanMembrane, PopulationRate, SpikeRate
from spikeloop.encoders import DeterministicPopulationCode, Direct
from spikeloop.environments import Box, Discrete, Spec
from spikeloop.errors import InvalidInput
from spikeloop.export import (
    Node,
    Reading,
    convention,
    export,
    imported,
    node_map,
    node_of,
    population_map,
    read_graph,
    read_sidecar,
    sidecar,
    write_graph,
)
from spikeloop.interaction import Actor, Greedy
from spikeloop.networks import Chain, DelayedFeedForward, FeedForward, Link
from spikeloop.neurons import (
    AbstractNeuron,
    CurrentLeakyIntegrateAndFire,
    DecayedInputLeakyIntegrateAndFire,
    Detached,
    DynamicNeuron,
    EscapeNoise,
    FixedParameters,
    HardReset,
    IntegrateAndFire,
    Integrator,
    LeakyIntegrateAndFire,
    NIRIntegrateAndFire,
    NormalStart,
    SoftReset,
)
from spikeloop.policies import DeepPolicy, KeepBetweenDecisions, SpikingPolicy, StandardisedPolicy

SPEC = Spec("CartPole-v1", (4,), Discrete(2), 500)
OBSERVATIONS = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
NEURONS = [
    IntegrateAndFire(),
    IntegrateAndFire(threshold=0.7, reset=Detached(HardReset(-0.25))),
    LeakyIntegrateAndFire(),
    LeakyIntegrateAndFire(tau=3.7, threshold=0.3),
    DecayedInputLeakyIntegrateAndFire(tau=5.0, threshold=0.1),
    CurrentLeakyIntegrateAndFire(threshold=0.1),
    CurrentLeakyIntegrateAndFire(parameters=FixedParameters(NormalStart(0.1))),
]


def actor_of(policy, spec=SPEC, seed=0) -> Actor:
    """A policy with random weights, strong enough that neurons fire; drawn by NumPy, so that nothing is compiled."""
    generator = np.random.default_rng(seed)
    template = jax.eval_shape(lambda: policy.init(spec.observation_size, spec.actions.output_size, jax.random.key(0)))

    def drawn(path, leaf):
        own = ".neuron" in jax.tree_util.keystr(path)  # a decay, a threshold
        values = generator.uniform(0.1, 0.9, leaf.shape) if own else generator.normal(0.2, 1.0, leaf.shape)
        return jnp.asarray(values, jnp.float32)

    params = jax.tree_util.tree_map_with_path(drawn, template)
    return Actor(policy, params, spec.actions, Greedy())


def assert_same(one: Actor, other: Actor) -> None:
    """The same policy with the same parameters, to the bit."""
    assert one.policy == other.policy and one.selection == other.selection
    for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def decisions(actor: Actor, observations=OBSERVATIONS):
    """Outputs and spike counts, each decision from rest."""

    def one(obs):
        return actor.policy(actor.params, actor.init_state(), obs, None)[1]

    return jax.device_get(jax.jit(jax.vmap(one))(jnp.asarray(observations)))


def written(tmp_path, actor, name="nir", spec=SPEC, **options):
    """The graph and the sidecar of a policy, through files."""
    made = export(actor, spec, convention(name), **options)
    path = tmp_path / "policy.nir"
    write_graph(path, made)
    (tmp_path / "policy.nir.json").write_text(json.dumps(sidecar(made)))
    return read_graph(path), read_sidecar(tmp_path / "policy.nir.json")


@pytest.mark.parametrize("neuron", NEURONS, ids=repr)
def test_with_its_sidecar_a_graph_is_the_policy_to_the_bit(neuron, tmp_path):
    actor = actor_of(SpikingPolicy(network=FeedForward((6, 5), neuron), ticks=3))
    nodes, beside = written(tmp_path, actor)
    assert_same(imported(nodes, SPEC, Reading(), beside), actor)


@pytest.mark.parametrize("neuron", NEURONS, ids=repr)
def test_without_a_sidecar_a_graph_fires_the_same_spikes_and_gives_the_same_graph(neuron, tmp_path):
    actor = actor_of(SpikingPolicy(network=FeedForward((6, 5), neuron), ticks=3))
    nodes, _ = written(tmp_path, actor)
    chain = imported(nodes, SPEC, Reading(ticks=3))
    assert isinstance(chain.policy, SpikingPolicy) and isinstance(chain.policy.network, Chain)
    ours, theirs = decisions(actor), decisions(chain)
    fired = sum(counts.sum() for counts in ours.spikes)
    differing = sum(np.abs(a - b).sum() for a, b in zip(ours.spikes, theirs.spikes, strict=True))
    assert fired > 100 and differing <= 0.002 * fired  # rounding may move a potential across the threshold
    same = np.all([(a == b).all(axis=1) for a, b in zip(ours.spikes, theirs.spikes, strict=True)], axis=0)
    np.testing.assert_allclose(ours.output[same], theirs.output[same], rtol=1e-4, atol=1e-5)
    again = export(chain, SPEC).nodes
    assert len(again) == len(nodes) == 6
    for one, other in zip(again, nodes, strict=True):
        assert one.kind == other.kind and one.numbers.keys() == other.numbers.keys()
        for name, value in one.numbers.items():
            np.testing.assert_array_equal(value, other.numbers[name])


NUMBERS = {
    "IF": ("r", "v_threshold", "v_reset"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    "LI": ("tau", "r", "v_leak"),
    "I": ("r",),
}


@st.composite
def graphs(draw):
    """Chains as somebody else may have made them: every neuron with numbers of its own, weights, biases or neither."""

    def array(*shape):
        seed = draw(st.integers(0, 2**31))
        return np.random.default_rng(seed).normal(size=shape).astype(np.float32)

    def neurons(kind, size):
        values = {name: array(size) for name in NUMBERS[kind]}
        values |= {name: 1e-4 * (1.0 + np.abs(value)) for name, value in values.items() if name.startswith("tau")}
        return Node(kind, {name: value.astype(np.float32) for name, value in values.items()})

    def connection(inputs, size, kinds):
        kind = draw(st.sampled_from(kinds))
        numbers = {"weight": array(size, inputs)} | ({"bias": array(size)} if kind == "Affine" else {})
        return [] if kind is None else [Node(kind, numbers)]

    nodes, width = [], 4
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 5))
        made = connection(width, size, ("Affine", "Linear", None))
        width = size if made else width
        nodes += [*made, neurons(draw(st.sampled_from(("IF", "LIF", "CubaLIF"))), width)]
    end = draw(st.sampled_from(("LI", "I", None)))
    nodes += [*connection(width, 2, ("Affine", "Linear") if end else ("Affine",)), *([neurons(end, 2)] if end else [])]
    return tuple(nodes)


@given(graphs())
@settings(max_examples=15)
def test_a_graph_made_elsewhere_comes_back_as_it_was(nodes):
    again = export(imported(nodes, SPEC, Reading()), SPEC).nodes
    assert [node.kind for node in again] == [node.kind for node in nodes]
    for one, other in zip(again, nodes, strict=True):
        assert one.numbers.keys() == other.numbers.keys()
        for name, value in one.numbers.items():
            np.testing.assert_array_equal(value, other.numbers[name])


@given(
    st.sampled_from(["nir", "spikingjelly", "norse", "snntorch"]),
    st.floats(1.0, 50.0),
    st.floats(0.01, 10.0),
    st.booleans(),
)
def test_a_step_of_forward_euler_is_the_map(name, tau, threshold, raw):
    kind = LeakyIntegrateAndFire if raw else DecayedInputLeakyIntegrateAndFire
    made, to = population_map(kind(tau=tau, threshold=threshold), 3), convention(name)
    node, scale = node_of(made, to)
    back = node_map(node, to.dt)
    np.testing.assert_allclose(back.decay, made.decay, atol=1e-6)
    np.testing.assert_allclose(back.gain * scale, made.gain, rtol=1e-6)
    theta = np.float32(threshold)
    written_as = node.numbers["v_threshold"][0]
    # At the threshold it fires, right below it does not: whoever compares strictly, and whoever does not.
    for v, fires in ((theta, True), (np.nextafter(theta, np.float32(-1)), False)):
        assert (v >= written_as if to.fires_at_threshold else v > written_as) == fires


def test_the_exact_convention_is_the_solution_of_the_differential_equation():
    neuron, dt = DecayedInputLeakyIntegrateAndFire(tau=4.0), 1e-3
    node, _ = node_of(population_map(neuron, 1), convention("exact", dt))
    tau, r = float(node.numbers["tau"][0]), float(node.numbers["r"][0])
    v, ours = 0.3, 0.3
    for current in (0.7, -1.2, 0.4):
        solved = scipy.integrate.solve_ivp(
            lambda t, v, current: (-v + r * current) / tau, (0, dt), [v], args=(current,), rtol=1e-10, atol=1e-12
        )
        v = float(solved.y[0, -1])
        ours = ours * (1 - 1 / 4.0) + current / 4.0
        assert v == pytest.approx(ours, abs=1e-6)


def test_an_integrator_without_leak_is_an_lif_whose_leak_is_below_rounding():
    node, _ = node_of(population_map(IntegrateAndFire(), 2), convention("snntorch"))
    assert node.kind == "LIF"
    assert np.float32(1.0) - np.float32(1e-4) / node.numbers["tau"][0] == np.float32(1.0)
    assert np.float32(1e-4) / node.numbers["tau"][0] * node.numbers["r"][0] == np.float32(1.0)


@pytest.mark.parametrize("name", ["nir", "exact", "snntorch", "norse", "spikingjelly"])
@pytest.mark.parametrize(
    "decoder",
    [LastMembrane(), MeanMembrane(Integrator()), MaxMembrane(), SpikeRate(), LinearRate(), PopulationRate(3)],
    ids=repr,
)
def test_every_convention_and_decoder_comes_back(name, decoder, tmp_path):
    actor = actor_of(
        SpikingPolicy(Direct((1.0, 0.5, 3.0, 1.0)), FeedForward((6,), IntegrateAndFire()), decoder, ticks=4)
    )
    nodes, beside = written(tmp_path, actor, name)
    assert_same(imported(nodes, SPEC, Reading(), beside), actor)


def test_all_else_is_in_the_sidecar(tmp_path):
    """A population code, a standardisation, state that is kept, continuous actions."""
    spec = Spec("Pendulum-v1", (3,), Box((-2.0,), (2.0,)), 200)
    inner = SpikingPolicy(
        DeterministicPopulationCode(4),
        FeedForward((6,), CurrentLeakyIntegrateAndFire()),
        PopulationRate(5),
        ticks=5,
        between_decisions=KeepBetweenDecisions(),
    )
    actor = actor_of(StandardisedPolicy(inner, limit=2.5), spec)
    nodes, beside = written(tmp_path, actor, spec=spec)
    assert_same(imported(nodes, spec, Reading(), beside), actor)


def test_a_graph_that_was_trained_on_elsewhere_keeps_encoder_and_readout(tmp_path):
    policy = SpikingPolicy(Direct(2.0), FeedForward((6,), IntegrateAndFire()), MeanMembrane(), ticks=4)
    actor = actor_of(policy)
    nodes, beside = written(tmp_path, actor)
    changed = Node("Affine", {**nodes[0].numbers, "weight": 1.5 * nodes[0].numbers["weight"]})
    back = imported((changed, *nodes[1:]), SPEC, Reading(), beside)
    assert isinstance(back.policy, SpikingPolicy)
    assert back.policy.encoder == Direct(2.0) and back.policy.decoder == MeanMembrane() and back.policy.ticks == 4
    params = dataclasses.replace(
        actor.params,
        network=(dataclasses.replace(actor.params.network[0], weight=1.5 * actor.params.network[0].weight),),
    )
    expected = decisions(dataclasses.replace(actor, params=params))
    np.testing.assert_array_equal(decisions(back).spikes[0], expected.spikes[0])
    np.testing.assert_allclose(decisions(back).output, expected.output, rtol=1e-5, atol=1e-6)


def test_a_soft_reset_is_refused_or_remarked_upon(tmp_path):
    actor = actor_of(SpikingPolicy(network=FeedForward((6,), IntegrateAndFire(reset=SoftReset())), ticks=4))
    with pytest.raises(InvalidInput, match="--discretise"):
        export(actor, SPEC)
    nodes, beside = written(tmp_path, actor, discretise=True)
    data = json.loads((tmp_path / "policy.nir.json").read_text())
    assert "subtract" in data["approximated"][0]
    assert imported(nodes, SPEC, Reading(), beside).policy == actor.policy
    hard = actor_of(SpikingPolicy(network=FeedForward((6,), IntegrateAndFire()), ticks=4))
    np.testing.assert_array_equal(decisions(imported(nodes, SPEC, Reading(4))).spikes[0], decisions(hard).spikes[0])


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (SpikingPolicy(network=FeedForward((3,), DynamicNeuron())), "DynamicNeuron"),
        (SpikingPolicy(network=FeedForward((3,), EscapeNoise())), "EscapeNoise"),
        (SpikingPolicy(network=DelayedFeedForward((4, 2))), "DelayedFeedForward"),
        (
            SpikingPolicy(network=FeedForward((3,), CurrentLeakyIntegrateAndFire(current_decay=1.0))),
            "finite time constant",
        ),
        (DeepPolicy((3,)), "no spikes"),
    ],
    ids=repr,
)
def test_what_nir_cannot_say_is_named(policy, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        export(actor_of(policy), SPEC)
    assert "\n" not in str(caught.value)


def test_what_a_simulator_ignores_is_not_written_for_it():
    reset = FeedForward((3,), IntegrateAndFire(reset=HardReset(0.25)))
    actor = actor_of(SpikingPolicy(network=reset))
    for name in ("snntorch", "norse"):
        with pytest.raises(InvalidInput, match="resets to 0"):
            export(actor, SPEC, convention(name))
    with pytest.raises(InvalidInput, match="no convention"):
        convention("matlab")
    with pytest.raises(InvalidInput, match="leave it out"):
        convention("snntorch", 1e-3)
    with pytest.raises(InvalidInput, match="positive"):
        convention("nir", -1.0)


def test_a_policy_that_does_not_fit_is_refused(tmp_path):
    nodes, beside = written(tmp_path, actor_of(SpikingPolicy(network=FeedForward((6,)), ticks=4)))
    three = Spec("Three", (3,), Discrete(2), 5)
    with pytest.raises(InvalidInput, match="takes 4 numbers"):
        imported(nodes, three, Reading())
    with pytest.raises(InvalidInput, match="does not share"):
        imported(nodes, three, Reading(), beside)
    with pytest.raises(InvalidInput, match="puts out 2 numbers"):
        imported(nodes, Spec("Many", (4,), Discrete(7), 5), Reading())
    lif = actor_of(SpikingPolicy(network=FeedForward((6,), LeakyIntegrateAndFire())))
    with pytest.raises(InvalidInput, match="smaller dt"):
        imported(export(lif, SPEC).nodes, SPEC, Reading(dt=1.0))


def test_the_default_neuron_of_nir_is_that_of_the_library():
    """The same spikes from the same input, neuron by neuron, by another implementation of the same equation."""
    current = jnp.asarray(np.random.default_rng(3).normal(0.4, 0.5, (200, 30)), jnp.float32)

    def train(neuron: AbstractNeuron):
        return jax.lax.scan(lambda state, now: neuron.step(state, now, None), neuron.init(30), current)[1]

    spikes = np.asarray(train(NIRIntegrateAndFire()))
    assert spikes.sum() > 100
    np.testing.assert_array_equal(spikes, np.asarray(train(IntegrateAndFire())))


def test_a_chain_is_a_feed_forward_network_where_all_links_are_alike():
    neuron = LeakyIntegrateAndFire()
    chain = SpikingPolicy(network=Chain((Link(6, neuron), Link(5, neuron))), ticks=4)
    stack = actor_of(SpikingPolicy(network=FeedForward((6, 5), neuron), ticks=4))
    template = jax.eval_shape(lambda: chain.init(4, 2, jax.random.key(0)))
    params = jax.tree.unflatten(jax.tree.structure(template), jax.tree.leaves(stack.params))
    np.testing.assert_array_equal(
        decisions(Actor(chain, params, SPEC.actions, Greedy())).output, decisions(stack).output
    )
    with pytest.raises(InvalidInput, match="without weights"):
        Chain((Link(6, weighted=False),)).init(4, None, jax.random.key(0))
