"""Encoders, networks and decoders as parts of a program for the NumPy player."""

import math
from typing import Any

import jax
import numpy as np

from spikeloop import decoders, encoders, networks, neurons
from spikeloop.encoders.place_cells import cells_along
from spikeloop.errors import InvalidInput
from spikeloop.export.discrete import Discrete, population_map
from spikeloop.networks.circuit import side_by_side_neuron
from spikeloop.neurons import rule_based

Part = dict[str, Any]


def linear_part(layer: Any) -> Part:
    """A full connection."""
    return {"weight": layer.weight, "bias": layer.bias}


def encoder_part(encoder: Any, params: Any, obs: int) -> Part:
    """An encoder. Raises InvalidInput for one that the player does not know."""
    ends = {name: getattr(encoder, name) for name in ("low", "high") if hasattr(encoder, name)}
    if isinstance(encoder, encoders.Direct):
        return {"kind": "direct", "gain": encoder.gain}
    if isinstance(encoder, encoders.TwoNeurons):
        return {"kind": "two_neurons", "gain": encoder.gain}
    if isinstance(encoder, encoders.OneHotBins):
        rows = np.float32(encoder.amplitude) * np.eye(encoder.bins, dtype=np.float32)
        return {"kind": "table", **ends, "levels": encoder.bins, "rows": rows}
    if isinstance(encoder, encoders.PatternCode):
        return {"kind": "table", **ends, "levels": encoder.levels, "rows": encoder._patterns()}
    if isinstance(encoder, encoders.NormalBins):
        fields = ("bins", "mean", "deviation", "amplitude")
        return {"kind": "normal_bins", **{name: getattr(encoder, name) for name in fields}}
    if isinstance(encoder, encoders.CombinationCode):
        codes = encoder._codes(encoder.levels**obs)
        return {"kind": "combination", **ends, "levels": encoder.levels, "codes": codes}
    if isinstance(encoder, encoders.PlaceCells | encoders.RegularPlaceCells):
        made = {"kind": "place", **ends, "cells": list(cells_along(encoder.cells, obs))}
        made |= {"width": encoder.width, "rate": encoder.rate}
        if isinstance(encoder, encoders.PlaceCells):
            return made
        return {**made, "fires": 1.0, "strict": False, "start": params}
    if isinstance(encoder, encoders.PopulationCode | encoders.DeterministicPopulationCode):
        variance = np.maximum(params.deviation**2, np.float32(encoder.least_deviation**2))
        made = {"kind": "population", "mean": params.mean, "variance": variance}
        if isinstance(encoder, encoders.PopulationCode):
            return made
        return {**made, "fires": encoder.threshold, "strict": True, "start": 0.0}
    raise InvalidInput(f"the player does not know the encoder {type(encoder).__name__}")


def network_part(network: Any, params: Any) -> Part:
    """A network. Raises InvalidInput for one that the player does not know."""
    spikes = isinstance(network, networks.SpikingInputs)
    if spikes:
        inner = network_part(network.network, params)
        if inner["kind"] == "layers":
            return {**inner, "inputs_spike": True}
    if isinstance(network, networks.FeedForward | networks.Chain):
        if isinstance(network, networks.FeedForward):
            kinds = [(network.neuron, layer.bias.shape[0]) for layer in params]
        else:
            kinds = [(link.neuron, link.size) for link in network.links]
        layers = [
            {"weight": layer.weight, "bias": layer.bias, "neuron": _neuron(neuron.bind(layer.neuron), size)}
            for (neuron, size), layer in zip(kinds, params, strict=True)
        ]
        return {"kind": "layers", "inputs_spike": False, "layers": layers}
    if isinstance(network, networks.DelayedFeedForward):
        return _delayed(network, params)
    if isinstance(network, networks.Circuit):
        return _circuit(network, params)
    raise InvalidInput(f"the player does not know the network {type(network).__name__}")


def _neuron(neuron: Any, size: int) -> Part:
    if isinstance(neuron, neurons.DynamicNeuron):
        names = ("theta_v", "theta_u", "theta_r", "theta_s", "current_decay", "threshold")
        return {"kind": "dynamic", **{name: np.asarray(getattr(neuron, name), np.float32) for name in names}}
    if isinstance(neuron, neurons.RuleBasedNeuron):
        return _rule_based(neuron, list(rule_based.RECEPTORS))
    if isinstance(neuron, neurons.Integrator | neurons.LeakyIntegrator):
        # It never fires: no potential reaches infinity.
        kept = 1.0 if isinstance(neuron, neurons.Integrator) else 1.0 - 1.0 / neuron.tau
        gain = 1.0 if isinstance(neuron, neurons.Integrator) else 1.0 / neuron.tau
        one, far = np.ones(size), np.full(size, np.inf)
        return _map(Discrete("LI", kept * one, gain * one, 0.0 * one, threshold=far, reset=0.0 * one))
    try:
        return _map(population_map(neuron, size))
    except InvalidInput:
        raise InvalidInput(f"the player does not know the neuron {type(neuron).__name__}") from None


def _map(made: Discrete) -> Part:
    names = ("decay", "gain", "rest", "current_decay", "current_gain", "threshold", "reset")
    held = {name: getattr(made, name) for name in names}
    numbers = {name: _short(value) for name, value in held.items() if value is not None}
    return {
        "kind": "map",
        **numbers,
        "fires_at_threshold": made.fires_at_threshold,
        "soft_reset": made.soft_reset,
    }


