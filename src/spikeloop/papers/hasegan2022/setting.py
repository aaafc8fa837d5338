"""What the experiments of Hasegan et al. 2022 share: the circuit of 200 neurons, its inputs and its choice of actions.

    ES 80 --> EA 40 --> EM 40 (left 20, right 20)       each E with fast (I) and slow (IL) inhibitory neurons, 10 of each

Weights are those of their configuration times the gains of a class: E to E 2, E to I 3, I to E 2, I to I 1.
"""

from spikeloop.decoders import MotorGroups
from spikeloop.encoders import NormalBins
from spikeloop.environments import Gymnax
from spikeloop.networks import (
    AbstractProjection,
    Circuit,
    FixedProjection,
    Population,
    RegularSource,
    TrainableProjection,
)
from spikeloop.neurons import RuleBasedNeuron
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy

ENVIRONMENT = Gymnax("CartPole-v1")
RESOLUTION = 1.0  # ms; the refractory time of inhibitory cells, 2.5 ms, ends within the third tick
DECISION = 50.0  # ms
SLOW = (3.0, 12.0)  # delays of synapses of slow inhibitory neurons, ms

EXCITATORY = RuleBasedNeuron(resolution=RESOLUTION)
FAST = RuleBasedNeuron(
    rest=-63.0, block=-10.0, refractory=3.0, tau_raised=1.5, raised_share=0.25, ahp_weight=0.5, tau_ahp=50.0,
    resolution=RESOLUTION,
)  # fmt: skip
SLOW_CELL = FAST.with_fields(rest=-65.0, threshold=-47.0)

POPULATIONS = (
    Population("ES", 80, EXCITATORY),
    Population("EA", 40, EXCITATORY),
    Population("IA", 10, FAST),
    Population("IAL", 10, SLOW_CELL),
    Population("IM", 10, FAST),
    Population("IML", 10, SLOW_CELL),
    Population("EM", 40, EXCITATORY),
)
SENSORY = TrainableProjection("ES", "EA", 25, ampa2=10.0, nmda2=0.196)
MOTOR = TrainableProjection("EA", "EM", 20, ampa2=6.5, nmda2=0.1)


def inhibition(e: str, i: str, il: str) -> tuple[AbstractProjection, ...]:
    """How a population of excitatory neurons is inhibited: all but what excites the inhibitory neurons."""
    return (
        FixedProjection(i, e, 4, gaba=18.0),
        FixedProjection(i, i, 1, gaba=4.5),
        FixedProjection(i, il, 2, gaba=4.5),
        FixedProjection(il, e, 4, gaba2=5.0, delay=SLOW),
        FixedProjection(il, i, 2, gaba2=2.25, delay=SLOW),
        FixedProjection(il, il, 1, gaba2=5.5, delay=SLOW),
    )


def circuit(sensory: AbstractProjection = SENSORY) -> Circuit:
    """The network of the paper; with a fixed sensory projection only the motor one is trained."""
    return Circuit(
        POPULATIONS,
        (
            sensory,
            MOTOR,
            FixedProjection("EA", "IA", 15, ampa2=5.85, nmda2=0.0585),
            FixedProjection("EA", "IAL", 15, ampa2=5.94, nmda2=0.294),
            FixedProjection("EM", "IM", 16, ampa2=5.85, nmda2=0.0585),
            FixedProjection("EM", "IML", 16, ampa2=2.94, nmda2=0.294),
            *inhibition("EA", "IA", "IAL"),
            *inhibition("EM", "IM", "IML"),
        ),
        RegularSource(weight=35.0, delay=1.0),
    )


# Position, velocity, angle and angular velocity, as a trained model met them.
BINS = NormalBins(
    bins=20,
    mean=(-0.00645789, -0.03634136, 0.00529333, 0.04752025),
    deviation=(1.0, 0.53989509, 0.09129902, 0.82070579),
    amplitude=50.0,
)
FIXED_SENSORY = FixedProjection("ES", "EA", 25, ampa2=10.0, nmda2=0.196, spread=0.5)


def policy(network: Circuit) -> SpikingPolicy:
    """A decision of 50 ms, from where the last one left the neurons; the motor half that fires more acts."""
    return SpikingPolicy(BINS, network, MotorGroups(20), round(DECISION / RESOLUTION), KeepBetweenDecisions())
