"""The NumPy player does what the policy did, for every deterministic component, and needs nothing but NumPy."""

import io
import itertools
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop import decoders, encoders, networks, neurons, policies
from spikeloop.component import components
from spikeloop.decoders import AbstractDecoder, LastMembrane, MotorGroups, SpikeRate
from spikeloop.encoders import AbstractEncoder, Direct, NormalBins, OneHotBins, PlaceCells, RegularPlaceCells
from spikeloop.environments import Box, Discrete, Spec
from spikeloop.errors import InvalidInput
from spikeloop.export import write_player
from spikeloop.export.policy_player import load, main
from spikeloop.interaction import Actor, EpsilonGreedy, Greedy, Straight
from spikeloop.networks import Chain, Circuit, DelayedFeedForward, FeedForward, Link, Plastic, Population, SpikingInputs
from spikeloop.networks import TrainableProjection as Projection
from spikeloop.neurons import (
    AbstractNeuron,
    CurrentLeakyIntegrateAndFire,
    Detached,
    HardReset,
    IntegrateAndFire,
    Integrator,
    LeakyIntegrateAndFire,
    NIRCurrentLeakyIntegrateAndFire,
    SoftReset,
    TrainableParameters,
    UniformStart,
)
from spikeloop.policies import (
    AbstractPolicy,
    DeepPolicy,
    EncodedDeepPolicy,
    KeepBetweenDecisions,
    NearOrFar,
    SpikingPolicy,
    StandardisedPolicy,
)

OBS, OUT, TICKS, STEPS = 3, 2, 4, 5
SPEC = Spec("World", (OBS,), Discrete(OUT), 10)
OBSERVATIONS = np.random.default_rng(0).uniform(-1.5, 1.5, (STEPS, 40, OBS)).astype(np.float32)


def played_classes(package, base):
    """The final, deterministic components of a kind."""
    final = components().values()
    found = [getattr(package, name) for name in package.__all__]
    return [
        cls for cls in found if cls in final and issubclass(cls, base) and getattr(cls, "stochastic", False) is not True
    ]


ENCODERS = [cls() for cls in played_classes(encoders, AbstractEncoder)]
ENCODERS = [e.with_fields(amplitude=2.0) if isinstance(e, OneHotBins | NormalBins) else e for e in ENCODERS]
DECODERS = [cls() for cls in played_classes(decoders, AbstractDecoder)] + [
    MotorGroups((3, 1)),
    LastMembrane(Integrator()),
]
ALPHA = (neurons.AlphaCurrentLeakyIntegrateAndFire, neurons.Integrator, neurons.LeakyIntegrator)
NEURONS = [cls() for cls in played_classes(neurons, AbstractNeuron) if cls not in ALPHA] + [
    IntegrateAndFire(reset=SoftReset()),
    LeakyIntegrateAndFire(reset=Detached(HardReset(-0.5)), tau=3.0),
    CurrentLeakyIntegrateAndFire(reset=SoftReset(), parameters=TrainableParameters(UniformStart(0.2, 0.8))),
]


def cases() -> list[AbstractPolicy]:
    """Every deterministic component at least once."""
    count = max(len(ENCODERS), len(DECODERS), len(NEURONS))
    rows = zip(*(itertools.islice(itertools.cycle(kind), count) for kind in (ENCODERS, NEURONS, DECODERS)), strict=True)
    keep = KeepBetweenDecisions()
    found: list[AbstractPolicy] = [
        SpikingPolicy(
            encoder, FeedForward((6,), neuron), decoder, TICKS, keep if place % 2 else SpikingPolicy().between_decisions
        )
        for place, (encoder, neuron, decoder) in enumerate(rows)
    ]
    bins = OneHotBins(4, -1.5, 1.5)
    return [
        *found,
        SpikingPolicy(bins, DelayedFeedForward((12, 5)), SpikeRate(), 100, keep),
        SpikingPolicy(
            NormalBins(4),
            Circuit((Population("in", 12), Population("out", 4)), (Projection("in", "out", 6, delay=(1.0, 3.0)),)),
            MotorGroups(2),
            40,
            keep,
        ),
        SpikingPolicy(RegularPlaceCells(), SpikingInputs(27, FeedForward((5,))), LastMembrane(), TICKS, keep),
        SpikingPolicy(
            Direct(2.0),
            Chain(
                (Link(5, NIRCurrentLeakyIntegrateAndFire(), biased=False), Link(5, IntegrateAndFire(), False, False))
            ),
            LastMembrane(),
            TICKS,
        ),
        DeepPolicy((8, 6), (1.0, 2.0, 0.5)),
        EncodedDeepPolicy(PlaceCells(), (8,)),
        StandardisedPolicy(DeepPolicy((5,)), 1.0),
        NearOrFar(sensors=2, threshold=0.3),
    ]


