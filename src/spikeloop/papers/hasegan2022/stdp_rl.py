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
    AbstractEligibility,
    GrowingOutput,
    HardBounds,
    LatestTag,
    LevellingOutput,
    NearestTags,
    NoHomeostasis,
    SquarePulse,
    TargetRates,
    ThreeFactor,
)
from spikeloop.policies import DeepPolicy
from spikeloop.training import Protocol

GAIN = 2.0  # of synapses from E to E: it multiplies the largest weight and the step as well
W_MAX = 200.0
RATE = 6.0 * DECISION / 1000.0  # spikes of a motor neuron in a decision, at 6 Hz
STAGES = (10_000, 40_000)  # decisions: 500 s and 2000 s
LAST = (
    40_000,
    40_000,
    40_000,
    100_000,
    100_000,
    130_000,
)  # 22,500 s in six parts, each a simulation that takes up the last weights
FIRST_TAG, TAG = SquarePulse(400.0), SquarePulse(250.0)
REFERENCE = Reference(
    source="Hasegan et al. 2022, evaluation of trained models",
    claim="145 steps in 100 episodes for the best of 10 networks, 64 for the worst; untrained 23",
    score=145.0,
)


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


def first_round(network: Circuit, eligibility: AbstractEligibility = FIRST_TAG) -> RewardModulatedPlasticity:
    """The numbers of the first 500 s."""
    return stage(network, eligibility, 3.0, 0.02, 1.0, 0.0, UprightCritic(0.4, 1.5))


def second_round(network: Circuit, eligibility: AbstractEligibility = TAG) -> RewardModulatedPlasticity:
    """Those of the 2000 s that follow."""
    return stage(network, eligibility, 5.0, 0.001, 1.0, 0.0, UprightCritic(1.0, 2.0))


def last_round(network: Circuit, eligibility: AbstractEligibility = TAG) -> RewardModulatedPlasticity:
    """Those of the long rest."""
    return stage(network, eligibility, 5.0, 0.005, 0.9, 0.0, UprightCritic(1.2, 2.0))


def last_round_of_both(network: Circuit, eligibility: AbstractEligibility = TAG) -> RewardModulatedPlasticity:
    """Those of the long rest where sensory synapses are plastic and rewarded too (rho)."""
    return stage(network, eligibility, 5.0, 0.001, 0.9, 0.8, UprightCritic(1.2, 2.5))


def three_stages(*rounds: RewardModulatedPlasticity) -> Staged:
    """The published schedule, with the last round in its parts."""
    rounds += rounds[-1:] * (len(LAST) - 1)
    return Staged(tuple(Stage(learner, steps) for learner, steps in zip(rounds, STAGES + LAST, strict=True)))


def stdp_rl() -> Experiment:
    """Hasegan 2022: reward-modulated STDP in a spiking circuit on CartPole, 500,000 actions in three stages; 10 seeds"""
    motor, both = circuit(FIXED_SENSORY), circuit()
    fading = LatestTag(400.0), LatestTag(250.0), LatestTag(250.0)
    rounds = first_round, second_round, last_round
    learner = three_stages(*(make(motor) for make in rounds))
    controls: dict[str, AbstractLearner] = {
        "stdp-rl-all": three_stages(first_round(both), second_round(both), last_round_of_both(both)),
        "exponential-tags": three_stages(*(make(motor, tag) for make, tag in zip(rounds, fading, strict=True))),
        **_beside(motor),
    }
    return Experiment(
        environment=ENVIRONMENT,
        learner=learner,
        label="stdp-rl",
        controls=controls,
        protocol=Protocol(
            env_steps=sum(STAGES + LAST), evaluations=10, evaluation_episodes=20, final_episodes=100, records=500
        ),
        seeds=10,
        reference=REFERENCE,
    )


def rounds() -> Experiment:
    """Hasegan 2022: the numbers of each round of STDP-RL by themselves, from the first weights on, 20,000 actions; 10 seeds"""
    motor = circuit(FIXED_SENSORY)
    growing = last_round(motor)
    assert isinstance(growing.rule, GrowingOutput)
    levelling = growing.with_fields(rule=LevellingOutput(growing.rule.rule, growing.rule.low, growing.rule.high))
    return Experiment(
        environment=ENVIRONMENT,
        learner=growing,
        label="round-3",
        controls={
            "round-1": first_round(motor),
            "round-2": second_round(motor),
            "round-3-levelling": levelling,
            **_beside(motor),
        },
        protocol=Protocol(env_steps=20_000, evaluations=5, evaluation_episodes=20, final_episodes=50),
        seeds=10,
        reference=REFERENCE,
    )


def _beside(network: Circuit) -> dict[str, AbstractLearner]:
    """The circuit untrained, a deep network trained by Q-learning, and the null baselines."""
    still = stage(network, TAG, 5.0, 0.0, 0.9, 0.0, UprightCritic(1.2, 2.0))
    return {
        "untrained": still.with_fields(homeostasis=NoHomeostasis()),
        "ann": DQN(DeepPolicy((40,))),
        "random-weights": RandomSearch(policy(network), selection=RandomAmongLargest()),
        "random-actions": RandomActions(),
    }
