"""Policies out and in from the command line: what is written, what comes back, what goes on learning, and mistakes."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.cli import main
from spikeloop.cli.commands import _made, _stem
from spikeloop.cli.overrides import override
from spikeloop.component import build, describe
from spikeloop.environments import Gymnax
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.export import Exported, export, write_graph
from spikeloop.export.policy_player import load as load_player
from spikeloop.importing import environment_named, fine_tuning, import_run
from spikeloop.interaction import Actor, Greedy
from spikeloop.learners import DQN, TD3, Evolution, FineTuning, FixedPolicy, RandomActions
from spikeloop.learners.from_file import read_parameters
from spikeloop.loading import load
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire, SoftReset
from spikeloop.policies import DeepPolicy, KeepBetweenDecisions, SpikingPolicy
from spikeloop.run import Run

WORLD = Gymnax("CartPole-v1", max_steps=10)
SPIKING = SpikingPolicy(network=FeedForward((6,)), ticks=2)


def actor_of(policy, world=WORLD) -> Actor:
    spec = world.spec
    template = jax.eval_shape(lambda: policy.init(spec.observation_size, spec.actions.output_size, jax.random.key(0)))
    generator = np.random.default_rng(0)
    params = jax.tree.map(lambda leaf: jnp.asarray(generator.normal(size=leaf.shape), jnp.float32), template)
    return Actor(policy, params, spec.actions, Greedy())


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A run directory, made without any training."""
    return import_run(tmp_path_factory.mktemp("deploy") / "run", actor_of(SPIKING), WORLD, 2).path


