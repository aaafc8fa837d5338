"""The parameters of dynamic neurons, trained with the weights: the experiment as the paper has it, and its report."""

import json

import numpy as np
import pytest
import scipy.stats
from tests.worlds import Cart

from spikeloop.catalogue import built_in
from spikeloop.interaction import Constant, GaussianNoise, Replay
from spikeloop.learners import TD3, Adam, RandomActions
from spikeloop.loading import load_policies
from spikeloop.networks import FeedForward
from spikeloop.neurons import DynamicNeuron, SharedParameters, TrainableParameters, UniformStart
from spikeloop.papers.zhang2022 import report_prelearn
from spikeloop.papers.zhang2022.prelearn import PUBLISHED, Thetas, mean_interval, of_parameter, thetas
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.run import Run
from spikeloop.training import Protocol, Trainer

NEURONS = 6 + 6 + 10


def small():
    """Two seeds in a tiny world, with a rate that moves everything in a few updates."""
    made = built_in("zhang2022/prelearn")
    assert isinstance(made.learner, TD3) and isinstance(made.learner.policy, SpikingPolicy)
    network = made.learner.policy.network.with_fields(widths=(6, 6))
    return made.with_fields(
        environment=Cart(),
        learner=made.learner.with_fields(
            policy=made.learner.policy.with_fields(network=network, ticks=3),
            critic=DeepPolicy((8,)),
            optimizer=Adam(Constant(0.01)),
            exploration=GaussianNoise(0.1, 20),
            replay=Replay(200),
            batch_size=8,
            learning_starts=20,
            steps_per_iteration=10,
            updates_per_iteration=10,
        ),
        protocol=Protocol(env_steps=100, evaluations=1, evaluation_episodes=1, final_episodes=1, records=1),
        seeds=2,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = Run.create(tmp_path_factory.mktemp("prelearn") / "run", small())
    run.carry_out()
    return run


def test_the_experiment_is_mdc_san_on_ant_but_for_the_neurons_parameters():
    made, usual = built_in("zhang2022/prelearn"), built_in("zhang2022/ant/mdc-san")
    assert (made.environment, made.protocol, made.seeds) == (usual.environment, usual.protocol, usual.seeds)
    assert isinstance(made.learner, TD3) and isinstance(made.learner.policy, SpikingPolicy)
    network = made.learner.policy.network
    assert isinstance(network, FeedForward) and isinstance(network.neuron, DynamicNeuron)
    shared = network.with_fields(neuron=network.neuron.with_fields(parameters=SharedParameters()))
    policy = made.learner.policy.with_fields(network=shared)
    assert made.learner.with_fields(policy=policy) == usual.learner
    assert network.neuron.parameters == TrainableParameters(UniformStart(-0.5, 0.5))


def test_the_table_is_of_the_stored_policy(trained):
    assert [path.name for path in report_prelearn(trained)] == ["table.json", "parameters.png"]
    assert (trained.path / "parameters.png").read_bytes().startswith(b"\x89PNG")
    table = json.loads((trained.path / "table.json").read_text())
    layers = load_policies(trained, trained.experiment.label).actors.params.policy.network
    for name, published in PUBLISHED.items():
        values = np.concatenate([np.asarray(layer.neuron[name]) for layer in layers], axis=1)
        found = table["parameters"][name]
        assert values.shape == (2, NEURONS) and found["published"] == published
        assert found["centre"] == pytest.approx(values.mean(), abs=1e-4)
        assert found["of_seeds"] == pytest.approx(values.mean(axis=1), abs=1e-4)
        assert found["of_populations"] == pytest.approx(
            [float(layer.neuron[name].mean()) for layer in layers], abs=1e-4
        )
        assert found["quartiles"] == pytest.approx(np.percentile(values, [25, 50, 75]), abs=1e-4)
        assert found["moved"] > 0.005 and found["unmoved_percent"] < 100
        assert f"| {name} | {published:g} |" in table["markdown"]


def test_the_start_is_drawn_anew_from_the_seeds(trained):
    made, found = trained.experiment, thetas(trained)
    begun = Trainer(made.environment, made.learner, made.protocol, made.seed_range).actors().params.policy.network
    for name in PUBLISHED:
        for one, layer in zip(found.start[name], begun, strict=True):
            np.testing.assert_array_equal(one, layer.neuron[name])
            assert (np.abs(one) <= 0.5).all()
        assert np.abs(found.of(name)[0]).max() > 0.4
        stayed = of_parameter(Thetas(found.start, found.start), name)
        assert stayed["moved"] == 0.0 and stayed["unmoved_percent"] == 100.0


def test_nothing_is_reported_of_another_policy(trained):
    made = trained.experiment
    others = (DeepPolicy((8,)), SpikingPolicy(network=FeedForward((6, 6), DynamicNeuron())))
    for learner in (RandomActions(), *(made.learner.with_fields(policy=policy) for policy in others)):
        assert report_prelearn(Run(trained.path, made.with_fields(learner=learner), "x")) == []


def test_the_interval_is_students():
    values = np.random.default_rng(0).normal(0.3, 0.1, 10)
    expected = scipy.stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert mean_interval(values) == pytest.approx([expected.low, expected.high], abs=1e-4)
    assert mean_interval(values[:1]) is None
