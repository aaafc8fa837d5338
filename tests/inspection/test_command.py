"""The command line: the page is written whole, or not at all, and served to this machine only."""

import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.test_cli import fails

from spikeloop.cli import main
from spikeloop.errors import InvalidInput
from spikeloop.inspection import serve


@pytest.fixture(scope="module")
def run_path(inspection) -> Path:
    return inspection.run.path


def test_mistakes_get_one_line_and_leave_nothing(run_path, tmp_path, capsys):
    before = sorted(run_path.iterdir())
    assert "must end in .html" in fails(capsys, "inspect", str(run_path), "--out", str(tmp_path / "page.png"))
    assert "no directory" in fails(capsys, "inspect", str(run_path), "--out", str(tmp_path / "none" / "page.html"))
    assert "is not a run directory" in fails(capsys, "inspect", str(tmp_path / "nowhere"))
    assert "no arm 'x'" in fails(capsys, "inspect", str(run_path), "--arm", "x")
    assert "at least one decision" in fails(capsys, "inspect", str(run_path), "--max-decisions", "0")
    assert "unknown option '--lesions'" in fails(capsys, "inspect", str(run_path), "--lesions")
    assert "from 0 to 65535" in fails(capsys, "inspect", str(run_path), "--serve", "--port", "70000")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port} cannot be used" in fails(capsys, "inspect", str(run_path), "--serve", "--port", port)
    assert sorted(run_path.iterdir()) == before and not list(tmp_path.iterdir())


def test_the_page_goes_where_it_is_told(run_path, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["inspect", str(run_path), "--lesion-episodes", "0", "--max-decisions", "3", "--out", str(out)]) == 0
    assert f"page: {out}" in capsys.readouterr().out
    assert "No lesion was played" in out.read_text() and [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_one_page_is_served_and_nothing_else():
    heard: list[str] = []
    ready = threading.Event()

    def tell(address):
        heard.append(address)
        ready.set()

    threading.Thread(target=serve, args=("<p>\u00fc</p>", 0, tell), daemon=True).start()
    assert ready.wait(10) and heard[0].startswith("http://127.0.0.1:")
    with urllib.request.urlopen(heard[0]) as answer:
        assert answer.read().decode() == "<p>\u00fc</p>" and answer.headers["Content-Type"].endswith("utf-8")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(heard[0] + "etc/passwd")
    with pytest.raises(InvalidInput, match="cannot be used"):
        serve("", int(heard[0].rstrip("/").rsplit(":", 1)[1]))


def test_ctrl_c_ends_serving_without_a_traceback():
    # A shell lets what it starts in the background ignore Ctrl-C.
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from spikeloop.inspection import serve\n"
    code += "try:\n    serve('', 0, lambda address: print(address, flush=True))\n"
    code += "except KeyboardInterrupt:\n    sys.exit(130)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline().startswith("http://127.0.0.1")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130 and error == ""
