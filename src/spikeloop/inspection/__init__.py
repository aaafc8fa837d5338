"""Inspection: one page in which a trained policy plays, and shows what its neurons do and what they are worth.

gather(run) -> Inspection     an episode, wiring, tuning maps, lesions, sensitivities, weights that moved
write_page(inspection, path)  one HTML file that opens from disk
serve(page, port)             the same on the loopback address
"""

from spikeloop.inspection.gathering import Decisions, Inspection, Maps, gather
from spikeloop.inspection.page import render, write_page
from spikeloop.inspection.serving import serve
from spikeloop.inspection.wiring import Edges, Nodes, Wiring, wiring

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
    "wiring",
    "write_page",
]