def drawn(policy, seed=0):
    """Random parameters that make neurons fire: wiring, receptive fields and neurons as they begin, weights stronger."""
    params = policy.init(OBS, OUT, jax.random.key(seed))
    strong = isinstance(policy, SpikingPolicy) and isinstance(policy.network, FeedForward)
    neuron = getattr(getattr(policy, "network", None), "neuron", None)
    # Potentials in mV need more, and so does an input that decays.
    strength = {neurons.RuleBasedNeuron: 300.0, neurons.DecayedInputLeakyIntegrateAndFire: 10.0}.get(type(neuron), 2.0)

    def grown(path, leaf):
        return strength * leaf if strong and jax.tree_util.keystr(path).endswith(("weight", "bias")) else leaf

    return jax.tree_util.tree_map_with_path(grown, params)


def ours(policy, params, observations):
    """Outputs and counts of decisions of one episode for each member of the batch, as JAX computes them."""

    def episode(obs):
        def decide(state, now):
            state, decision = policy(params, state, now, None)
            return state, (decision.output, decision.spikes)

        return jax.lax.scan(decide, policy.init_state(params), obs)[1]

    return jax.device_get(jax.jit(jax.vmap(episode, in_axes=1, out_axes=1))(jnp.asarray(observations)))


def compared(policy, tmp_path):
    """Differences between player and policy: the share of decisions in which any spike or the output differs."""
    params = drawn(policy)
    write_player(tmp_path / "policy.npz", Actor(policy, params, SPEC.actions, Greedy()), SPEC)
    player = load(str(tmp_path / "policy.npz"))
    outputs, spikes = ours(policy, params, OBSERVATIONS)
    differing = []
    for step, obs in enumerate(OBSERVATIONS):
        actions = player(obs)
        same = np.isclose(player.output, outputs[step], rtol=1e-4, atol=1e-4).all(axis=1)
        assert len(player.spikes) == len(spikes) or not isinstance(policy, SpikingPolicy)
        for mine, theirs in zip(player.spikes, spikes, strict=False):
            same &= (mine == theirs[step]).all(axis=1)
        differing.append(~same)
        clear = same & (np.abs(np.diff(outputs[step], axis=1)[:, 0]) > 1e-3 if outputs.shape[2] > 1 else True)
        np.testing.assert_array_equal(actions[clear], outputs[step].argmax(axis=1)[clear])
    return np.mean(differing), sum(float(counts.sum()) for counts in spikes)


CASES = cases()


def name(policy) -> str:
    """What a case is about, in a few words."""
    parts = (
        [policy.encoder, getattr(policy.network, "neuron", policy.network), policy.decoder]
        if isinstance(policy, SpikingPolicy)
        else [policy]
    )
    return "-".join(type(part).__name__ for part in parts)


@pytest.mark.parametrize("policy", CASES, ids=name)
def test_it_does_what_the_policy_did(policy, tmp_path):
    differing, fired = compared(policy, tmp_path)
    # Rounding may move a potential across a threshold, or an observation into the next bin; of what is kept, that lasts.
    assert differing <= (0.05 if policy.carries_state else 0.02)
    assert (
        fired > 20
        or not isinstance(policy, SpikingPolicy)
        or isinstance(getattr(policy.network, "neuron", None), Integrator)
    )


def test_every_deterministic_component_was_played_or_is_known_not_to_be():
    played = set()
    for policy in CASES:
        pending = [policy]
        while pending:
            part = pending.pop()
            played.add(type(part))
            pending += [value for value in vars(part).values() if hasattr(value, "__dataclass_fields__")]
            pending += [link.neuron for link in getattr(part, "links", ())]
            pending += (
                [population.neuron for population in getattr(part, "populations", ())]
                if isinstance(part, Circuit)
                else []
            )
    kinds = [(encoders, AbstractEncoder), (neurons, AbstractNeuron), (decoders, AbstractDecoder)]
    kinds += [(networks, networks.AbstractNetwork), (policies, AbstractPolicy)]
    wanted = {cls for package, base in kinds for cls in played_classes(package, base) if not _stochastic(cls)}
    assert wanted - played == {Plastic, networks.Silenced, policies.BlindPolicy}


def _stochastic(cls):
    return issubclass(cls, AbstractPolicy) and cls().stochastic


def test_continuous_actions_are_bounded_as_the_selections_do(tmp_path):
    spec = Spec("Box", (OBS,), Box((-2.0, 0.0), (2.0, 1.0)), 10)
    policy = DeepPolicy((4,), 3.0)
    params = drawn(policy)
    for selection in (Greedy(), Straight()):
        actor = Actor(policy, params, spec.actions, selection)
        write_player(tmp_path / "policy.npz", actor, spec)
        player = load(str(tmp_path / "policy.npz"))
        expected = jax.vmap(lambda obs, actor=actor: actor(None, obs, None)[1].action)(jnp.asarray(OBSERVATIONS[0]))
        np.testing.assert_allclose(player(OBSERVATIONS[0]), np.asarray(expected), rtol=1e-5, atol=1e-6)
        assert player(OBSERVATIONS[0, 0]).shape == (2,)


