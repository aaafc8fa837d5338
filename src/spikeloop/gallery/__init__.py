"""The library's own experiments: the recipes that work, and what each of their ingredients is worth."""

from spikeloop.gallery.evolution import (
    evolution_acrobot,
    evolution_cartpole,
    evolution_mountain_car,
    evolution_pendulum,
)
from spikeloop.gallery.evolution_report import report_evolution
from spikeloop.gallery.local import local_acrobot, local_actor_critic, local_cartpole, local_ledger, local_mountain_car
from spikeloop.gallery.q_learning import (
    acrobot,
    cartpole,
    cartpole_ablation,
    cartpole_tuning,
    mountain_car,
    q_learning,
    spiking,
)
from spikeloop.gallery.synapse_reports import report_ledger, report_table, report_weights
from spikeloop.gallery.synapses import (
    controller,
    synapses_acrobot,
    synapses_cartpole,
    synapses_ledger,
    synapses_mountain_car,
    synapses_table,
)

__all__ = [
    "acrobot",
    "cartpole",
    "cartpole_ablation",
    "cartpole_tuning",
    "controller",
    "evolution_acrobot",
    "evolution_cartpole",
    "evolution_mountain_car",
    "evolution_pendulum",
    "local_acrobot",
    "local_actor_critic",
    "local_cartpole",
    "local_ledger",
    "local_mountain_car",
    "mountain_car",
    "q_learning",
    "report_evolution",
    "report_ledger",
    "report_table",
    "report_weights",
    "spiking",
    "synapses_acrobot",
    "synapses_cartpole",
    "synapses_ledger",
    "synapses_mountain_car",
    "synapses_table",
]
