"""Export: where a trained policy goes next, and where one comes from that was made elsewhere."""

from spikeloop.export.conventions import Convention, convention
from spikeloop.export.discrete import Discrete, Node, node_map, node_of, population_map
from spikeloop.export.files import nir_graph, read_graph, write_graph
from spikeloop.export.graph import Exported, Standardisation, export
from spikeloop.export.player import player_bytes, player_program, write_player
from spikeloop.export.policy_player import Player
from spikeloop.export.restore import Reading, imported
from spikeloop.export.sidecar import Sidecar, read_sidecar, sidecar

__all__ = [
    "Convention",
    "Discrete",
    "Exported",
    "Node",
    "Player",
    "Reading",
    "Sidecar",
    "Standardisation",
    "convention",
    "export",
    "imported",
    "nir_graph",
    "node_map",
    "node_of",
    "player_bytes",
    "player_program",
    "population_map",
    "read_graph",
    "read_sidecar",
    "sidecar",
    "write_graph",
    "write_player",
]
