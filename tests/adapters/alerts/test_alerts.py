"""Alerts of what was stored: to a real server on loopback, over crashes, in quiet hours, with dead channels."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from adapters.alerts.alerts import Alerts
from adapters.alerts.channel import Channel, attempt
from adapters.alerts.channels import NotSent, Send, sender_of
from adapters.alerts.escalation import Enforcement, Escalation, unmet
from adapters.alerts.message import Alert, unconfirmed
from adapters.alerts.sent import Sent
from riskcore.core.kinds import AlertLevel
from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.state import STATUS_CANCELLED
from riskcore.engine.ports import Announcer
from riskcore.settings.alerts import ChannelSettings
from riskcore.settings.config import read_settings
from tests.core.broker import Desk
from tests.core.ledger import Ledger

LOSS: dict[str, Any] = {"daily_realized_loss": {"loss_limit": money("500")}}
NOON = 1_772_474_400 * SECOND_NS  # 2026-03-02 12:00 in Chicago.
NIGHT = NOON + 11 * 3600 * SECOND_NS


class Silent(Announcer):
    def stored(self, *_: object) -> None:
        pass

    def say(self, kind: str, /, **figures: Any) -> None:
        pass


class Phone:
    """A channel's far end; `broken` refuses everything."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, AlertLevel]] = []
        self.broken = False

    def send(self, title: str, body: str, level: AlertLevel) -> None:
        if self.broken:
            raise NotSent("out of order")
        self.got.append((title, body, level))


class House:
    """Alerts with a phone behind each channel and hardly any wait between attempts."""

    def __init__(self, folder: Path, table: str, now: int = NOON, enforces: bool = True) -> None:
        self.memory = folder / "journal.db.alerts"
        self.settings = read_settings(f"[alerts]\n{table}").alerts
        self.phones = {one.name: Phone() for one in self.settings.channels}
        self.now, self.enforces, self.seconds = now, enforces, 0.0

    def open(self, sender: Callable[[ChannelSettings], Send] | None = None) -> Alerts:
        return Alerts(
            Silent(),
            self.settings,
            "America/Chicago",
            self.memory,
            enforces=self.enforces,
            now=lambda: self.now,
            seconds=lambda: self.seconds + time.monotonic(),
            sender=sender or (lambda one: self.phones[one.name].send),
            channel=partial(Channel, retry_seconds=(0.01, 0.01)),
        )


def until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The host and port of a server, and what was posted to it."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{serving.server_port}", posted
        serving.shutdown()
        thread.join()


def test_a_warning_reaches_a_real_server_once_over_restarts(
    tmp_path: Path, server: tuple[str, list[dict[str, Any]]]
) -> None:
    pytest.importorskip("apprise")
    host, posted = server
    house = House(tmp_path, f'channels = ["json://{host}/secret-token"]')
    day = Ledger(**LOSS).closed("-350")
    for _ in range(2):
        alerts = house.open(sender_of)
        alerts.stored(day.events, day.book)
        alerts.stored(day.events, day.book)
        until(lambda: posted)
        alerts.close()
    [one] = posted
    assert one["title"] == "Stop for the day at a realised loss: the limit is near"
    assert "-350.00 has reached 70 % of the loss limit" in one["message"]
    assert "until 2026-11-20T23:00:00Z" in one["message"]
    assert "secret-token" not in house.memory.read_text()
    assert house.memory.stat().st_mode & 0o077 == 0


def test_without_figures_nothing_but_words_leaves(tmp_path: Path) -> None:
    house = House(tmp_path, 'channels = ["desktop"]\nfigures = false')
    day = Ledger(**LOSS).closed("-350")
    alerts = house.open()
    alerts.stored(day.events, day.book)
    alerts.say("halt", text="nothing can be stored", reason="account SECRET lost 350", over=False)
    alerts.close()
    said = " ".join(f"{title} {body}" for title, body, _ in house.phones["desktop"].got)
    names = [account.name for account in day.book.accounts.values() if account.name]
    assert len(house.phones["desktop"].got) == 2
    assert [one for one in ("350", "500", "0.7", "SECRET", *names) if one in said] == []


