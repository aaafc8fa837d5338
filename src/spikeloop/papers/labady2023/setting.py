"""What Labady's Mountain Car experiments share: the network as a policy, the world, and the genetic algorithm.

The report takes the task from Learning to Learn (Yegenoglu et al. 2022) and gives few numbers; what it leaves open is as in
the public program of that paper:

    network    30 + 30 inputs, one for each bin of position and of velocity; 5 hidden neurons; 3 outputs: 315 genes
    decision   20 ms in ticks of 0.2 ms, the two inputs of the state driven by 40 000 pA; nothing is reset in between;
               left or right if its neuron fires more than every other, else no push
    fitness    the largest position of the episode, which ends at 0.5 or at the step limit
    evolution  32 individuals, tournaments of 4, blend crossover (0.7, alpha 0.5), Gaussian mutation (0.7 of the individuals,
               0.45 of their genes, sigma 1), genes within +-20, of 100 pA each; all individuals of a generation start alike
"""

from spikeloop.decoders import SpikeCountChoice
from spikeloop.encoders import OneHotBins
from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment, Reference
from spikeloop.interaction import LargestObservation
from spikeloop.learners import AbstractLearner, Evolution
from spikeloop.learners.strategies import Clipped, Genetic, OnlyChanged
from spikeloop.networks import DelayedFeedForward
from spikeloop.neurons import AlphaCurrentLeakyIntegrateAndFire
from spikeloop.policies import KeepBetweenDecisions, SpikingPolicy
from spikeloop.run import Run
from spikeloop.training import Protocol

GENE_RANGE = 20.0
GOAL = 0.5  # position of the flag
GYM_STEPS = 200  # the time limit of MountainCar-v0, Labady's Figure 12
L2L_STEPS = 109  # Learning to Learn's loop from 1 to 109; the paper says 110
ACTIONS = ("left", "none", "right")
FITNESS = LargestObservation(0)
MOUNTAIN_CAR = SpikingPolicy(
    encoder=OneHotBins(30, low=(-1.2, -0.07), high=(0.6, 0.07)),
    network=DelayedFeedForward(
        (60, 5), AlphaCurrentLeakyIntegrateAndFire(t_ref=1.0, resolution=0.2), gene_range=GENE_RANGE
    ),
    decoder=SpikeCountChoice(),
    ticks=100,
    between_decisions=KeepBetweenDecisions(),
)


def evolution() -> Evolution:
    """The genetic algorithm of Learning to Learn on the weights of the network."""
    strategy = Genetic(
        population=32,
        tournament=4,
        crossover_probability=0.7,
        blend=0.5,
        mutation_probability=0.7,
        gene_probability=0.45,
        sigma=1.0,
        bounds=Clipped(-GENE_RANGE, GENE_RANGE),
        remeasuring=OnlyChanged(),
        hall_of_fame=20,
    )
    return Evolution(MOUNTAIN_CAR, strategy, score=FITNESS)


def experiment(
    max_steps: int,
    generations: int,
    seeds: int,
    reference: Reference,
    controls: dict[str, AbstractLearner] | None = None,
) -> Experiment:
    """The network evolved for so many generations, each of which is recorded; an episode has at most so many steps."""
    return Experiment(
        environment=Gymnax("MountainCar-v0", max_steps),
        learner=evolution(),
        label="evolution",
        controls=controls or {},
        protocol=Protocol(
            env_steps=20_000_000,  # above what the generations can take: 32 individuals of 200 steps, 3000 times
            iterations=generations,
            records=None,
            evaluations=1,
            evaluation_episodes=100,
            final_episodes=100,
        ),
        seeds=seeds,
        reference=reference,
    )


def spiking_policy(run: Run) -> SpikingPolicy | None:
    """The network that a run evolves on Mountain Car; None if another world, learner or form of network was put in its place."""
    world, learner = run.experiment.environment, run.experiment.learner
    if not (isinstance(world, Gymnax) and world.name == "MountainCar-v0" and isinstance(learner, Evolution)):
        return None
    policy = learner.policy
    if not (isinstance(policy, SpikingPolicy) and isinstance(policy.encoder, OneHotBins)):
        return None
    return policy if isinstance(policy.network, DelayedFeedForward) and policy.populations(3)[-1] == 3 else None


def window(policy: SpikingPolicy) -> float:
    """How long a decision takes, ms."""
    assert isinstance(policy.network, DelayedFeedForward)
    return policy.ticks * policy.network.neuron.resolution
