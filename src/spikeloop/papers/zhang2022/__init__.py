"""Zhang et al. 2022 (MDC-SAN) and Tang et al. 2020 (PopSAN): spiking actors for continuous control."""

from spikeloop.papers.zhang2022.codings import report_codings
from spikeloop.papers.zhang2022.dynamics import NeuronDynamics
from spikeloop.papers.zhang2022.prelearn import prelearn, report_prelearn
from spikeloop.papers.zhang2022.table_1 import table_1
from spikeloop.papers.zhang2022.tasks import codings, codings_pendulum, mujoco_experiments, pendulum, side_by_side

__all__ = [
    "NeuronDynamics",
    "codings",
    "codings_pendulum",
    "mujoco_experiments",
    "pendulum",
    "prelearn",
    "report_codings",
    "report_prelearn",
    "side_by_side",
    "table_1",
]