@pytest.mark.parametrize(("now", "levels"), [(NOON, ["warning", "critical"]), (NIGHT, ["critical"])])
def test_quiet_hours_never_silence_what_is_critical(tmp_path: Path, now: int, levels: list[str]) -> None:
    house = House(tmp_path, 'channels = ["desktop"]\nquiet_hours = ["22:00-07:00"]', now)
    day = Ledger(**LOSS).closed("-350")
    alerts = house.open()
    alerts.stored(day.events, day.book)
    alerts.say("halt", text="nothing can be stored", over=False)
    alerts.close()
    assert [level for _, _, level in house.phones["desktop"].got] == levels


def test_a_channel_hears_only_its_levels(tmp_path: Path) -> None:
    house = House(tmp_path, 'channels = ["desktop", { url = "sound", levels = ["critical"] }]')
    day = Ledger(**LOSS).closed("-350")
    alerts = house.open()
    alerts.stored(day.events, day.book)
    alerts.close()
    assert (len(house.phones["desktop"].got), len(house.phones["sound"].got)) == (1, 0)


def test_when_one_channel_is_dead_the_others_say_so_once(tmp_path: Path) -> None:
    house = House(tmp_path, 'channels = ["desktop", "sound"]')
    house.phones["sound"].broken = True
    alerts = house.open()
    for at in range(2):
        house.now += at * SECOND_NS
        alerts.say("halt", text="nothing can be stored", over=False)
    desktop = house.phones["desktop"].got
    until(lambda: len(desktop) == 3)
    until(lambda: [one["channel"] for one in alerts.channels() if one["dead"]] == ["sound"])
    alerts.close()
    assert [title for title, _, _ in desktop].count("riskcore: sound is dead") == 1
    assert [body for title, body, _ in desktop if "dead" in title] == [
        "alerts no longer get through by sound: out of order"
    ]


def test_a_dead_channel_tries_each_alert_once_and_is_revived_by_the_first_that_gets_through() -> None:
    outcomes = iter([NotSent("no"), NotSent("no"), NotSent("no"), None, NotSent("no"), None])
    told: list[str | None] = []

    def send(*_: Any) -> None:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome

    channel = Channel(ChannelSettings("phone", "", ("info",)), send, False, lambda *done: told.append(done[2]), (0, 0))
    one = Alert("1", "info", "t", "b", "b")
    channel.put(one)  # Three attempts, all in vain.
    until(lambda: channel.row() == {"channel": "phone", "dead": True, "waiting": 0, "sent": 0, "lost": 1})
    channel.put(one)  # One attempt, which gets through.
    channel.put(one)  # Alive again: two attempts.
    until(lambda: channel.row() == {"channel": "phone", "dead": False, "waiting": 0, "sent": 2, "lost": 1})
    channel.close(1)
    assert told == ["no", None, None]


def test_what_a_crash_left_in_doubt_comes_again_and_says_so(tmp_path: Path) -> None:
    house = House(tmp_path, 'channels = ["desktop", "sound"]')
    alert = Alert("breach-1 critical", "critical", "Title", "text", "plain")
    memory = Sent(house.memory)
    memory.note_waiting(alert, ["desktop", "sound"])
    memory.note_done(alert.id, "sound")
    with house.memory.open("a") as file:
        file.write('\n{"done": "breach-1 crit')  # The crash cut this line short.
    house.open().close()
    assert house.phones["desktop"].got == [("Title (repeated)", "text", "critical")]
    assert house.phones["sound"].got == []
    house.open().close()
    assert len(house.phones["desktop"].got) == 1


def test_a_channel_that_hangs_delays_nobody(tmp_path: Path) -> None:
    house = House(tmp_path, 'channels = ["desktop", "sound"]')
    release = Event()

    def sender(one: ChannelSettings) -> Send:
        return house.phones["sound"].send if one.name == "sound" else lambda *_: release.wait(20) and None

    alerts = house.open(sender)
    began = time.monotonic()
    alerts.say("halt", text="nothing can be stored", over=False)
    assert time.monotonic() - began < 0.2
    until(lambda: house.phones["sound"].got)
    release.set()
    alerts.close()


def test_an_attempt_is_given_up_in_time_and_shows_no_address() -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("tgram://bottoken")

    assert attempt(lambda *_: time.sleep(0.3), "", "", "info", 0.05) == "no answer within 0.05 seconds"
    assert attempt(fails, "", "", "info") == "it failed (RuntimeError)"


