"""The library's own experiments: a spiking Q-network that works, beside its deep twin and two null baselines.

The recipe is one for all tasks; only the budget, the scale of the observations and, for Acrobot, the ticks differ, and on
CartPole the twin's learning rate and returns: there both networks were tuned over the same nine settings
(`cartpole_tuning`). It is double Q-learning with 10-step returns, two hidden layers, a learning rate that decays to zero
with the budget, and policies that are kept as a moving average of the parameters. The spiking neurons are
integrate-and-fire with soft reset, which lose no input at a spike, so that 4 ticks are enough. `cartpole_ablation` measures
what each of these is worth: on CartPole everything hangs on the 10-step returns, and the rest narrows the interval at most
(see results/).
"""

import dataclasses
from collections.abc import Mapping

from spikeloop.encoders import Direct
from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment
from spikeloop.interaction import Constant, EpsilonGreedy, LinearDecay, Replay
from spikeloop.learners import (
    DQN,
    AbstractLearner,
    Adam,
    ClipByNorm,
    HardTarget,
    Immediate,
    RandomActions,
    RandomSearch,
    SoftTarget,
)
from spikeloop.networks import FeedForward
from spikeloop.neurons import HardReset, IntegrateAndFire, LeakyIntegrateAndFire, SoftReset
from spikeloop.objectives import DoubleBootstrap, MaxBootstrap
from spikeloop.policies import AbstractPolicy, DeepPolicy, SpikingPolicy
from spikeloop.training import Protocol

Gain = tuple[float, ...]
CARTPOLE_STEPS = 50_000
CARTPOLE_GAIN: Gain = (
    1.0,
    1.0,
    4.0,
    1.0,
)  # the pole's angle stays within 0.21 rad; the other variables reach 2 and more
ACROBOT_GAIN: Gain = (1.0, 1.0, 1.0, 1.0, 0.25, 0.25)  # angular velocities reach 12 and 28 rad/s
MOUNTAIN_CAR_GAIN: Gain = (1.0, 20.0)  # position spans 1.8, velocity 0.14


def spiking(gain: Gain, widths: tuple[int, ...] = (64, 64), ticks: int = 4) -> SpikingPolicy:
    """Integrate-and-fire neurons with soft reset, driven by the observation at every tick."""
    return SpikingPolicy(Direct(gain), FeedForward(widths, IntegrateAndFire(reset=SoftReset())), ticks=ticks)


def q_learning(policy: AbstractPolicy, env_steps: int) -> DQN:
    """The recipe, for a budget of environment steps."""
    return DQN(
        policy=policy,
        optimizer=Adam(LinearDecay(1e-3, 0.0, env_steps), ClipByNorm(10.0)),
        exploration=EpsilonGreedy(LinearDecay(1.0, 0.05, env_steps / 10)),
        replay=Replay(env_steps),
        target=HardTarget(250),
        acting=SoftTarget(0.001),
        bootstrap=DoubleBootstrap(),
        discount=0.99,
        n_step=10,
        batch_size=64,
        steps_per_update=2,
    )


def cartpole() -> Experiment:
    """Spiking DQN on CartPole-v1, beside its ANN twin, random weights and random actions"""
    made = _side_by_side("CartPole-v1", CARTPOLE_STEPS, CARTPOLE_GAIN)
    return made.with_fields(controls={**made.controls, "ann-twin": _tuned_twin()})


def acrobot() -> Experiment:
    """The same learners on Acrobot-v1, with 8 ticks and twice the steps; and with leaky neurons"""
    made = _side_by_side("Acrobot-v1", 100_000, ACROBOT_GAIN, ticks=8)
    leaky = FeedForward((64, 64), LeakyIntegrateAndFire(reset=SoftReset()))
    policy = spiking(ACROBOT_GAIN, ticks=8).with_fields(network=leaky)
    return made.with_fields(controls={"spiking-leaky": q_learning(policy, 100_000), **made.controls})


