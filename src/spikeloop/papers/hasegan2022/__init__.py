"""Hasegan et al. 2022: reward-modulated STDP and evolution in the same spiking circuit (STDP-RL, EVOL)."""

from spikeloop.papers.hasegan2022.evol import evol

__all__ = ["evol"]
