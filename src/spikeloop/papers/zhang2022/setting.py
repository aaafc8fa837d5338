"""What the experiments of Zhang et al. 2022 share: the actors and how TD3 trains them.

    DAN       256, relu, 256, relu, tanh                                             learning rate 1e-3
    Pop-DAN   population code, 256, relu, 256, relu, group decoder, tanh             learning rate 1e-3
    MDC-SAN   population code, 256 and 256 dynamic neurons, group decoder, tanh      learning rate 1e-4
    PopSAN    spiking population code, 256 and 256 current-based LIF, group decoder, tanh    1e-4   (Tang et al. 2020)

    critics 256, relu, 256, relu, 1 at 1e-3; gamma 0.99; tau 0.005; replay 1e6; batch 100; noise 0.1, 0.2 clipped at 0.5;
    policy delay 2

What the paper leaves out is PopSAN's: 5 ticks, 10 neurons for each output, standardised observations within 3 deviations, 10,000
random steps, updates from step 1,000 on, 50 updates after every 50 steps.
"""

from spikeloop.decoders import PopulationRate
from spikeloop.encoders import AbstractEncoder, BernoulliPopulationCode, DeterministicPopulationCode, PopulationCode
from spikeloop.interaction import Constant, GaussianNoise, Replay
from spikeloop.learners import TD3, Adam
from spikeloop.networks import FeedForward
from spikeloop.neurons import AbstractNeuron, CurrentLeakyIntegrateAndFire, DynamicNeuron
from spikeloop.policies import AbstractPolicy, DeepPolicy, EncodedDeepPolicy, SpikingPolicy

WIDTHS = (256, 256)
TICKS = 5


def spiking_actor(encoder: AbstractEncoder, neuron: AbstractNeuron) -> SpikingPolicy:
    """An actor of two populations of 256 neurons, and one of ten for each output."""
    return SpikingPolicy(encoder, FeedForward(WIDTHS, neuron), PopulationRate(), TICKS)


MDC_SAN = spiking_actor(PopulationCode(), DynamicNeuron())
POPSAN = spiking_actor(DeterministicPopulationCode(), CurrentLeakyIntegrateAndFire())
POPSAN_BERNOULLI = spiking_actor(BernoulliPopulationCode(), CurrentLeakyIntegrateAndFire())  # Hopper and Walker2d
POP_DAN = EncodedDeepPolicy(PopulationCode(), WIDTHS, PopulationRate())
DAN = DeepPolicy(WIDTHS)


def td3(actor: AbstractPolicy, env_steps: int, random_steps: int = 10_000) -> TD3:
    """TD3 as the papers set it. The replay holds as much as there is to keep, up to a million transitions."""
    rate = 1e-4 if isinstance(actor, SpikingPolicy) else 1e-3
    return TD3(
        actor,
        optimizer=Adam(Constant(rate)),
        exploration=GaussianNoise(0.1, random_steps),
        replay=Replay(min(env_steps, 1_000_000)),
    )
