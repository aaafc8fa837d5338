"""Experiments on synapses that learn by themselves: what works, on three tasks, and what each ingredient is worth.

One recipe for all tasks, found on CartPole (seeds 100 to 119) and left alone after that: `AntitheticSynapseAgents` with its
defaults. Beside it stand searches that let nobody learn (random weights; hill climbing with two settings, the better two of
six tried on the same seeds), random actions, the same synapses in an ANN, and a DQN with the same spiking policy, which
uses gradients.
"""

from spikeloop.encoders import Direct
from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment
from spikeloop.gallery.q_learning import ACROBOT_GAIN, CARTPOLE_GAIN, MOUNTAIN_CAR_GAIN, Gain, q_learning, spiking
from spikeloop.interaction import Constant
from spikeloop.learners import (
    AbstractLearner,
    AntitheticSynapseAgents,
    Difference,
    HillClimbing,
    RandomActions,
    RandomSearch,
    SignOfDifference,
    SynapseAgents,
)
from spikeloop.learners.synapses import (
    Additive,
    Credit,
    FiringRates,
    FollowCredit,
    MonteCarlo,
    Multiplicative,
    Place,
    PredictionErrorReward,
    PrePostLayer,
    PreviousActions,
    PreviousRewards,
    QNetwork,
    SynapseState,
    SynapticRule,
    Table,
    Weight,
)
from spikeloop.networks import FeedForward
from spikeloop.neurons import IntegrateAndFire
from spikeloop.policies import DeepPolicy, SpikingPolicy
from spikeloop.training import Protocol

ENV_STEPS = 100_000


def controller(gain: Gain) -> SpikingPolicy:
    """16 integrate-and-fire neurons with soft reset, 4 ticks a decision."""
    return spiking(gain, (16,), 4)


def synapses_cartpole() -> Experiment:
    """Synapses that try, are credited and act, on CartPole-v1, beside searches, a twin and a DQN; 20 seeds"""
    return _side_by_side("CartPole-v1", CARTPOLE_GAIN)


def synapses_acrobot() -> Experiment:
    """The same synapses on Acrobot-v1"""
    return _side_by_side("Acrobot-v1", ACROBOT_GAIN)


def synapses_mountain_car() -> Experiment:
    """The same synapses on MountainCar-v0"""
    return _side_by_side("MountainCar-v0", MOUNTAIN_CAR_GAIN)


def synapses_table() -> Experiment:
    """Learn the synapses' table of values across 40 runs on CartPole-v1 (seeds of their own), and write it down"""
    learner = AntitheticSynapseAgents(controller(CARTPOLE_GAIN), value=Table(5, 0.03))
    return _experiment("CartPole-v1", "synapses-learning", learner, {}).with_fields(seeds=40, first_seed=1000)


def synapses_ledger() -> Experiment:
    """What was tried with synapse agents on CartPole-v1, step by step, and each ingredient left out or changed; 20 seeds"""
    net = controller(CARTPOLE_GAIN)
    best = AntitheticSynapseAgents(net)
    return _experiment("CartPole-v1", "synapses", best, {**_towards(net), **_around(best), **_searches(net)})


def _towards(net: SpikingPolicy) -> dict[str, AbstractLearner]:
    """From the paper's learner to ours."""
    seen = SynapseState((PreviousActions(), PreviousRewards()))
    paper = SynapticRule(state=seen, value=QNetwork())
    table = SynapticRule(state=seen, value=Table())

    def agents(rule: SynapticRule, episodes: int = 1) -> SynapseAgents:
        return SynapseAgents(net, rule, episodes)

    return {
        "zheng-m1": agents(paper),
        "zheng-m5": agents(paper.with_fields(state=SynapseState((Weight(), Place())))),
        "zheng-table": agents(table),
        "zheng-prediction-error": agents(table.with_fields(reward=PredictionErrorReward())),
        "zheng-eight-episodes": agents(table, 8),
        "zheng-monte-carlo": agents(table.with_fields(returns=MonteCarlo(20)), 8),
        "zheng-larger-steps": agents(table.with_fields(change=Additive(0.06)), 8),
        "zheng-firing-rates": agents(
            table.with_fields(state=SynapseState((PreviousActions(), PreviousRewards(), FiringRates()))), 8
        ),
    }


