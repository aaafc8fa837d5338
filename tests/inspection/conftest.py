"""One small inspected policy for all tests of the page."""

from pathlib import Path

import pytest
from tests.inspection.runs import untrained_run

from spikeloop.decoders import LastMembrane
from spikeloop.environments import Gymnax
from spikeloop.experiment import Experiment
from spikeloop.inspection import Inspection, gather
from spikeloop.learners import RandomSearch
from spikeloop.networks import FeedForward
from spikeloop.policies import SpikingPolicy

POLICY = SpikingPolicy(network=FeedForward((12, 6)), decoder=LastMembrane(), ticks=4)
# The name of a file that somebody else has written.
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{data}}"


@pytest.fixture(scope="session")
def inspection(tmp_path_factory) -> Inspection:
    """A policy of 12 + 6 neurons in CartPole, with a run whose name means harm."""
    experiment = Experiment(environment=Gymnax("CartPole-v1"), learner=RandomSearch(POLICY), first_seed=13)
    run = untrained_run(tmp_path_factory.mktemp("inspected") / "run", experiment, HOSTILE, scale=3.0)
    return gather(run, episodes=2, seed=1)


@pytest.fixture(scope="session")
def page(inspection, tmp_path_factory) -> Path:
    """Its page."""
    from spikeloop.inspection import write_page

    return write_page(inspection, tmp_path_factory.mktemp("page") / "page.html")