def test_members_of_a_batch_have_states_of_their_own_and_a_reset_begins_again(tmp_path):
    policy = SpikingPolicy(Direct(3.0), FeedForward((8,)), SpikeRate(), 3, KeepBetweenDecisions())
    write_player(tmp_path / "policy.npz", Actor(policy, drawn(policy), SPEC.actions, Greedy()), SPEC)
    batch, single = load(str(tmp_path / "policy.npz")), load(str(tmp_path / "policy.npz"))
    together = []
    for obs in OBSERVATIONS:
        batch(obs[:2])
        together.append(batch.output)
    for member in (0, 1):
        single.reset()
        for step, obs in enumerate(OBSERVATIONS):
            assert isinstance(single(obs[member]), int)
            np.testing.assert_allclose(single.output[0], together[step][member], atol=1e-6)


def test_it_runs_where_there_is_only_numpy(tmp_path):
    """Alone with NumPy in an interpreter that sees no other package: no JAX, no spikeloop."""
    policy = SpikingPolicy(Direct(3.0), FeedForward((8,)), ticks=3)
    actor = Actor(policy, drawn(policy), SPEC.actions, Greedy())
    player = write_player(tmp_path / "policy.npz", actor, SPEC)
    (tmp_path / "site").mkdir()
    for path in Path(np.__file__).parents[1].glob("numpy*"):
        (tmp_path / "site" / path.name).symlink_to(path)
    lines = "\n".join(" ".join(map(str, obs)) for obs in OBSERVATIONS[0].tolist())
    code = (
        "import sys, runpy; "
        f"sys.path.insert(0, {str(tmp_path / 'site')!r}); sys.argv = ['policy_player.py', {str(tmp_path / 'policy.npz')!r}]\n"
        f"try: runpy.run_path({str(player)!r}, run_name='__main__')\n"
        "finally: assert not {'jax', 'spikeloop', 'scipy', 'equinox'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = load(str(tmp_path / "policy.npz"))(OBSERVATIONS[0])
    assert [int(line) for line in done.stdout.split()] == expected.tolist()
    assert (tmp_path / "policy.npz").stat().st_size + player.stat().st_size < 100_000


def test_mistakes_are_answered_in_one_line(tmp_path, capsys, monkeypatch):
    policy = DeepPolicy((4,))
    actor = Actor(policy, drawn(policy), SPEC.actions, Greedy())
    path = tmp_path / "policy.npz"
    write_player(path, actor, SPEC)
    for wrong, words in ((np.zeros(2), "shape"), (np.zeros((2, 9)), "shape"), (np.full(OBS, np.nan), "NaN")):
        with pytest.raises(ValueError, match=words):
            load(str(path))(wrong)
    whole = path.read_bytes()
    pickled = io.BytesIO()
    np.savez(pickled, program=np.asarray([{"a": 1}], object), allow_pickle=True)
    strange = io.BytesIO()
    with zipfile.ZipFile(strange, "w") as held:
        held.writestr("program.npy", b"\x93NUMPY")
    other = io.BytesIO()
    np.savez(other, program=np.frombuffer(json.dumps({"format": "x", "version": 9}).encode(), np.uint8))
    for bad in (
        b"",
        whole[: len(whole) // 2],
        b"\x80\x04cos\nsystem\n",
        *(b.getvalue() for b in (pickled, strange, other)),
    ):
        path.write_bytes(bad)
        assert main([str(path)]) == 2
        error = capsys.readouterr().err
        assert error.startswith("policy_player: ") and error.count("\n") == 1
    path.write_bytes(whole)
    monkeypatch.setattr(sys, "stdin", io.StringIO("1 2 nonsense\n"))
    assert main([str(path)]) == 2 and "nonsense" in capsys.readouterr().err
    assert main([]) == 2 and main(["--help"]) == 0
    for refused, words in (
        (Actor(policy, None, SPEC.actions, EpsilonGreedy()), "EpsilonGreedy"),
        (Actor(SpikingPolicy(encoders.PoissonCode()), None, SPEC.actions, Greedy()), "no random numbers"),
    ):
        with pytest.raises(InvalidInput, match=words):
            write_player(tmp_path / "never.npz", refused, SPEC)
    plastic = SpikingPolicy(network=Plastic(FeedForward((3, 2))))
    with pytest.raises(InvalidInput, match="Plastic"):
        write_player(tmp_path / "never.npz", Actor(plastic, drawn(plastic), SPEC.actions, Greedy()), SPEC)
    assert not (tmp_path / "never.npz").exists()
