"""Hasegan et al. 2022: reward-modulated STDP and evolution in the same spiking circuit (STDP-RL, EVOL)."""
