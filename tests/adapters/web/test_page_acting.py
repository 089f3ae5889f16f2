"""The trader's page in a real Chromium while things happen: by keyboard, cut off, restarted, without an engine."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.web.alone import serve_alone
from riskcore.core.events import FlattenRequested, LockRequested
from riskcore.engine.control_file import Control, read_control
from tests.adapters.web.conftest import Asked, asked
from tests.adapters.web.pages import focused, let_in, opened, press, private, show, wait
from tests.adapters.web.serving import day_under_way
from tests.browser import Page

STALE = "!document.getElementById('stale').hidden"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Asked]:
    (tmp_path / "day").mkdir()
    with asked(*day_under_way(tmp_path / "day")) as found:
        yield found


@pytest.fixture
def tab(service: Asked, tmp_path: Path) -> Iterator[Page]:
    (tmp_path / "browser").mkdir()
    with opened(service.control, tmp_path / "browser") as page:
        yield page


def facts(service: Asked, kind: type) -> int:
    return sum(isinstance(event.body, kind) for event in list(service.desk.events))


def test_everything_can_be_done_by_keyboard_and_nothing_by_accident(tab: Page, service: Asked) -> None:
    tab.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
    order = []
    for _ in range(14):
        press(tab, "Tab")
        order.append(focused(tab))
    assert order[:5] == ["Skip to the figures", "privacy", "cancel-all", "lock", "flatten"]
    assert order[5:13] == [
        "Overview",
        "P&L",
        "Positions",
        "Limits",
        "Connections",
        "Calendar",
        "Lockouts",
        "Enforcement",
    ]
    tab.evaluate("document.getElementById('flatten').focus()")
    press(tab, "Enter")
    assert focused(tab) == "confirm-no"
    press(tab, "Enter")
    assert facts(service, FlattenRequested) == 0
    assert focused(tab) == "flatten", "the focus comes back"
    press(tab, "Enter")
    press(tab, "Escape")
    assert not tab.evaluate("document.getElementById('confirm').open")
    assert facts(service, FlattenRequested) == 0
    press(tab, "Enter")
    press(tab, "Tab")
    assert focused(tab) == "confirm-yes"
    press(tab, "Enter")
    wait(tab, "document.getElementById('outcome').innerText.includes('Recorded')")
    assert facts(service, FlattenRequested) == 1
    tab.evaluate("document.getElementById('lock').focus()")
    press(tab, "Enter")
    tab.evaluate("document.getElementById('until').focus()")
    press(tab, "ArrowDown")
    press(tab, "Tab", 2)
    press(tab, "Enter")
    wait(tab, "document.getElementById('outcome').innerText.startsWith('Lock')")
    assert facts(service, LockRequested) == 1
    show(tab, "enforcement", "Why")
    tab.evaluate("document.querySelector('#enforcement button').focus()")
    press(tab, "Enter")
    wait(tab, "document.querySelector('tr.why')")


def test_a_stream_that_was_cut_resumes_behind_its_cursor(tab: Page) -> None:
    first = tab.evaluate("window.sockets[0].url")
    assert "after" not in first
    tab.evaluate("window.cut = false; new MutationObserver(() => { window.cut = true; }).observe("
                 "document.getElementById('stale'), {attributes: true}); window.sockets.at(-1).close()")  # fmt: skip
    wait(tab, "window.sockets.length === 2 && window.sockets.at(-1).readyState === 1 && window.cut")
    wait(tab, "document.getElementById('stale').hidden")
    again = parse_qs(urlsplit(tab.evaluate("window.sockets[1].url")).query)
    assert again["after"][0].startswith("2026-11-19:")


def test_an_alert_is_shown_and_hidden_with_the_figures(tab: Page, service: Asked) -> None:
    service.thread.halt("the disk is full, account 50KTC-V2-99000001 lost 350", False)
    alert = "document.getElementById('alert')"
    wait(tab, f"!{alert}.hidden")
    assert "The engine is halted. The disk is full" in tab.evaluate(f"{alert}.innerText")
    private(tab, True)
    said = tab.evaluate(f"{alert}.querySelector('span').innerText")
    assert "account ••• lost •••" in said
    tab.evaluate(f"{alert}.querySelector('button').click()")
    assert tab.evaluate(f"{alert}.hidden")


def test_after_a_restart_of_the_engine_the_page_asks_for_a_new_link(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "browser").mkdir()
    store, profile = day_under_way(tmp_path / "day")
    with asked(store, profile) as before, opened(before.control, tmp_path / "browser") as page:
        before.stop()
        wait(page, STALE)
        assert page.evaluate("document.getElementById('state').innerText") == "not live"
        assert page.evaluate("document.title") == "NOT LIVE riskcore", "also in a tab that nobody looks at"
        with asked(store, profile, port=before.port) as after:
            assert after.control.url == before.control.url
            assert after.control.token != before.control.token
            wait(page, f"{STALE} && document.getElementById('stale').innerText.includes('riskcore web')")
            page.evaluate("document.getElementById('flatten').click(); document.getElementById('confirm-yes').click()")
            wait(page, "document.getElementById('outcome').innerText.includes('Refused: no valid token')")
            assert facts(after, FlattenRequested) == 0
            let_in(page, after.control)
            wait(page, "document.getElementById('stale').hidden && !document.getElementById('lock').disabled", 20)
            resumed = parse_qs(urlsplit(page.evaluate("window.sockets.at(-1).url")).query)
            assert resumed["after"][0].startswith("2026-11-19:"), "no event in between is missed"
            wait(page, "document.title.includes('$') && document.getElementById('state').innerText === 'armed'")


@contextmanager
def alone(store: str, profile: str, path: Path) -> Iterator[Control]:
    """The read-only service of a store."""
    loop, over, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    serving = serve_alone(store, profile, "127.0.0.1", 0, (), path, lambda link: ready.set(), over)
    thread = threading.Thread(target=lambda: loop.run_until_complete(serving), daemon=True)
    thread.start()
    assert ready.wait(20)
    control = read_control(path)
    assert control is not None
    try:
        yield control
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()


def test_without_an_engine_the_page_only_shows(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "browser").mkdir()
    ready = "document.querySelector('#stale').innerText.includes('no engine answers here')"
    serving = alone(*day_under_way(tmp_path / "day"), tmp_path / "web")
    with serving as control, opened(control, tmp_path / "browser", ready) as page:
        show(page, "positions", "MNQ")
        assert page.evaluate("document.getElementById('state').innerText") == "read only"
        for name in ("flatten", "cancel-all", "lock"):
            assert page.evaluate(f"document.getElementById('{name}').disabled"), name
        answer = page.evaluate("""fetch('/api/flatten', {method: 'POST', body: '{}',
            headers: {'Content-Type': 'application/json', 'X-Riskcore': '1'}}).then((one) => one.text())""")
        assert json.loads(answer)["code"] == "read_only"
        wait(page, ready)
