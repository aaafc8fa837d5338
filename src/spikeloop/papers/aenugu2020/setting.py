"""What the experiments of Aenugu 2020 are made of: the three tasks, the published settings, and ours.

    task          gamma  actors            input                    weights     step of the actors  critic: values, step, lambda
    gridworld     0.9    10, 4 x 2 hidden  3 neurons, 2 of 5 ticks  U(0, 1)     0.01                table, 0.1, 0.7
    cartpole      1      10, 2 x 200       the observation          U(0, 0.01)  0.001, later 1e-5   Fourier order 5, 0.001, 0.5
    mountain-car  1      20, 5 shared      5 of 10 per variable     U(0, 1)     0.1                 Fourier order 4, 0.01, 0.5

A fourth, gymnax's four rooms, is not theirs: a grid world with walls that the library did not make.

Those are the settings of the public code of the companion paper (arXiv:1910.06489), with the bugs that the README lists put
right. The learners named `published` have them; what is ours is found by trying on other seeds than those that are run.
"""

import math
from typing import Any

from spikeloop.decoders import LinearRate
from spikeloop.encoders import AbstractEncoder, CombinationCode, Direct, OneHotBins, PatternCode
from spikeloop.environments import Gridworld, Gymnax
from spikeloop.interaction import Constant, EpsilonGreedy, LinearDecay
from spikeloop.learners import Adam, AnnealedTemperature, GradientActorCritic, NeuronAgents
from spikeloop.learners.agents import (
    AfterGoodEpisodes,
    AfterGoodRewards,
    Agreement,
    Coagent,
    ConstantStep,
    ExecutedModule,
)
from spikeloop.learners.critics import FourierValue, TableValue, TemporalDifference
from spikeloop.networks import FeedForward
from spikeloop.neurons import BernoulliLogistic, BinaryConcrete
from spikeloop.policies import (
    AbstractPolicy,
    CoagentPolicy,
    DeepPolicy,
    EncodedDeepPolicy,
    ModulePerAction,
    SharedHidden,
    SpikingPolicy,
)

GRIDWORLD = Gridworld()
CARTPOLE = Gymnax("CartPole-v1", max_steps=200)  # CartPole-v0 but for its name
MOUNTAIN_CAR = Gymnax("MountainCar-v0", max_steps=5000)

# Gridworld. The published network learns as it is.
_CELLS: dict[str, Any] = {"low": 0.0, "high": 10.0}
GRIDWORLD_BINS = OneHotBins(10, amplitude=1.0, **_CELLS)
_TRAINS = CombinationCode(inputs=3, ticks=5, on=2, levels=10, skip=1, **_CELLS)
GRIDWORLD_AGENTS = NeuronAgents(
    policy=CoagentPolicy(
        _TRAINS, wiring=ModulePerAction((2,)), actors=10, ticks=5, taps=3, constant=0.0, least=0.0, most=1.0
    ),
    critic=TemporalDifference(TableValue(bins=10, least=0.0, most=10.0, **_CELLS), 0.1, 0.7),
    credit=Agreement(),
    step_size=AfterGoodRewards(0.01, 0.001, few=5, above=0.4),
    exploration=EpsilonGreedy(Constant(0.01)),
    discount=0.9,
    steps_per_iteration=10,
)
GRIDWORLD_COAGENTS = GRIDWORLD_AGENTS.with_fields(credit=Coagent())

# CartPole.
_WIDE: dict[str, Any] = {"low": (-3.0, -10.0, -math.pi / 2, -math.pi), "high": (3.0, 10.0, math.pi / 2, math.pi)}
_NARROW: dict[str, Any] = {"low": (-2.4, -2.0, -0.21, -2.0), "high": (2.4, 2.0, 0.21, 2.0)}
CARTPOLE_GAIN = Direct(gain=(0.4, 0.5, 5.0, 0.5))  # each variable to about -1 ... 1 in an episode that goes well
CARTPOLE_PUBLISHED = NeuronAgents(
    policy=CoagentPolicy(wiring=ModulePerAction((200,)), actors=10, constant=0.0, least=0.0, most=0.01),
    critic=TemporalDifference(FourierValue(order=5, **_WIDE), 0.001, 0.5),
    credit=ExecutedModule(),
    step_size=AfterGoodEpisodes(0.001, 1e-5, few=10, above=70.0),
    exploration=EpsilonGreedy(Constant(0.1)),
    discount=1.0,
    steps_per_iteration=10,
)
CARTPOLE_AGENTS = NeuronAgents(
    policy=CoagentPolicy(CARTPOLE_GAIN, wiring=ModulePerAction((8,)), actors=20, least=-0.3, most=0.3),
    critic=TemporalDifference(FourierValue(order=3, **_NARROW), 0.002, 0.9),
    credit=Agreement(),
    step_size=ConstantStep(0.003),
    exploration=EpsilonGreedy(Constant(0.05)),
    discount=0.99,
    trace_decay=0.9,
    steps_per_iteration=10,
)
CARTPOLE_COAGENTS = CARTPOLE_AGENTS.with_fields(credit=Coagent())

