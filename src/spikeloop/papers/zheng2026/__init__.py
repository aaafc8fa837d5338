"""Zheng et al. 2026, Strategy B: the whole spiking network is one deep Q-network (Figure 9)."""

from spikeloop.papers.zheng2026.strategy_b import draw_figure_9, draw_ticks, figure_9, ticks

__all__ = ["draw_figure_9", "draw_ticks", "figure_9", "ticks"]
