"""Bhargava et al. 2022: synapses of a perceptron that learn by a shared table of values (SynRL), on the linear toy."""

from spikeloop.papers.bhargava2022.linear import LinearToy, Outcome, adaptive, linear_toy, static

__all__ = ["LinearToy", "Outcome", "adaptive", "linear_toy", "static"]