def _around(best: AntitheticSynapseAgents) -> dict[str, AbstractLearner]:
    """Ours with one thing changed."""
    gain = CARTPOLE_GAIN

    def having(*senses) -> AntitheticSynapseAgents:
        return best.with_fields(state=SynapseState((Credit(), *senses)), value=Table(3, 0.03))

    return {
        "learning": best.with_fields(value=Table(5, 0.03)),
        "learning-fast": best.with_fields(value=Table(5, 0.3)),
        "learning-by-network": best.with_fields(value=QNetwork(batch_size=256)),
        "learning-exploring": best.with_fields(value=Table(5, 0.03), exploration=Constant(0.1)),
        "follow-credit": best.with_fields(value=FollowCredit()),
        "learning-with-firing-rates": having(FiringRates()),
        "learning-with-last-action": having(PreviousActions(1)),
        "learning-with-weight": having(Weight(1.5)),
        "learning-with-place": having(Place()),
        "learning-with-pre-post-layer": having(Place(PrePostLayer())),
        "sign-of-difference": best.with_fields(reward=SignOfDifference()),
        "difference": best.with_fields(reward=Difference()),
        "one-pair": best.with_fields(pairs=1),
        "two-pairs": best.with_fields(pairs=2),
        "sixteen-pairs": best.with_fields(pairs=16),
        "no-memory": best.with_fields(memory=0.0),
        "long-memory": best.with_fields(memory=0.95),
        "half-trial-size": best.with_fields(trial_size=0.15),
        "twice-trial-size": best.with_fields(trial_size=0.6),
        "half-step": best.with_fields(change=Additive(0.03)),
        "twice-step": best.with_fields(change=Additive(0.12)),
        "multiplicative": best.with_fields(change=Multiplicative(0.1)),
        "no-gain": best.with_fields(policy=spiking((1.0, 1.0, 1.0, 1.0), (16,), 4)),
        "hard-reset-16-ticks": best.with_fields(
            policy=SpikingPolicy(Direct(gain), FeedForward((16,), IntegrateAndFire()))
        ),
        "4-neurons": best.with_fields(policy=spiking(gain, (4,), 4)),
        "64-neurons": best.with_fields(policy=spiking(gain, (64,), 4)),
        "64-64-neurons": best.with_fields(policy=spiking(gain, (64, 64), 4)),
    }


def _searches(policy: SpikingPolicy | DeepPolicy) -> dict[str, AbstractLearner]:
    return {
        "hill-climbing": HillClimbing(policy, step_size=1.0, episodes=4),
        "hill-climbing-one-episode": HillClimbing(policy, step_size=0.3),
        "random-weights": RandomSearch(policy),
        "random-actions": RandomActions(),
    }


def _side_by_side(environment: str, gain: Gain) -> Experiment:
    net = controller(gain)
    learner = AntitheticSynapseAgents(net)
    controls: dict[str, AbstractLearner] = {
        "synapses-learning": learner.with_fields(value=Table(5, 0.03)),
        "follow-credit": learner.with_fields(value=FollowCredit()),
        "ann-synapses": learner.with_fields(policy=DeepPolicy((16,), gain)),
        **_searches(net),
        "spiking-dqn": q_learning(net, ENV_STEPS),
    }
    return _experiment(environment, "synapses", learner, controls)


def _experiment(
    environment: str, label: str, learner: AbstractLearner, controls: dict[str, AbstractLearner]
) -> Experiment:
    return Experiment(
        environment=Gymnax(environment),
        learner=learner,
        label=label,
        controls=controls,
        protocol=Protocol(env_steps=ENV_STEPS, evaluations=20),
        seeds=20,
    )
