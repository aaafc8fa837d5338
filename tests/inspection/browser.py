"""A real browser without a window, told what to do by the DevTools protocol over a web socket."""

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def found() -> str | None:
    """The program of a Chromium on the PATH, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab. Use it in a ``with`` block; `problems` gathers errors of the console and exceptions."""

    def __init__(self, profile: Path, width: int = 1280, height: int = 900):
        flags = ["--headless=new", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0", "--hide-scrollbars"]
        flags += ["--remote-allow-origins=*", "--disable-dev-shm-usage", "--disable-extensions", "--mute-audio"]
        flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        # A container's superuser has no sandbox of the kernel's.
        flags += ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        program = found()
        assert program is not None
        command = [program, *flags, f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.count, self.problems, self.requests = 0, [], []
        try:
            port, path = self._endpoint(profile / "DevToolsActivePort")
            self.socket = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=60)
            self.session: str | None = None
            target = self("Target.createTarget", url="about:blank")["targetId"]
            self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()
        self.process.kill()
        self.process.wait()

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self.count += 1
        number = self.count
        message = {"id": number, "method": method, "params": params}
        if self.session is not None:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self._hear(answer)

    def open(self, address: str) -> None:
        """Open an address and wait until the page has put itself together, or said why not."""
        self("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        result = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def until(self, condition: str, seconds: float = 30.0) -> None:
        """Wait for an expression to hold."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"waited {seconds} s for {condition}; {self.problems}"
            time.sleep(0.02)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button there, CSS pixels of the view."""
        for kind in ("mousePressed", "mouseReleased"):
            self("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def click_on(self, selector: str, across: float = 0.5, down: float = 0.5) -> None:
        """Bring an element into view and click on it, at these shares of its width and height."""
        into_view = "e.scrollIntoView({block: 'center', behavior: 'instant'})"
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); {into_view};"
            "const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
        )
        self.click(box[0] + across * box[2], box[1] + down * box[3])

    def key(self, key: str, code: int, modifiers: int = 0) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {}
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self("Input.dispatchKeyEvent", type="keyUp", **common)

    def screenshot(self, path: Path, whole: bool = False) -> bytes:
        """A picture of the view, or of the whole page."""
        data = base64.b64decode(self("Page.captureScreenshot", captureBeyondViewport=whole)["data"])
        path.write_bytes(data)
        return data

    def view(self, width: int, height: int, dark: bool = False, media: str = "") -> None:
        """The size of the view, the scheme of colours, and the medium."""
        self("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def _hear(self, event: dict[str, Any]) -> None:
        params, method = event.get("params", {}), event.get("method")
        if method == "Runtime.exceptionThrown":
            self.problems.append(params["exceptionDetails"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.problems.append(params["args"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.problems.append(params["entry"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"][:80])

    def _endpoint(self, file: Path) -> tuple[str, str]:
        end = time.monotonic() + 30.0
        while time.monotonic() < end:
            if file.exists() and len(lines := file.read_text().splitlines()) == 2:
                return lines[0], lines[1]
            assert self.process.poll() is None, "the browser ended at once"
            time.sleep(0.05)
        raise AssertionError("the browser did not answer")
