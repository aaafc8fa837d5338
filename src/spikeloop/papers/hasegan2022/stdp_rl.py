"""Hasegan et al. 2022, STDP-RL: reward-modulated STDP with tags in a spiking circuit, in three stages of training."""

from spikeloop.experiment import Experiment, Reference
from spikeloop.interaction import RandomAmongLargest
from spikeloop.learners import (
    DQN,
    AbstractLearner,
    MotorTargeting,
    RandomActions,
    RandomSearch,
    RewardModulatedPlasticity,
    Stage,
    Staged,
)
from spikeloop.networks import Circuit
from spikeloop.papers.hasegan2022.critic import UprightCritic
from spikeloop.papers.hasegan2022.setting import DECISION, ENVIRONMENT, FIXED_SENSORY, RESOLUTION, circuit, policy
from spikeloop.plasticity import (
    GrowingOutput,
    HardBounds,
    LatestTag,
    NearestTags,
    NoHomeostasis,
    SquarePulse,
    TargetRates,
    ThreeFactor,
)
from spikeloop.plasticity.eligibility import AbstractEligibility
from spikeloop.policies import DeepPolicy
from spikeloop.training import Protocol

GAIN = 2.0  # of synapses from E to E: it multiplies the largest weight and the step as well
W_MAX = 200.0
RATE = 6.0 * DECISION / 1000.0  # spikes of a motor neuron in a decision, at 6 Hz
STAGES = (10_000, 40_000, 450_000)  # decisions: 500 s, 2000 s and 22,500 s


def stage(
    network: Circuit,
    eligibility: AbstractEligibility,
    window: float,
    step: float,
    opposite: float,
    others: float,
    critic: UprightCritic,
) -> RewardModulatedPlasticity:
    """One round of hyperparameters: W, A, kappa, rho, and the critic with b and the bias."""
    rule = ThreeFactor(
        rate=GAIN * step,
        pairs=NearestTags(window=window, ignored=1.0),
        eligibility=eligibility,
        bounds=HardBounds(0.0, GAIN * W_MAX),
        resolution=RESOLUTION,
    )
    return RewardModulatedPlasticity(
        policy=policy(network),
        rule=GrowingOutput(rule, 0.1, 2.0),
        modulator=critic,
        targeting=MotorTargeting(opposite, others),
        homeostasis=TargetRates(every=25, target=RATE, adapt_every=75, step_size=1e-4, window=500.0),
        selection=RandomAmongLargest(),
        steps_per_iteration=50,
    )


def three_stages(
    network: Circuit, first: AbstractEligibility, later: AbstractEligibility, last: RewardModulatedPlasticity
) -> Staged:
    """The published schedule, with a last stage of its own."""
    rounds = (
        stage(network, first, 3.0, 0.02, 1.0, 0.0, UprightCritic(0.4, 1.5)),
        stage(network, later, 5.0, 0.001, 1.0, 0.0, UprightCritic(1.0, 2.0)),
        last,
    )
    return Staged(tuple(Stage(learner, steps) for learner, steps in zip(rounds, STAGES, strict=True)))


def stdp_rl() -> Experiment:
    """Hasegan 2022: reward-modulated STDP in a spiking circuit on CartPole, 500,000 actions in three stages; 10 seeds"""
    motor, both = circuit(FIXED_SENSORY), circuit()
    square, exponential = SquarePulse(250.0), LatestTag(250.0)
    critic = UprightCritic(1.2, 2.0)
    learner = three_stages(motor, SquarePulse(400.0), square, stage(motor, square, 5.0, 0.005, 0.9, 0.0, critic))
    still = stage(motor, square, 5.0, 0.0, 0.9, 0.0, critic).with_fields(homeostasis=NoHomeostasis())
    controls: dict[str, AbstractLearner] = {
        "stdp-rl-all": three_stages(
            both, SquarePulse(400.0), square, stage(both, square, 5.0, 0.001, 0.9, 0.8, UprightCritic(1.2, 2.5))
        ),
        "exponential-tags": three_stages(
            motor, LatestTag(400.0), exponential, stage(motor, exponential, 5.0, 0.005, 0.9, 0.0, critic)
        ),
        "untrained": still,
        "ann": DQN(DeepPolicy((40,))),
        "random-weights": RandomSearch(policy(motor), selection=RandomAmongLargest()),
        "random-actions": RandomActions(),
    }
    return Experiment(
        environment=ENVIRONMENT,
        learner=learner,
        label="stdp-rl",
        controls=controls,
        protocol=Protocol(
            env_steps=sum(STAGES), evaluations=10, evaluation_episodes=20, final_episodes=100, records=500
        ),
        seeds=10,
        reference=Reference(
            source="Hasegan et al. 2022, evaluation of trained models",
            claim="145 steps in 100 episodes for the best of 10 networks, 64 for the worst; untrained 23",
            score=145.0,
        ),
    )
