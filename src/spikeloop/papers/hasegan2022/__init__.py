"""Hasegan et al. 2022: reward-modulated STDP and evolution in the same spiking circuit (STDP-RL, EVOL)."""

from spikeloop.papers.hasegan2022.critic import UprightCritic
from spikeloop.papers.hasegan2022.evol import evol
from spikeloop.papers.hasegan2022.stdp_rl import stdp_rl

__all__ = ["UprightCritic", "evol", "stdp_rl"]