def mountain_car() -> Experiment:
    """The same learners on MountainCar-v0, twice the steps"""
    return _side_by_side("MountainCar-v0", 100_000, MOUNTAIN_CAR_GAIN)


def cartpole_ablation() -> Experiment:
    """What each ingredient of the CartPole recipe is worth, to the spiking DQN and to its ANN twin: one left out at a time"""
    base = cartpole()
    net, twin = spiking(CARTPOLE_GAIN), DeepPolicy((64, 64), CARTPOLE_GAIN)
    hard = net.with_fields(network=FeedForward((64, 64), IntegrateAndFire(reset=HardReset())))
    spiking_arms = {
        "one-layer": spiking(CARTPOLE_GAIN, (128,)),
        "hard-reset": hard,
        "no-gain": spiking((1.0, 1.0, 1.0, 1.0)),
    }
    ann_arms = {"one-layer": DeepPolicy((128,), CARTPOLE_GAIN), "no-gain": DeepPolicy((64, 64))}
    arms = {"full-recipe": _recipe(net), **_without(_recipe(net), spiking_arms)}
    arms |= {f"ann-{name}": learner for name, learner in _without(_recipe(twin), ann_arms).items()}
    arms |= {"ann-full-recipe": _recipe(twin), "ann-tuned": _tuned_twin()}
    return dataclasses.replace(base, label="full-recipe", learner=arms.pop("full-recipe"), controls=arms)


def cartpole_tuning() -> Experiment:
    """The same nine settings of rate and returns for the spiking DQN and for its ANN twin, on seeds kept for tuning"""
    arms: dict[str, AbstractLearner] = {}
    for name, policy in (("spiking", spiking(CARTPOLE_GAIN)), ("ann", DeepPolicy((64, 64), CARTPOLE_GAIN))):
        for rate in (5e-4, 1e-3, 2e-3):
            for steps in (5, 10, 20):
                chosen = _recipe(policy).with_fields(n_step=steps)
                arms[f"{name}-rate-{rate * 1e4:g}-steps-{steps}"] = _at_rate(chosen, rate)
    label = next(iter(arms))
    tuning = dataclasses.replace(cartpole(), label=label, learner=arms.pop(label), controls=arms)
    return dataclasses.replace(tuning, first_seed=100)


def _tuned_twin() -> DQN:
    # Of the nine settings of `cartpole_tuning` the best for the spiking network are the recipe's, for the ANN these.
    return _at_rate(_recipe(DeepPolicy((64, 64), CARTPOLE_GAIN)).with_fields(n_step=20), 2e-3)


def _recipe(policy: AbstractPolicy) -> DQN:
    return q_learning(policy, CARTPOLE_STEPS)


def _at_rate(learner: DQN, rate: float) -> DQN:
    return learner.with_fields(optimizer=Adam(LinearDecay(rate, 0.0, CARTPOLE_STEPS), ClipByNorm(10.0)))


def _without(full: DQN, policies: Mapping[str, AbstractPolicy]) -> dict[str, AbstractLearner]:
    """A learner without one ingredient at a time: of the learning, and of the policy."""
    return {
        "one-step-returns": full.with_fields(n_step=1),
        **{name: full.with_fields(policy=policy) for name, policy in policies.items()},
        "constant-rate": full.with_fields(optimizer=Adam(Constant(1e-3), ClipByNorm(10.0))),
        "no-averaging": full.with_fields(acting=Immediate()),
        "single-q": full.with_fields(bootstrap=MaxBootstrap()),
    }


def _side_by_side(environment: str, env_steps: int, gain: Gain, ticks: int = 4) -> Experiment:
    policy = spiking(gain, ticks=ticks)
    return Experiment(
        environment=Gymnax(environment),
        learner=q_learning(policy, env_steps),
        controls={
            "ann-twin": q_learning(DeepPolicy((64, 64), gain), env_steps),
            "random-weights": RandomSearch(policy=policy),
            "random-actions": RandomActions(),
        },
        protocol=Protocol(env_steps=env_steps),
    )
