"""Labady's STDP in its modes: the final weights, the windows in closed form, and the draws of Poisson trains."""

import json
import math

import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.papers.labady2023 import PlasticityModes
from spikeloop.papers.labady2023.plasticity import Trains, evolve
from spikeloop.plasticity import STDP, FusedSTDP

SPIKES_PLUS, SPIKES_MINUS, FUSED_PLUS, FUSED_MINUS = PlasticityModes().modes


def test_final_weights_are_those_of_an_independent_program(tmp_path):
    PlasticityModes(draws=20).carry_out(tmp_path)
    table = json.loads((tmp_path / "table.json").read_text())
    expected = {
        "pre first": [548.1, 575.9, 8.6, 985.9],
        "post first": [451.9, 583.8, 8.4, 990.7],
        "Poisson": [497.0, 648.0, 1.6, 994.7],
    }
    for name, weights in expected.items():
        assert list(table["final_weight"][name].values()) == pytest.approx(weights, abs=0.1)
    for figure in ("weights.png", "window.png"):
        assert (tmp_path / figure).read_bytes().startswith(b"\x89PNG")


def test_the_modes_are_two_forms_with_either_sign():
    modes = PlasticityModes(rule=STDP(alpha=2.0, rate=0.02)).modes
    assert [(type(rule), rule.alpha, rule.rate) for rule in modes.values()] == [
        (STDP, 2.0, 0.02), (STDP, -2.0, 0.02), (FusedSTDP, 2.0, 0.02), (FusedSTDP, -2.0, 0.02),
    ]  # fmt: skip


def test_windows_at_spikes_are_exponentials():
    """From half of w_max with mu = 1 and lambda = 0.01: a step of 5 at lag 0; coincident spikes depress."""
    lags, windows = PlasticityModes().windows()
    height = 5.0 * np.exp(-np.abs(lags) / 20.0)
    np.testing.assert_allclose(windows[SPIKES_PLUS], np.where(lags > 0, height, -height), rtol=1e-9)
    np.testing.assert_allclose(windows[SPIKES_MINUS], height, rtol=1e-9)


def test_the_fused_formula_depresses_whatever_the_presynaptic_neuron_does():
    """alpha = +1: every tick multiplies the weight by 1 - lambda y, and no trace of the other side is in it."""
    _, windows = PlasticityModes().windows()
    left = 500.0 * np.prod(1.0 - 0.01 * np.exp(-np.arange(2000) / 20.0))
    np.testing.assert_allclose(windows[FUSED_PLUS], left - 500.0, rtol=1e-6)
    rng = np.random.default_rng(2)
    spikes, silence = (rng.random(500) < 0.1).astype(float), np.zeros(500)
    with_pre = evolve(FusedSTDP(), 500.0, Trains(spikes[::-1].copy(), spikes))
    np.testing.assert_array_equal(with_pre, evolve(FusedSTDP(), 500.0, Trains(silence, spikes)))


def test_the_fused_formula_potentiates_only_while_both_traces_live():
    """alpha = -1: the smaller of both steps, so either train alone changes nothing."""
    _, windows = PlasticityModes().windows()
    assert (windows[FUSED_MINUS] > 0).all()
    spikes, silence = np.ones(50), np.zeros(50)
    for trains in (Trains(spikes, silence), Trains(silence, spikes)):
        np.testing.assert_array_equal(evolve(FusedSTDP(alpha=-1.0), 500.0, trains), 500.0)


def test_pairs_and_poisson_trains():
    study = PlasticityModes(draws=400)
    pairs = study.pairs()
    np.testing.assert_array_equal(np.flatnonzero(pairs.pre), np.arange(10, 1000, 50))
    np.testing.assert_array_equal(np.flatnonzero(pairs.post), np.arange(20, 1000, 50))
    poisson = study.poisson()
    # Counts of 20 a second: of 400 trains the mean is within 5 standard errors, sqrt(20 / 400) each.
    for train in (poisson.pre, poisson.post):
        assert abs(train.sum(axis=1).mean() - 20.0) < 5.0 * math.sqrt(20.0 / 400)
    together = (poisson.pre * poisson.post).sum() / poisson.pre.sum()
    assert together == pytest.approx(0.02, abs=0.01)  # independent: as likely in a tick with a spike as in any
    # The first draw, and so the figure, does not hang on how many there are.
    np.testing.assert_array_equal(PlasticityModes(draws=1).poisson().post[0], poisson.post[0])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"start": 1200.0}, "start must be between w_min and w_max"),
        ({"lag": 0.5}, "lag must be a multiple of 1 ms"),
        ({"frequency": 97.0}, "frequency must be such that two pairs are more than a lag of 10 ms apart, got 97"),
        ({"frequency": 5e-324}, "frequency must be such that"),
        ({"draws": 0}, "draws must be a whole number"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=message):
        PlasticityModes(**fields)