def fails(capsys, *arguments) -> str:
    assert main([str(word) for word in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("spikeloop: ") and captured.err.count("\n") == 1
    return captured.err


OBSERVATIONS = np.random.default_rng(1).normal(size=(30, 4)).astype(np.float32)


def test_out_and_in_again(path, tmp_path, capsys):
    """run -> graph and sidecar -> run: the same actions, and the same return in the same episodes."""
    graph = tmp_path / "policy.nir"
    assert main(["export", str(path), str(graph)]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["policy.nir", "policy.nir.json"]
    assert main(["import", str(graph), "--out", str(tmp_path / "back"), "--episodes", "2"]) == 0
    assert "next: `spikeloop play" in capsys.readouterr().out
    np.testing.assert_array_equal(load(tmp_path / "back")(OBSERVATIONS), load(path)(OBSERVATIONS))
    assert main(["evaluate", str(tmp_path / "back"), "--episodes", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["arms"]["imported"]["returns"]
    assert main(["export", str(tmp_path / "back"), str(tmp_path / "again.nir")]) == 0
    assert (tmp_path / "again.nir.json").read_text() == (tmp_path / "policy.nir.json").read_text().replace(
        "policy.nir", "again.nir"
    )


def test_a_player_beside_its_arrays(path, tmp_path, capsys):
    assert main(["export", str(path), str(tmp_path / "policy.npz")]) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["policy.npz", "policy_player.py"]
    player = load_player(str(tmp_path / "policy.npz"))
    np.testing.assert_array_equal(player(OBSERVATIONS), load(path)(OBSERVATIONS))


def test_a_run_goes_on_learning_from_the_policy_of_another(path):
    experiment = fine_tuning(Run.open(path))
    learner = experiment.learner
    assert isinstance(learner, FineTuning) and isinstance(learner.learner, DQN)
    state = learner.init(WORLD, jax.random.key(3))
    first = load(path).actor.params
    for one, other in zip(jax.tree.leaves(state.learned.online), jax.tree.leaves(first), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    assert (
        learner.actor(WORLD, state).policy == SPIKING
    )  # which is what the new run will keep, and no trace of the file
    fixed = experiment.controls["as-it-was"]
    assert isinstance(fixed, FixedPolicy)
    state, key = fixed.init(WORLD, jax.random.key(0)), jax.random.key(1)
    after, report = jax.eval_shape(lambda state, key: fixed.step(WORLD, state, key), state, key)
    assert jax.tree.structure(after) == jax.tree.structure(state) and report.episodes.ended.shape == (1,)


def test_the_command_line_takes_a_run_for_an_experiment(path):
    made = _made(str(path))
    assert isinstance(made, Experiment) and made == fine_tuning(Run.open(path))
    assert _stem(str(path)) == "run-tuned"
    changed = override(made, ["--learner.learner.n-step", "3", "--seeds", "2"], "test")
    assert isinstance(changed.learner, FineTuning) and isinstance(changed.learner.learner, DQN)
    assert changed.learner.learner.n_step == 3 and build(describe(changed)) == changed


@pytest.mark.parametrize(
    ("policy", "world", "kind"),
    [
        (SPIKING.with_fields(between_decisions=KeepBetweenDecisions()), WORLD, Evolution),
        (DeepPolicy((4,)), Gymnax("Pendulum-v1", max_steps=5), TD3),
    ],
    ids=["keeps its state", "continuous"],
)
def test_what_goes_on_learning_fits_the_policy(policy, world, kind, tmp_path):
    run = import_run(tmp_path / "run", actor_of(policy, world), world, 1)
    experiment = fine_tuning(run)
    assert isinstance(experiment.learner, FineTuning) and isinstance(experiment.learner.learner, kind)
    Run.require_ready(experiment)


def test_a_policy_file_must_fit(path, tmp_path):
    file = path / "arms" / "imported" / "policy.safetensors"
    template = jax.eval_shape(lambda: SPIKING.init(4, 2, jax.random.key(0)))
    read_parameters(str(file), template)
    other = jax.eval_shape(lambda: SPIKING.with_fields(network=FeedForward((7,))).init(4, 2, jax.random.key(0)))
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(file.read_bytes()[:100])
    smaller = jax.eval_shape(lambda: SPIKING.init(4, 2, jax.random.key(0))).network
    for words, which, wanted, place in (
        ("does not exist", tmp_path / "none", template, 0),
        ("this run needs", file, other, 0),
        ("place 1", file, template, 1),
        ("readable safetensors", damaged, template, 0),
        ("this run needs", file, smaller, 0),
    ):
        with pytest.raises(InvalidInput, match=words):
            read_parameters(str(which), wanted, place)
    with pytest.raises(InvalidInput, match="must have a policy"):
        FineTuning(RandomActions())


def test_mistakes_are_answered_in_one_line(path, tmp_path, capsys, monkeypatch):
    graph = tmp_path / "policy.nir"
    assert main(["export", str(path), str(graph)]) == 0
    capsys.readouterr()
    beside = tmp_path / "policy.nir.json"
    text = beside.read_text()
    assert "no such directory" in fails(capsys, "export", tmp_path / "none", graph)
    assert "must end in" in fails(capsys, "export", path, tmp_path / "policy.onnx")
    assert "not a directory" in fails(capsys, "export", path, tmp_path / "none" / "policy.nir")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "policy_player.py").write_text("mine = 1")
    assert "something else already" in fails(capsys, "export", path, tmp_path / "taken" / "policy.npz")
    assert [file.name for file in (tmp_path / "taken").iterdir()] == ["policy_player.py"]
    assert "no arm" in fails(capsys, "export", path, graph, "--arm", "x")
    assert "no seed 7" in fails(capsys, "export", path, graph, "--policy-seed", "7")
    assert "no convention" in fails(capsys, "export", path, graph, "--convention", "matlab")
    assert "is for .nir" in fails(capsys, "export", path, tmp_path / "x.npz", "--dt", "0.1")
    assert "does not exist" in fails(capsys, "import", tmp_path / "none.nir")
    assert "not a readable NIR" in fails(capsys, "import", beside)
    out = ["--out", tmp_path / "never"]
    assert "--environment" in fails(capsys, "import", graph, "--no-sidecar", *out)
    assert "unknown" in fails(capsys, "import", graph, "--environment", "CartPol-v1", *out)
    assert "share" in fails(capsys, "import", graph, "--environment", "Acrobot-v1", *out)
    assert "takes 4 numbers" in fails(capsys, "import", graph, "--no-sidecar", "--environment", "Acrobot-v1", *out)
    assert "--episodes" in fails(capsys, "import", graph, "--episodes", "0", *out)
    assert "--ticks" in fails(capsys, "import", graph, "--ticks", "0", *out)
    assert "--dt" in fails(capsys, "import", graph, "--dt", "nan", *out)
    assert "exists already" in fails(capsys, "import", graph, "--out", path)
    for damage, words in (
        ("{", "not valid JSON"),
        ("[]", "not the sidecar"),
        (text.replace('"version": 1', '"version": 99'), "version 99"),
        (text.replace('"ticks": 2', '"ticks": "two"'), "ticks"),
        (text.replace('"ticks": 2', '"ticks": 1000000000'), "at most 100000"),
        (text.replace('"type": "Direct"', '"type": "os.system"'), "unknown component"),
        (text.replace('"parameters"', '"parameter"'), "damaged"),
    ):
        assert damage != text
        beside.write_text(damage)
        assert words in fails(capsys, "import", graph, *out)
    assert not (tmp_path / "never").exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["policy.nir", "policy.nir.json", "taken"]
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    assert "pip install 'spikeloop[nir]'" in fails(capsys, "import", graph, *out)


def test_a_soft_reset_needs_to_be_asked_for(tmp_path, capsys):
    soft = SPIKING.with_fields(network=FeedForward((6,), IntegrateAndFire(reset=SoftReset())))
    run = import_run(tmp_path / "run", actor_of(soft), WORLD, 1).path
    assert "--discretise" in fails(capsys, "export", run, tmp_path / "a.nir")
    assert not (tmp_path / "a.nir").exists()
    assert main(["export", str(run), str(tmp_path / "a.nir"), "--discretise"]) == 0
    assert "approximated: populations 1 subtract" in capsys.readouterr().out


def test_a_full_disk_leaves_nothing_half_written(path, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    made = export(load(path).actor, WORLD.spec)
    assert isinstance(made, Exported)
    with pytest.raises(InvalidInput, match="No space"):
        write_graph(tmp_path / "policy.nir", made)
    with pytest.raises(InvalidInput, match="No space"):
        import_run(tmp_path / "run", actor_of(SPIKING), WORLD, 1)
    assert list(tmp_path.iterdir()) == []


def test_environments_by_name():
    assert isinstance(environment_named("CartPole-v1"), Gymnax)
    assert type(environment_named("LunarLander-v3")).__name__ == "Gymnasium"
