"""Inspection: one page in which a trained policy plays, and shows what its neurons do and what they are worth.

gather(run) -> Inspection     an episode, wiring, tuning maps, lesions, sensitivities, weights that moved
write_page(inspection, path)  one HTML file that opens from disk
serve(page, port)             the same on the loopback address
"""

from typing import TYPE_CHECKING

from spikeloop.inspection.serving import serve
from spikeloop.lazy import lookup

if TYPE_CHECKING:
    from spikeloop.inspection.gathering import Decisions, Inspection, Maps, gather
    from spikeloop.inspection.page import render, write_page
    from spikeloop.inspection.wiring import Edges, Nodes, Wiring, wiring_of

__all__ = [
    "Decisions",
    "Edges",
    "Inspection",
    "Maps",
    "Nodes",
    "Wiring",
    "gather",
    "render",
    "serve",
    "wiring_of",
    "write_page",
]

# Looked up on first use: to serve a page needs neither JAX nor Matplotlib.
_HOMES = {
    "gathering": ("Decisions", "Inspection", "Maps", "gather"),
    "page": ("render", "write_page"),
    "wiring": ("Edges", "Nodes", "Wiring", "wiring_of"),
}
__getattr__ = lookup(
    __name__, {name: f"spikeloop.inspection.{module}" for module, names in _HOMES.items() for name in names}
)