# Mountain car.
_ROAD: dict[str, Any] = {"low": (-1.2, -0.07), "high": (0.5, 0.07)}
MOUNTAIN_CAR_BINS = OneHotBins(10, amplitude=1.0, **_ROAD)
MOUNTAIN_CAR_PUBLISHED = NeuronAgents(
    policy=CoagentPolicy(
        PatternCode(10, 5, 10, low=(-1.2, -0.07), high=(1.2, 0.07)),
        wiring=SharedHidden((5,)),
        actors=20,
        least=0.0,
        most=1.0,
    ),
    critic=TemporalDifference(FourierValue(order=4, **_ROAD), 0.01, 0.5),
    credit=Coagent(),
    step_size=ConstantStep(0.1),
    exploration=EpsilonGreedy(Constant(0.1)),
    discount=1.0,
    steps_per_iteration=10,
)
MOUNTAIN_CAR_AGENTS = NeuronAgents(
    policy=CoagentPolicy(MOUNTAIN_CAR_BINS, wiring=ModulePerAction((8,)), actors=5),
    critic=TemporalDifference(TableValue(bins=20, **_ROAD), 0.1, 0.9),
    credit=Coagent(),
    step_size=ConstantStep(0.0005),
    exploration=EpsilonGreedy(Constant(0.1)),
    discount=1.0,
    trace_decay=0.9,
    steps_per_iteration=10,
)

# Four rooms: 13 x 13 cells, the agent's and the goal's, an action that fails in a third of all cases.
FOUR_ROOMS = Gymnax("FourRooms-misc")
_ROOMS: dict[str, Any] = {"low": 0.0, "high": 13.0}
FOUR_ROOMS_BINS = OneHotBins(13, amplitude=1.0, **_ROOMS)
FOUR_ROOMS_AGENTS = NeuronAgents(
    policy=CoagentPolicy(FOUR_ROOMS_BINS, wiring=ModulePerAction((8,)), actors=5),
    critic=TemporalDifference(TableValue(bins=13, **_ROOMS), 0.1, 0.7),
    credit=Agreement(),
    step_size=ConstantStep(0.005),
    exploration=EpsilonGreedy(Constant(0.05)),
    discount=0.97,
    trace_decay=0.9,
    steps_per_iteration=10,
)
FOUR_ROOMS_COAGENTS = FOUR_ROOMS_AGENTS.with_fields(credit=Coagent())


def reparameterised(encoder: AbstractEncoder) -> SpikingPolicy:
    """64 logistic neurons for 4 ticks, drawn by the binary concrete, and a linear readout of their rates."""
    neuron = BernoulliLogistic(draw=BinaryConcrete())
    return SpikingPolicy(encoder, FeedForward((64,), neuron), LinearRate(), ticks=4)


def twin(encoder: AbstractEncoder) -> AbstractPolicy:
    """64 rectified linear units on the same input, with the same readout."""
    if isinstance(encoder, Direct):
        return DeepPolicy((64,), gain=encoder.gain)
    return EncodedDeepPolicy(encoder, (64,), LinearRate())


def actor_critic(policy: AbstractPolicy, like: NeuronAgents, env_steps: int, rate: float) -> GradientActorCritic:
    """An actor-critic with the critic and the discount of neuron agents; spikes anneal over the whole budget."""
    learner = GradientActorCritic(
        policy, Adam(Constant(rate)), like.critic, discount=like.discount, trace_decay=like.critic.trace_decay
    )
    if isinstance(policy, SpikingPolicy):
        return learner.with_fields(annealing=AnnealedTemperature(LinearDecay(1.0, 0.5, env_steps)))
    return learner