def _short(value: np.ndarray) -> np.ndarray:
    """One number in the place of many equal ones."""
    value = np.asarray(value, np.float32)
    return value[:1] if value.size and (value == value[0]).all() else value


def _delayed(network: Any, params: Any) -> Part:
    neuron = network.neuron
    delays = network._delays(len(params) + 1)
    leak = math.expm1(-neuron.resolution / neuron.tau_m)

    def channel(tau: float) -> Part:
        step = neuron.propagator(tau)
        names = ("decay", "rise_to_current", "rise_to_v", "current_to_v")
        return {**{name: getattr(step, name) for name in names}, "jump": math.e / tau}

    return {
        "kind": "delayed",
        "delays": delays,
        "weights": list(params),
        "scale": network.weight_scale,
        "leak": leak,
        "direct": -leak * neuron.tau_m / neuron.c_m,
        "i_e": neuron.i_e,
        "v_min": np.asarray(neuron.v_min - neuron.e_l),
        "threshold": neuron.v_th - neuron.e_l,
        "reset": neuron.v_reset - neuron.e_l,
        "held": neuron.ticks(neuron.t_ref),
        "excitatory": channel(neuron.tau_excitatory),
        "inhibitory": channel(neuron.tau_inhibitory),
    }


def _circuit(network: Any, params: Any) -> Part:
    populations = network.populations
    places = {population.name: place for place, population in enumerate(populations)}
    state = jax.device_get(network.init_state(params))
    kinds = [
        kind
        for kind in rule_based.RECEPTORS
        if any(getattr(neurons.potentials, kind) is not None for neurons in state.neurons)
    ]
    alike = network.event_sizes()
    return {
        "kind": "circuit",
        "sizes": [population.size for population in populations],
        "longest": state.history.shape[0],
        "source_delay": state.coming.shape[0],
        "source_weight": network.source.weight,
        "resolution": network.resolution,
        "outgoing": [
            {
                "matrix": np.asarray(sent.matrix),
                "pre": places[sent.pre],
                "places": list(sent.places),
                "targets": [
                    [places[one.post], f"{one.kind} counted" if one.counted else one.kind] for one in sent.targets
                ],
            }
            for sent in network.outgoing(params, list(places))
        ],
        "event_sizes": {
            kind: np.concatenate(
                [np.full(one.size, alike.get((one.name, kind)) or 0.0, np.float32) for one in populations]
            )
            for kind in kinds
            if kind in rule_based.COUNTED
        },
        "neuron": _rule_based(side_by_side_neuron(populations), kinds),
    }


def _rule_based(neuron: Any, kinds: list[str]) -> Part:
    def number(value: Any) -> np.ndarray:
        return np.asarray(value, np.float32)

    names = ("rest", "threshold", "block", "ahp_weight", "raised_share")
    return {
        "kind": "rule_based",
        "kinds": kinds,
        **{name: number(getattr(neuron, name)) for name in names},
        "decays": {name: number(neuron.decay(name)) for name in (*kinds, "ahp", "raised")},
        "held": number(neuron._held()),
        "reversals": {name: rule_based.REVERSALS[name] for name in kinds},
        "magnesium": rule_based.MAGNESIUM,
    }


MEMBRANES = {
    decoders.LastMembrane: "last",
    decoders.MeanMembrane: "mean",
    decoders.MaxMembrane: "max",
    decoders.MaxAbsMembrane: "max_abs",
}


def decoder_part(decoder: Any, params: Any, out: int) -> Part:
    """A decoder. Raises InvalidInput for one that the player does not know."""
    if isinstance(decoder, tuple(MEMBRANES)):
        leaky = isinstance(decoder.neuron, neurons.LeakyIntegrator)
        lost = 1.0 / decoder.neuron.tau if leaky else 0.0
        numbers = {"decay": 1.0 - lost, "gain": lost if leaky else 1.0, "rest": 0.0}
        held = {name: np.float32(value) for name, value in numbers.items()}
        return {"kind": "membrane", "reading": MEMBRANES[type(decoder)], **linear_part(params), **held}
    if isinstance(decoder, decoders.AbstractNIRReadout):
        leaky = isinstance(decoder, decoders.NIRLeakyReadout)
        numbers = {name: np.asarray(value, np.float32) for name, value in params.numbers.items()}
        lost = np.float32(decoder.dt) / numbers["tau"] if leaky else np.float32(decoder.dt)
        held = {"decay": np.float32(1) - lost if leaky else np.float32(1), "gain": lost * numbers["r"]}
        rest = lost * numbers["v_leak"] if leaky else np.float32(0)
        return {"kind": "membrane", "reading": "last", **linear_part(params), **held, "rest": rest}
    if isinstance(decoder, decoders.LinearRate):
        return {"kind": "linear", **linear_part(params)}
    if isinstance(decoder, decoders.PopulationRate):
        return {"kind": "population", **linear_part(params)}
    if isinstance(decoder, decoders.SpikeCountChoice):
        return {"kind": "choice", "otherwise": decoder.otherwise}
    if isinstance(decoder, decoders.MotorGroups):
        return {"kind": "groups", "neurons": [int(n) for n in np.bincount(decoder.membership(out), minlength=out)]}
    if isinstance(decoder, decoders.OpposedCounts):
        return {"kind": "opposed", "most": decoder.most}
    if isinstance(decoder, decoders.SpikeRate):
        return {"kind": "rate"}
    raise InvalidInput(f"the player does not know the decoder {type(decoder).__name__}")
