"""A tab of a real Chromium that a service let in, and what tests of the page do in it."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riskcore.engine.control_file import Control
from tests.adapters.web.serving import cookie_of
from tests.browser import Page, browser

# Each section, and words that stand in it on the day `daily-loss`.
SECTIONS = {
    "overview": "Balance",
    "pnl": "Fills",
    "positions": "MNQ",
    "limits": "RULE-003",
    "connections": "market",
    "calendar": "Trading days",
    "lockouts": "RULE-007",
    "enforcement": "Close Position",
}
SIGHTS = ((360, "light"), (360, "dark"), (1280, "light"), (1280, "dark"))
# Keeps every WebSocket that the page opens where a test finds it.
_KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket { constructor(url) { super(url); window.sockets.push(this); } };
"""
_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowLeft": 37, "ArrowRight": 39, " ": 32}


@contextmanager
def opened(control: Control, folder: Path, ready: str = "document.querySelector('#stale').hidden") -> Iterator[Page]:
    """A tab with the cookie of a one-time link, at the overview."""
    with browser(folder) as page:
        let_in(page, control)
        size(page, 1280)
        page.call("Page.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=_KEEP_SOCKETS)
        page.call("Page.navigate", url=control.url + "/")
        wait(page, f"document.querySelector('#overview dl') && {ready}")
        yield page


def let_in(page: Page, control: Control) -> None:
    """The browser follows the link of `riskcore web`."""
    name, _, value = asyncio.run(cookie_of(control)).removeprefix("Cookie: ").partition("=")
    page.call("Network.enable")
    page.call("Network.setCookie", name=name, value=value, url=control.url)


def size(page: Page, width: int, scheme: str = "light", height: int = 800) -> None:
    mobile = width < 600
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])


def wait(page: Page, condition: str, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not page.evaluate(f"Boolean({condition})"):
        assert time.monotonic() < until, (condition, page.evaluate("document.body.innerText")[:1500])
        time.sleep(0.05)


def show(page: Page, name: str, words: str) -> None:
    page.evaluate(f"void (location.hash = '{name}')")
    wait(page, f"!document.getElementById('{name}').hidden")
    wait(page, f"document.getElementById('{name}').innerText.includes({json.dumps(words)})")


def private(page: Page, on: bool) -> None:
    if page.evaluate("document.getElementById('privacy').getAttribute('aria-pressed')") != str(on).lower():
        page.evaluate("document.getElementById('privacy').click()")


def press(page: Page, key: str, times: int = 1) -> None:
    """A key as a person presses it."""
    more = {"text": "\r"} if key == "Enter" else {"text": " "} if key == " " else {}
    for _ in range(times):
        for kind in ("keyDown", "keyUp"):
            page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=_KEYS[key],
                      **(more if kind == "keyDown" else {}))  # fmt: skip


def focused(page: Page) -> str:
    """The id of what has the focus, or its words."""
    found: str = page.evaluate("document.activeElement.id || document.activeElement.innerText")
    return found
