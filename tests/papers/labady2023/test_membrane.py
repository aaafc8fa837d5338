"""Labady's two neurons under direct current: the numbers of NEST 3.10, the closed forms, and what a user may change."""

import json
import math

import numpy as np
import pytest

from spikeloop.errors import InvalidInput
from spikeloop.papers.labady2023 import DirectCurrentDrive
from spikeloop.papers.labady2023.membrane import source_interval


def measured(**fields):
    study = DirectCurrentDrive(**fields)
    return study.measure(study.simulate())


def test_every_number_of_the_table_is_that_of_nest(tmp_path):
    DirectCurrentDrive().carry_out(tmp_path)
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["source"] == {
        "spikes": 62, "first": 15.0, "last": 984.9, "shortest_interval": 15.9, "longest_interval": 15.9,
    }  # fmt: skip
    assert table["target"] == {
        "spikes": 31, "first": 35.7, "last": 989.5, "shortest_interval": 31.6, "longest_interval": 31.8,
    }  # fmt: skip
    current, potential = table["synaptic_current"], table["potential"]
    assert (current["arrives"], current["peak_time"], potential["peak_time"]) == (16.0, 18.0, 22.7)
    assert current["peak"] == pytest.approx(1000.0, abs=1e-3) and potential["peak"] == pytest.approx(-57.0, abs=5e-3)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table["markdown"].splitlines()[2:]]
    for label, here, peer in rows:
        assert peer == ("" if "continuous" in label else here)
    assert (tmp_path / "potentials.png").read_bytes().startswith(b"\x89PNG")


def test_the_current_is_an_alpha_function():
    """Until the second spike arrives, at 31.9 ms: w (e t/tau) exp(-t/tau), t from the arrival at 16 ms."""
    trace = DirectCurrentDrive(duration=40.0).simulate()
    window = (trace.times > 15.95) & (trace.times < 31.85)
    t = trace.times[window] - 16.0
    np.testing.assert_allclose(trace.current[window], 1000.0 * math.e * t / 2.0 * np.exp(-t / 2.0), atol=1e-9)
    assert not trace.current[trace.times < 15.95].any()


@pytest.mark.parametrize("amplitude", [390.0, 500.0, 1200.0])
def test_intervals_of_the_source_are_those_of_continuous_time_rounded_up(amplitude):
    study = DirectCurrentDrive(amplitude=amplitude, duration=300.0, resolution=0.05, weight=0.0)
    expected = source_interval(study.network.neuron, amplitude)
    found = study.measure(study.simulate())["source"]
    rounded = math.ceil(round(expected / 0.05, 6)) * 0.05
    assert found["shortest_interval"] == found["longest_interval"] == pytest.approx(rounded, abs=1e-9)


def test_below_the_rheobase_nothing_happens(tmp_path):
    """375 pA bring the potential to the threshold and no farther."""
    study = DirectCurrentDrive(amplitude=374.0, duration=200.0)
    assert source_interval(study.network.neuron, 374.0) == math.inf
    study.carry_out(tmp_path)
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["source"]["spikes"] == table["target"]["spikes"] == 0
    assert table["synaptic_current"] == {"arrives": None, "peak_time": None, "peak": None}
    assert "NEST" not in table["markdown"]


def test_one_spike_reaches_the_threshold_at_1153_8_pa():
    """15 mV over the 13.00 mV that 1000 pA bring; at h = 0.1 ms the intervals of the target are then the source's."""
    assert measured(weight=1153.0, duration=60.0)["potential"]["peak"] < -55.0
    above = measured(weight=1155.0, duration=60.0)
    assert above["potential"]["peak"] is None and above["target"]["first"] == pytest.approx(22.7, abs=0.5)


def test_inhibition_and_a_coarser_tick():
    inhibited = measured(weight=-1000.0, duration=60.0)
    assert inhibited["target"]["spikes"] == 0
    assert inhibited["synaptic_current"]["peak"] == pytest.approx(-1000.0, abs=1e-3)
    assert inhibited["potential"] == {"peak_time": 22.7, "peak": pytest.approx(-83.0, abs=5e-3)}
    coarse = measured(resolution=0.2)
    assert {coarse["source"][end] for end in ("shortest_interval", "longest_interval")} == {16.0}
    assert coarse["target"]["longest_interval"] == 32.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resolution": 0.8, "delay": 0.8, "duration": 800.0}, "t_ref must be a multiple of 0.8 ms"),
        ({"delay": 0.25}, r"DirectCurrentDrive\.delay must be a multiple of 0.1 ms"),
        ({"duration": 0.0}, r"DirectCurrentDrive\.duration must be a positive"),
        ({"weight": math.inf}, r"DirectCurrentDrive\.weight must be a finite"),
    ],
)
def test_invalid_fields(fields, message):
    with pytest.raises(InvalidInput, match=message):
        DirectCurrentDrive(**fields)


@pytest.mark.parametrize(
    "fields", [{}, {"resolution": 0.2}, {"amplitude": 700.0, "weight": -600.0, "delay": 2.5, "resolution": 0.05}]
)
def test_the_whole_trace_is_that_of_nest(fields):
    nest = pytest.importorskip("nest")
    study = DirectCurrentDrive(**fields)
    trace = study.simulate()
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.resolution = study.resolution
    neurons = nest.Create("iaf_psc_alpha", 2)
    generator = nest.Create("dc_generator", params={"amplitude": study.amplitude})
    nest.Connect(generator, neurons[0], syn_spec={"delay": study.delay})
    nest.Connect(neurons[0], neurons[1], syn_spec={"weight": study.weight, "delay": study.delay})
    channel = "I_syn_ex" if study.weight > 0 else "I_syn_in"
    meters = [nest.Create("multimeter", {"record_from": ["V_m", channel], "interval": study.resolution}) for _ in "12"]
    recorders = [nest.Create("spike_recorder") for _ in "12"]
    for neuron, meter, recorder in zip(neurons, meters, recorders, strict=True):
        nest.Connect(meter, neuron)
        nest.Connect(neuron, recorder)
    nest.Simulate(study.duration)
    recorded = len(meters[0].events["V_m"])
    assert recorded > 0.99 * len(trace.times)  # the last slice stays in NEST's buffer
    for neuron, meter in enumerate(meters):
        np.testing.assert_allclose(trace.potentials[neuron][:recorded], meter.events["V_m"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(trace.current[:recorded], meters[1].events[channel], rtol=0, atol=1e-9)
    for neuron, recorder in enumerate(recorders):
        np.testing.assert_allclose(trace.spike_times(neuron), recorder.events["times"], atol=1e-6)
