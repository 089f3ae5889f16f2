"""A headless Chromium for tests of pages, driven over its DevTools protocol. Tests skip where there is none."""

import base64
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.processes import start

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
_PATIENCE_SECONDS = 60


@dataclass
class Page:
    """One tab: its width, its colours, and every request that it made."""

    socket: ClientConnection
    requests: list[str] = field(default_factory=list)
    _last: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol and its answer; notices on the way are kept. Raises AssertionError."""
        self._last += 1
        self.socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=_PATIENCE_SECONDS))
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        return message

    def open(self, path: Path, width: int, scheme: str = "light", height: int = 800) -> None:
        """Load a file at a width in pixels, light or dark."""
        self.requests.clear()
        self.call("Page.enable")
        self.call("Network.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media="screen", features=features)
        self.call("Page.navigate", url=path.resolve().as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, script: str) -> Any:
        """The value of a script's expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """The whole page as PNG, however long it is."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


def executable() -> str:
    """Where a Chromium is; skips the test where there is none."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip("no Chromium here")
    return found


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A page of a new Chromium whose profile is in `folder`."""
    words = [executable(), *_OPTIONS, f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"]
    with (folder / "log").open("wb") as log, start(words, stdout=log, stderr=log):
        address = _address(folder)
        with connect(address, max_size=None) as whole:
            target = Page(whole).call("Target.createTarget", url="about:blank")["targetId"]
        with connect(f"{address.partition('/devtools/')[0]}/devtools/page/{target}", max_size=None) as socket:
            yield Page(socket)


def _address(folder: Path) -> str:
    """The browser's own socket, which it writes down when it listens."""
    until = time.monotonic() + _PATIENCE_SECONDS
    written = folder / "DevToolsActivePort"
    while time.monotonic() < until:
        lines = written.read_text(encoding="utf-8").splitlines() if written.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")
