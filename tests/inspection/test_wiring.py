"""The wiring is that of the parameters, whatever the policy is made of."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from spikeloop.catalogue import built_in
from spikeloop.decoders import LastMembrane, MotorGroups, SpikeRate
from spikeloop.inspection.wiring import read_out, wiring_of
from spikeloop.policies import CoagentPolicy


def test_the_readout_of_a_membrane_is_its_weights_times_what_the_leak_leaves():
    decoder = LastMembrane()
    params = decoder.init(7, 3, jax.random.key(0))
    found = read_out(decoder, params, 7, 5)
    np.testing.assert_allclose(found, params.weight * (1 - 0.5**5), rtol=1e-5)  # tau = 2: half is left of every tick


def test_the_readout_of_rates_and_groups_names_who_speaks_for_what():
    np.testing.assert_allclose(read_out(SpikeRate(), SpikeRate().init(3, 3, jax.random.key(0)), 3, 8), np.eye(3))
    groups = MotorGroups(2)
    found = np.asarray(read_out(groups, groups.init(6, 3, jax.random.key(0)), 6, 4))
    assert ((found > 0) == (np.asarray(groups.membership(3))[:, None] == np.arange(3))).all()


# One of each way that a policy of the library is built.
KINDS = (
    "cartpole", "local/cartpole", "chevtchenko2021/maze", "aenugu2020/gridworld/neuron-agents", "labady2023/recording",
    "hasegan2022/evol", "bing2019/vehicle", "zhang2022/pendulum",
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_edges_fit_the_nodes_that_they_join(name):
    experiment = built_in(name)
    learner: Any = experiment.learner
    policy, spec = learner.policy, experiment.environment.spec
    shapes = jax.eval_shape(
        lambda key: policy.init(spec.observation_size, spec.actions.output_size, key), jax.random.key(0)
    )
    found = wiring_of(policy, jax.tree.map(lambda leaf: jnp.ones(leaf.shape, leaf.dtype), shapes), spec)
    sizes = policy.populations(spec.actions.output_size)
    assert [found.nodes[place].size for place in found.populations()] == list(sizes)
    assert found.nodes[-1].kind == "output" and found.edges
    for edges in found.edges:
        assert edges.weights.shape == (found.nodes[edges.pre].size, found.nodes[edges.post].size)
        assert np.isfinite(edges.weights).all()
    reached = {edges.post for edges in found.edges}
    assert set(range(len(found.nodes))) - reached <= {0, 1}  # all but inputs, which may be a population


def test_coagents_are_blocks_that_act_as_their_weights_do():
    """With one tick and one tap the first layer's currents are inputs times the matrix, whatever the actor."""
    experiment = built_in("aenugu2020/cartpole/neuron-agents")
    policy, spec = CoagentPolicy(actors=3, taps=1), experiment.environment.spec
    params = policy.init(4, 2, jax.random.key(0))
    found = wiring_of(policy, params, spec)
    obs = jnp.asarray([0.3, -1.0, 2.0, 0.5])
    currents = policy._currents(params.weights[0], obs[None, None, None])
    biases = np.asarray(params.weights[0])[:, :, -1].ravel()
    np.testing.assert_allclose(np.asarray(obs) @ found.edges[0].weights + biases, np.ravel(currents), rtol=1e-5)
    hidden = np.asarray(found.edges[1].weights)
    assert np.count_nonzero(hidden) == params.weights[1][:, :, :-1].size < hidden.size
