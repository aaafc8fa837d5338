"""One dynamic neuron and one of PopSAN: the table's numbers, and that the closed forms are what the simulation does."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloop.errors import InvalidInput
from spikeloop.neurons import CurrentLeakyIntegrateAndFire, DynamicNeuron
from spikeloop.papers.zhang2022 import NeuronDynamics
from spikeloop.papers.zhang2022.dynamics import (
    COUNTS,
    HAND,
    encoder_spikes,
    equilibria,
    lowest_rest,
    onset,
    rheobase,
    simulate,
    spike_counts,
)

NEURON = DynamicNeuron()


def test_every_number_of_the_table_is_the_known_one(tmp_path):
    NeuronDynamics().carry_out(tmp_path)
    table = json.loads((tmp_path / "table.json").read_text())
    np.testing.assert_allclose(table["first_ticks"], HAND, atol=6e-5)
    assert table["spikes"] == {
        name: {str(ticks): list(counts) for ticks, counts in of.items()} for name, of in COUNTS.items()
    }
    for name, current, constant_input in (("dynamic", 0.1139, 0.0569), ("popsan", 0.125, 0.0625)):
        found = table["rheobase"][name]
        assert found["current"] == pytest.approx(current, abs=5e-5)
        assert found["current"] == pytest.approx(found["current_in_theory"], abs=2e-6)
        assert found["input"] == pytest.approx(constant_input, abs=5e-5)
    assert table["equilibria"] == {"dynamic": [[0.0, True], [0.674858, False]], "popsan": [[0.0, True]]}
    assert -0.7 < table["rebound_below"]["input"] < -0.5 < table["rests_above"]["input"]
    assert table["encoder"] == {"1": "1" * 20, "0.5": "01" * 10}
    assert (tmp_path / "dynamics.png").read_bytes().startswith(b"\x89PNG")


def test_other_settings_have_nothing_to_stand_beside(tmp_path):
    study = NeuronDynamics(DynamicNeuron(theta_v=-0.3), currents=(0.2,), ticks=20)
    study.carry_out(tmp_path)
    table = json.loads((tmp_path / "table.json").read_text())
    assert "known" not in table["markdown"] and "T = 20" in table["markdown"]
    assert table["spikes"]["popsan"]["5"] == list(COUNTS["popsan"][5])
    assert table["rheobase"]["dynamic"]["current_in_theory"] == pytest.approx((1 - 0.3 / 0.529) ** 2 / 4, abs=1e-6)


@given(st.floats(-2.0, 0.11))
def test_an_equilibrium_is_left_by_no_step_and_a_stable_one_is_returned_to(current):
    for v, stable in equilibria(NEURON, current):
        u = NEURON.theta_v * v / NEURON.theta_u
        assert v * v - u + current == pytest.approx(v, abs=1e-9)
        jacobian = np.array([[2 * v, -1.0], [NEURON.theta_v, 1.0 - NEURON.theta_u]])
        away = np.linalg.matrix_power(jacobian, 400)
        assert (np.abs(away).max() < 1.0) == stable or abs(current - lowest_rest(NEURON)) < 0.02


def test_below_the_lowest_rest_the_potential_alternates():
    decay = 1.0 - NEURON.current_decay
    current = np.array([lowest_rest(NEURON) + 0.01, lowest_rest(NEURON) - 0.01])
    run = simulate(NEURON, np.tile(current * decay, (3000, 1)))
    step = np.diff(run.v[-50:], axis=0)
    assert not run.spikes.any()
    assert np.abs(step[:, 0]).max() < 1e-9
    assert (step[1:, 1] * step[:-1, 1] < 0).all() and np.abs(step[:, 1]).min() > 0.01


@pytest.mark.parametrize(
    "neuron",
    [
        DynamicNeuron(theta_v=-0.3),
        DynamicNeuron(theta_v=-0.1, current_decay=0.0),
        DynamicNeuron(threshold=0.2),  # reached before the two equilibria meet
        CurrentLeakyIntegrateAndFire(0.2, 0.9, 1.0),
    ],
)
def test_the_rheobase_is_where_theory_says(neuron):
    found = onset(neuron, 2.0 * neuron.threshold) / (1.0 - neuron.current_decay)
    assert found == pytest.approx(rheobase(neuron), abs=5e-6)


def test_popsans_neuron_is_monotone_in_its_input_and_the_dynamic_one_is_not():
    inputs = np.linspace(-2.0, 1.0, 121)
    assert (np.diff(spike_counts(CurrentLeakyIntegrateAndFire(), inputs, 100)) >= 0).all()
    dynamic = np.diff(spike_counts(NEURON, inputs, 100))
    assert (dynamic < 0).any() and (dynamic > 0).any()


@pytest.mark.parametrize(("activity", "share"), [(0.9995, 1.0), (0.25, 0.25), (0.1, 0.1)])
def test_the_deterministic_code_fires_as_often_as_its_activity(activity, share):
    assert encoder_spikes(activity).count("1") == 20 * share


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ticks": 0}, r"NeuronDynamics\.ticks must be a whole number"),
        ({"currents": (math.nan,)}, r"NeuronDynamics\.currents must be finite numbers"),
        ({"inhibition": math.inf}, r"NeuronDynamics\.inhibition must be a finite"),
        ({"dynamic": DynamicNeuron(theta_u=0.0)}, r"DynamicNeuron\.theta_u must be other than 0"),
        ({"popsan": CurrentLeakyIntegrateAndFire(1.0)}, r"LeakyIntegrateAndFire\.current_decay must be below 1"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=message):
        NeuronDynamics(**fields)
