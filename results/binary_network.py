"""Makes the binary network that comes with the library: `python results/binary_network.py [--out FILE]`.

Pre-trains it on 100 synthetic pictures (`PRETRAINED_ON`) and writes one bit a weight, with commit and versions in the header.
It takes about a second an epoch on one core. The same seed gives the same network on the same machine only, since gradients are
sums of rounded numbers; what the written file makes of a picture is the same everywhere.
"""

import argparse
from pathlib import Path

import numpy as np

from spikeloop.component import describe
from spikeloop.papers.chevtchenko2021 import pretrain, save_network
from spikeloop.papers.chevtchenko2021.codes import PRETRAINED, PRETRAINED_ON
from spikeloop.provenance import provenance

CLASSES = 100


def main() -> None:
    """Train, say how many of the pictures the network tells apart, and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=PRETRAINED)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pictures = PRETRAINED_ON(CLASSES)

    def progress(epoch: int, loss: float) -> None:
        if (epoch + 1) % 10 == 0:
            print(f"\repoch {epoch + 1} of {options.epochs}, squared hinge {loss:.4f}", end="", flush=True)

    network = pretrain(pictures, options.epochs, options.seed, progress)
    told = int((network.answers(pictures).argmax(axis=1) == np.arange(CLASSES)).sum())
    print(f"\ntells {told} of {CLASSES} pictures apart")
    asked = {"pictures": describe(PRETRAINED_ON), "epochs": options.epochs, "seed": options.seed}
    save_network(options.out, network, {**asked, "told_apart": told, **provenance()})


if __name__ == "__main__":
    main()