def test_an_address_may_be_kept_in_the_environment(server: tuple[str, list[dict[str, Any]]]) -> None:
    pytest.importorskip("apprise")
    host, posted = server
    channel = ChannelSettings("env:MY_URL", "env:MY_URL", ("critical",))
    assert attempt(sender_of(channel, {"MY_URL": f"json://{host}"}), "title", "body", "critical") is None
    assert [one["type"] for one in posted] == ["failure"]
    assert attempt(sender_of(channel, {}), "title", "body", "critical") == "the environment has no MY_URL"


def test_a_missing_apprise_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    send = sender_of(ChannelSettings("json", "json://127.0.0.1", ("critical",)))
    assert attempt(send, "", "", "info") == ('channels with a URL need the apprise library: install "riskcore[alerts]"')


def test_unconfirmed_enforcement_is_told_after_10_then_30_seconds_then_each_minute() -> None:
    one = Enforcement("o", "ClosePosition", "R", "A")
    watch = Escalation()
    told = [lasted for tenth in range(1600) for _, lasted in watch.due([one], 5 + tenth / 10)]
    assert told == [10, 30, 90, 150]
    assert watch.due([], 200) == []
    assert watch.due([one], 300) == watch.due([one], 309.9) == []
    assert watch.due([one], 310) == [(one, 10)]


def closing() -> Desk:
    return Desk(**LOSS).at("09:59:00").snapshot().fill("ES", 1, "6000").push("ES", 1).closed("-500")


def test_only_what_is_open_still_counts_as_unconfirmed() -> None:
    desk = closing()
    assert [one.kind for one in unmet(desk.book)] == ["CloseAllPositions"]
    assert unmet(Ledger(**LOSS).closed("-500").book) == ()


def test_a_missing_stop_and_a_working_order_count_as_unconfirmed_too() -> None:
    bare = Desk(no_stop_loss_grace={"action": "place_stop"}).at("10:00:00").snapshot()
    bare.fill("MNQ", 1, "21000").push("MNQ", 1).tick("10:01:00")
    assert [one.kind for one in unmet(bare.book)] == ["PlaceStop"]
    resting = Desk(**LOSS).at("09:59:00").snapshot().order(7, "MNQ", 1, type=1, limit="20000").closed("-500")
    assert [one.kind for one in unmet(resting.book)] == ["CancelOrders"]
    assert unmet(resting.order(7, "MNQ", 1, type=1, limit="20000", status=STATUS_CANCELLED).book) == ()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("CloseAllPositions", "something is still open. Close it yourself"),
        ("PlaceStop", "the position is open without it. Set the stop yourself on the platform, or close."),
        ("CancelOrders", "orders still work. Cancel them yourself"),
    ],
)
def test_what_is_not_confirmed_says_what_to_do(kind: str, words: str) -> None:
    alert = unconfirmed("o", "RULE-003", "A", kind, 10, "2026-03-02T18:00:00Z")
    assert (alert.level, words in alert.text, words in alert.plain) == ("critical", True, True)


@pytest.mark.parametrize("enforces", [True, False])
def test_unconfirmed_enforcement_is_critical_and_a_dry_run_expects_none(tmp_path: Path, enforces: bool) -> None:
    house = House(tmp_path, 'channels = ["desktop"]', NIGHT, enforces)
    desk = closing()
    alerts = house.open()
    alerts.stored([], desk.book)
    time.sleep(0.7)
    house.seconds = 11
    time.sleep(0.7)
    alerts.close()
    told = [level for title, _, level in house.phones["desktop"].got if "not confirmed" in title]
    assert told == (["critical"] if enforces else [])


def test_the_heartbeat_says_when_something_was_last_stored(tmp_path: Path) -> None:
    house = House(tmp_path, 'channels = ["desktop"]\nheartbeat_minutes = 1')
    alerts = house.open()
    house.seconds = 59
    time.sleep(0.6)
    assert house.phones["desktop"].got == []
    house.seconds = 61
    until(lambda: house.phones["desktop"].got)
    alerts.close()
    assert house.phones["desktop"].got[0][:2] == (
        "riskcore: heartbeat",
        "riskcore runs; it last stored something at 2026-03-02T18:00:00Z",
    )
