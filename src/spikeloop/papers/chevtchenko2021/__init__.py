"""Chevtchenko & Ludermir 2021: a maze of pictures, learned by place and action cells from a single sparse reward."""

from spikeloop.papers.chevtchenko2021.binary_network import BinaryNetwork, load_network, save_network
from spikeloop.papers.chevtchenko2021.codes import BinaryNetworkCodes
from spikeloop.papers.chevtchenko2021.maze import ablations, maze, report_maze
from spikeloop.papers.chevtchenko2021.pictures import AbstractPictures, PictureFolder, SyntheticPictures
from spikeloop.papers.chevtchenko2021.pretraining import pretrain

__all__ = [
    "AbstractPictures",
    "BinaryNetwork",
    "BinaryNetworkCodes",
    "PictureFolder",
    "SyntheticPictures",
    "ablations",
    "load_network",
    "maze",
    "pretrain",
    "report_maze",
    "save_network",
]
