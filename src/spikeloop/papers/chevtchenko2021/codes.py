"""Codes of pictures, for the cells of a maze (Chevtchenko & Ludermir 2021).

The network that comes with the library was pre-trained on 100 synthetic pictures, others than those that hang in a maze by default;
`results/binary_network.py` made it. It may look at pictures of one's own, and so may a network of one's own:

    save_network(Path("mine.safetensors"), pretrain(PictureFolder("photographs")(100)), made={})
    ImageMaze(code=BinaryNetworkCodes(PictureFolder("others"), weights="mine.safetensors"))
"""

from pathlib import Path

from spikeloop.component import require
from spikeloop.environments import AbstractCodes
from spikeloop.papers.chevtchenko2021.binary_network import FEATURES, load_network
from spikeloop.papers.chevtchenko2021.pictures import AbstractPictures, SyntheticPictures

PRETRAINED = Path(__file__).parent / "binary_network.safetensors"
PRETRAINED_ON = SyntheticPictures(seed=2021)


class BinaryNetworkCodes(AbstractCodes):
    """Codes that a pre-trained binary convolutional network makes of pictures, one picture for each cell, row by row."""

    pictures: AbstractPictures = SyntheticPictures()  # what hangs in the cells
    weights: str | None = None  # a file that `save_network` wrote; None is the network that comes with the library

    def __check_init__(self):
        require(self, "weights", lambda weights: weights != "", "the name of a file, or None")

    @property
    def bits(self):
        return FEATURES

    def __call__(self, rows, columns):
        """As above. Raises InvalidInput if the file or the pictures cannot be read."""
        network = load_network(PRETRAINED if self.weights is None else Path(self.weights))
        return network.features(self.pictures(rows * columns)).reshape(rows, columns, FEATURES)
