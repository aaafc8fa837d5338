"""Chevtchenko & Ludermir 2021: a maze of pictures, learned by place and action cells from a single sparse reward."""

from spikeloop.papers.chevtchenko2021.maze import ablations, maze, report_maze

__all__ = ["ablations", "maze", "report_maze"]
