"""Zheng et al. 2026: every synapse an agent (Strategy A), and the whole spiking network one deep Q-network (Strategy B)."""

from spikeloop.papers.zheng2026.strategy_a import (
    figure_2,
    figure_3,
    figure_4,
    figure_5,
    figure_6,
    figure_7,
    figure_8,
    readings,
    report_figure_2,
    report_figure_3,
    report_readings,
    report_table_2,
    table_2,
)
from spikeloop.papers.zheng2026.strategy_b import draw_figure_9, draw_ticks, figure_9, ticks

__all__ = [
    "draw_figure_9",
    "draw_ticks",
    "figure_2",
    "figure_3",
    "figure_4",
    "figure_5",
    "figure_6",
    "figure_7",
    "figure_8",
    "figure_9",
    "readings",
    "report_figure_2",
    "report_figure_3",
    "report_readings",
    "report_table_2",
    "table_2",
    "ticks",
]
