"""The page: one HTML file with everything in it, that opens from disk and asks no network for anything.

Its sources lie in `front/`: plain modules and a style sheet that are put into the page as they are, and uPlot, which draws
curves. Names come from files of experiments that somebody else may have written, so all text is escaped; the page forbids
itself to load anything.
"""

import html
import json
import re
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from spikeloop.inspection.data import page_data
from spikeloop.inspection.gathering import Inspection
from spikeloop.inspection.tables import about, facts, inputs_table, lesion_table, summary, title, weights_table
from spikeloop.storage import write_atomically

# In the order of what needs what: a module may use those before it.
MODULES = (
    "arrays.js", "theme.js", "clock.js", "scene.js", "raster.js", "curves.js", "lanes.js", "player.js", "graph.js",
    "neuron.js", "lesions.js", "weights.js", "main.js",
)  # fmt: skip


def render(inspection: Inspection) -> str:
    """The page of an inspection."""
    data, packer = page_data(inspection)
    parts = {
        "version": html.escape(metadata.version("spikeloop")),
        "title": html.escape(title(inspection)),
        "facts": facts(inspection),
        "summary": summary(inspection),
        "lesions": lesion_table(inspection),
        "inputs": inputs_table(inspection),
        "weights": weights_table(inspection),
        "about": about(inspection, data["cuts"]),
        "style": source("vendor/uPlot.min.css") + source("style.css"),
        "uplot": source("vendor/uPlot.iife.min.js"),
        "script": bundle(),
        "data": script_json(data),
        "arrays": packer.text(),
    }
    # One pass, so that what is put in is never looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], source("page.html"))


def write_page(inspection: Inspection, path: Path) -> Path:
    """Write the page of an inspection, whole or not at all; returns the path. Raises InvalidInput if it cannot be written."""
    write_atomically(path, render(inspection).encode())
    return path


def script_json(value: Any) -> str:
    """JSON that nothing in it can end the script that holds it; not-a-number is null."""
    text = json.dumps(_finite(value), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def bundle() -> str:
    """All modules as one: what they import from each other is in the same scope already."""
    return "\n".join(
        re.sub(r"^import .*?;\n|^export (?=(const|let|function|class|async) )", "", source(name), flags=re.M)
        for name in MODULES
    )


def source(name: str) -> str:
    """A file of the front end."""
    return resources.files("spikeloop.inspection").joinpath("front", name).read_text(encoding="utf-8")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, dict):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
