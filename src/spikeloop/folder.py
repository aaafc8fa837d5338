"""The directory in which something described as data is carried out: run.json says what, provenance.json where it came from."""

from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from spikeloop.component import Component, build, describe
from spikeloop.errors import InvalidInput
from spikeloop.provenance import provenance
from spikeloop.storage import read_json, write_json

FORMAT = 1
T = TypeVar("T", bound=Component)
F = TypeVar("F", bound="Folder[Any]")


class Folder(Generic[T]):
    """The directory of something of one kind."""

    kind: ClassVar[str]  # its name in run.json
    form: ClassVar[type[Any]]  # what must stand there

    def __init__(self, path: Path, made: T, name: str):
        self.path, self.made, self.name = path, made, name

    @classmethod
    def create(cls: type[F], path: Path, made: Any, name: str | None = None) -> F:
        """Make the directory; `name` is that of what is carried out. Raises InvalidInput if it exists or cannot be made."""
        if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
            raise InvalidInput(f"{path} exists already; choose another directory, or `spikeloop resume {path}`")
        cls.require_ready(made)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(f"cannot make {path}: {error.strerror or error}") from None
        name = name or path.name
        write_json(path / "provenance.json", provenance())
        write_json(path / "run.json", {"format": FORMAT, "name": name, cls.kind: describe(made)})
        return cls(path, made, name)

    @classmethod
    def open(cls: type[F], path: Path) -> F:
        """Open the directory. Raises InvalidInput if there is none, or it cannot be read."""
        data = read(path)
        made: Any = build(data.get(cls.kind))
        if not isinstance(made, cls.form):
            article = "an" if cls.kind[0] in "aeiou" else "a"
            raise InvalidInput(f"{path}/run.json does not describe {article} {cls.kind}")
        return cls(path, made, str(data.get("name")))

    @classmethod
    def require_ready(cls, made: T) -> None:
        """Raise InvalidInput for what cannot be carried out, before anything is written."""

    def figures(self) -> list[Path]:
        """The figures drawn so far."""
        return sorted(self.path.glob("*.png"))


def read(path: Path) -> dict[str, Any]:
    """What run.json says. Raises InvalidInput if there is none, or it cannot be read."""
    if not path.is_dir():
        raise InvalidInput(f"{path} is not a run directory: there is no such directory")
    if not (path / "run.json").exists():
        raise InvalidInput(f"{path} is not a run directory: it has no run.json")
    data = read_json(path / "run.json")
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else None
        raise InvalidInput(f"{path} is a run of format {found!r}; this version of spikeloop reads format {FORMAT}")
    return data
