"""Studies on the command line and in Python: their directory, and that what is there is not done again."""

import json
import shutil
from pathlib import Path

import pytest

import spikeloop
from spikeloop.cli import main
from spikeloop.component import describe
from spikeloop.errors import InvalidInput
from spikeloop.papers.labady2023 import DirectCurrentDrive
from spikeloop.study import StudyRun
from tests.test_cli import fails

SQUARES = """
from spikeloop import AbstractStudy
from spikeloop.component import require_count
from spikeloop.storage import write_json


class Squares(AbstractStudy):
    \"\"\"Squares of whole numbers; the first time it is interrupted.\"\"\"

    count: int = 3  # how many

    def __check_init__(self):
        require_count(self, "count")

    def carry_out(self, folder):
        if not (folder / "begun").exists():
            (folder / "begun").touch()
            raise KeyboardInterrupt
        rows = [f"| {n} | {n * n} |" for n in range(self.count)]
        write_json(folder / "table.json", {"title": "Squares", "markdown": "\\n".join(["| n | square |", "|--:|--:|", *rows])})


experiment = Squares()
"""


@pytest.fixture(scope="module")
def drive(tmp_path_factory) -> Path:
    """A finished study, made by the command line."""
    path = tmp_path_factory.mktemp("study") / "drive"
    assert main(["run", "labady2023/dc-drive", "--out", str(path), "--duration", "40", "--amplitude=600"]) == 0
    return path


def test_its_directory(drive):
    assert {file.name for file in drive.iterdir()} == {"run.json", "provenance.json", "table.json", "potentials.png"}
    written = json.loads((drive / "run.json").read_text())
    study = DirectCurrentDrive(duration=40.0, amplitude=600.0)
    assert written == {"format": 1, "name": "labady2023/dc-drive", "study": describe(study)}
    opened = StudyRun.open(drive)
    assert opened.study == study and opened.finished
    assert {"command", "commit", "packages"} <= set(json.loads((drive / "provenance.json").read_text()))


def test_resume_prints_again_what_is_there_and_does_again_what_is_not(drive, tmp_path, capsys):
    path = tmp_path / "drive"
    shutil.copytree(drive, path)
    figure, table = (path / name for name in ("potentials.png", "table.json"))
    whole = table.read_bytes()
    figure.write_bytes(b"mine")
    assert main(["resume", str(path)]) == 0
    printed = capsys.readouterr().out
    assert json.loads(whole)["markdown"] in printed and f"figure: {figure}" in printed
    assert figure.read_bytes() == b"mine"
    table.unlink()
    assert main(["resume", str(path)]) == 0
    assert capsys.readouterr().out == printed
    assert table.read_bytes() == whole and figure.read_bytes() == (drive / "potentials.png").read_bytes()
    table.write_text("[]")
    assert "no title and markdown" in fails(capsys, "resume", str(path))
    table.write_text(whole[:40].decode())
    assert "not valid JSON" in fails(capsys, "resume", str(path))


def test_what_needs_a_policy_says_that_there_is_none(drive, tmp_path, capsys):
    for command in ("evaluate", "play", "compare"):
        assert "holds a study: it has no learner" in fails(capsys, command, str(drive))
    with pytest.raises(InvalidInput, match="holds a study: it has no learner"):
        spikeloop.load(drive)
    with pytest.raises(InvalidInput, match=r"is a study; make it from its class, spikeloop\.papers\.labady2023\."):
        spikeloop.built_in("labady2023/dc-drive")


def test_mistakes_are_answered_in_one_line_before_anything_is_written(drive, tmp_path, capsys):
    run = ("run", "labady2023/dc-drive", "--out", str(tmp_path / "never"))
    assert "did you mean --weight" in fails(capsys, *run, "--wieght", "3")
    assert "multiple of 0.1 ms" in fails(capsys, *run, "--delay", "0.25")
    assert "a study trains nothing" in fails(capsys, *run, "--no-controls")
    assert "a study trains nothing" in fails(capsys, *run, "--tensorboard")
    assert not (tmp_path / "never").exists()
    assert "a study trains nothing" in fails(capsys, "resume", str(drive), "--tensorboard")
    assert "exists already" in fails(capsys, "run", "labady2023/dc-drive", "--out", str(drive))


def test_help_and_list(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "labady2023/dc-drive", "--help"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert "--amplitude" in output and "direct current into the source" in output
    assert main(["list", "experiments"]) == 0
    assert "labady2023/dc-drive  " in capsys.readouterr().out


def test_a_study_of_a_file_interrupted_and_carried_out_again(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "squares_of_numbers.py"
    file.write_text(SQUARES, encoding="utf-8")
    assert main(["run", str(file), "--count", "5"]) == 130
    assert "`spikeloop resume runs/squares_of_numbers` carries it out again" in capsys.readouterr().err
    assert main(["resume", "runs/squares_of_numbers", "--file", str(file)]) == 0
    assert "| 4 | 16 |" in capsys.readouterr().out
