"""Ready-made policies: trained ones that come with the library, so that nothing needs training first.

Each is a finished run cut down to one seed, the one of median score, and to the learner and its deep twin: a run directory like
any other, under `trained/NAME`, where NAME is that of the experiment. Wherever a run's directory is asked for, its name will do.
"""

from pathlib import Path

from spikeloop.errors import InvalidInput
from spikeloop.storage import read_json

TRAINED = Path(__file__).parent / "trained"


def ready_made() -> dict[str, Path]:
    """The directory of every ready-made policy, by name."""
    return {str(path.parent.relative_to(TRAINED).as_posix()): path.parent for path in sorted(TRAINED.rglob("run.json"))}


def is_ready_made(path: Path) -> bool:
    """Whether a directory came with the library: nothing is to be written into it."""
    return path.resolve().is_relative_to(TRAINED.resolve())


def locate(run: str | Path) -> Path:
    """The directory of a run, given that or the name of a ready-made policy; a directory of that name comes first.

    Raises InvalidInput if there is neither.
    """
    path = Path(run)
    if path.exists():
        return path
    found = ready_made().get(str(run))
    if found is None:
        raise InvalidInput(
            f"{run} is not a run directory: there is no such directory, and no ready-made policy of that name; "
            "`spikeloop list ready-made` names them"
        )
    return found


def reached(path: Path) -> str:
    """What the policies of a ready-made run reached: the mean return of each, and in how many episodes."""
    found = []
    for final in sorted(path.glob("arms/*/final.json")):
        (returns,) = read_json(final)["returns"]
        found.append((final.parent.name, sum(returns) / len(returns), len(returns)))
    learner = read_json(path / "run.json")["experiment"]["label"]
    found.sort(key=lambda arm: arm[0] != learner)
    return ", ".join(f"{arm} {mean:.4g}" for arm, mean, _ in found) + f" (mean return, {found[0][2]} episodes)"
