"""A study: a computation without a learner, and the directory that it is carried out in.

run.json                    the study as data, field by field, and the format's version
provenance.json             command, commit, versions, hardware
figures (*.png) and files   as the study writes them
table.json                  `title`, `markdown` and numbers; written last: a study that has it is finished
"""

import abc
from pathlib import Path
from typing import Any

from spikeloop.component import Component
from spikeloop.errors import InvalidInput
from spikeloop.folder import Folder, read
from spikeloop.storage import read_json


class AbstractStudy(Component):
    """A computation without a learner, whose results are a table and figures."""

    @abc.abstractmethod
    def carry_out(self, folder: Path) -> None:
        """Compute, and write the results into the folder: figures and files first, table.json last.

        table.json holds a `title`, the table as `markdown`, and the numbers in it under names of the study's own. Write
        with `write_json` and `write_atomically` of `spikeloop.training`, so that a file is whole or not there.
        """


class StudyRun(Folder[AbstractStudy]):
    """The directory of a study."""

    kind, form = "study", AbstractStudy

    @property
    def study(self) -> AbstractStudy:
        """What is carried out."""
        return self.made

    @property
    def finished(self) -> bool:
        """Whether its results are there."""
        return (self.path / "table.json").exists()

    def carry_out(self) -> None:
        """Carry the study out, unless its results are there. Begun again, it does everything again."""
        if not self.finished:
            self.study.carry_out(self.path)

    def table(self) -> dict[str, Any]:
        """Its table: `title`, `markdown` and numbers. Raises InvalidInput if it is missing or damaged."""
        table = read_json(self.path / "table.json")
        if not isinstance(table, dict) or not all(isinstance(table.get(key), str) for key in ("title", "markdown")):
            raise InvalidInput(f"{self.path}/table.json has no title and markdown")
        return table


def holds_study(path: Path) -> bool:
    """Whether the directory of a run is that of a study. Raises InvalidInput if there is none, or it cannot be read."""
    return "study" in read(path)
