"""The command ``inspect``: a page in which a trained policy plays, and shows what its neurons do."""

import argparse
from pathlib import Path

from spikeloop.cli.opening import beside, make_console, open_run
from spikeloop.errors import InvalidInput
from spikeloop.inspection import gather, render, serve
from spikeloop.inspection.serving import require_port
from spikeloop.storage import write_atomically


def inspect(options: argparse.Namespace, rest: list[str]) -> int:
    """Write the page of a trained policy, and serve it if asked to."""
    opened = open_run(options.run, options)
    path = Path(options.out) if options.out else beside(opened, "inspect.html")
    if path.suffix != ".html":
        raise InvalidInput(f"--out must end in .html, got {path}")
    if not path.parent.is_dir():
        raise InvalidInput(f"cannot write {path}: there is no directory {path.parent}")
    if options.serve:
        require_port(options.port)
    console = make_console()
    with console.status("inspecting") as status:
        inspection = gather(
            opened,
            options.arm,
            options.policy_seed,
            options.seed,
            options.max_decisions,
            options.lesion_episodes,
            tell=status.update,
        )
        status.update("drawing the page")
        page = render(inspection)
    write_atomically(path, page.encode())
    print(f"{inspection.arm}, seed {inspection.seed}: page: {path} ({len(page) / 1e6:.1f} MB)", flush=True)
    if options.serve:
        serve(page, options.port, lambda address: print(f"serving {address} until Ctrl-C", flush=True))
    return 0
