"""The stream of a journal: cut anywhere and resumed, over kills and day changes, it is the same to the byte."""

import json
from collections.abc import Callable
from functools import cache
from random import Random

import pytest

from riskcore.audit.following import Follower
from riskcore.audit.stream import BeyondJournal, Telling, check_cursor, place_behind, read_cursor, tell_from
from riskcore.audit.stream_messages import LONGEST_MESSAGE, TYPES, Cursor, Message, message_bytes
from riskcore.errors import ConfigError
from riskcore.schema.chain import Link
from riskcore.store.journal import Journal
from tests.simulation.disk import Disk
from tests.simulation.plan import PROFILE
from tests.simulation.world import run_seed

# Seeds whose engine is killed and started again; the first one changes the day as well.
KILLED_OVERNIGHT, KILLED = 21, 3


@cache
def rows_of(seed: int) -> tuple[Link, ...]:
    """Everything that was stored, in the order of storing."""
    outcome = run_seed(seed)
    assert outcome.starts > 1, "the engine was killed"
    return tuple(row for stream in sorted(outcome.disk.streams) for row in outcome.disk.streams[stream])


def journal_of(rows: tuple[Link, ...]) -> Journal:
    disk = Disk()
    for row in rows:
        disk.streams.setdefault(row[0], []).append(row)
    return disk.journal(PROFILE)


def told_from(journal: Journal, cursor: str) -> list[Message]:
    found: list[Message] = []
    tell_from(journal, read_cursor(cursor), found.append)
    return found


class Growing:
    """A journal that an engine appends to, and one reader that follows it."""

    def __init__(self, rows: tuple[Link, ...]) -> None:
        self._rows = rows
        self._disk = Disk()
        self._stored = 0
        self.read: list[Message] = []
        self._follower: Follower | None = None

    @property
    def whole(self) -> bool:
        return self._stored == len(self._rows)

    def grow(self, number: int) -> None:
        for row in self._rows[self._stored : self._stored + number]:
            self._disk.streams.setdefault(row[0], []).append(row)
        self._stored = min(self._stored + number, len(self._rows))

    def follow(self) -> None:
        """Live: whatever came since the last look."""
        if self._follower is None:
            cursor = read_cursor(self.read[-1].cursor if self.read else "start")
            telling = Telling(self.read.append, place_behind(cursor))
            self._follower = Follower(self._disk.journal(PROFILE), telling, cursor.day)
        self._follower.catch_up()

    def cut(self, take: Callable[[int], int]) -> None:
        """The connection is lost, in the middle of an event as well."""
        self._follower = None
        if self.read:
            del self.read[len(self.read) - take(3) :]


@pytest.mark.parametrize(
    ("seed", "cuts"),
    [
        (KILLED_OVERNIGHT, 60),
        pytest.param(KILLED_OVERNIGHT, 1000, marks=pytest.mark.nightly),
        pytest.param(30, 1000, marks=pytest.mark.nightly),
    ],
)
def test_a_stream_cut_anywhere_has_no_gap_and_nothing_twice(seed: int, cuts: int) -> None:
    rows, chance = rows_of(seed), Random(seed)
    expected = [(one.cursor, one.body) for one in told_from(journal_of(rows), "start")]
    assert len(expected) > 50
    growing, done = Growing(rows), 0
    while not growing.whole or done < cuts:
        growing.grow(chance.randrange(1, 2 + 4 * len(rows) // cuts))
        growing.follow()
        if done < cuts:
            growing.cut(lambda most: min(chance.randrange(most), len(growing.read)))
            done += 1
    growing.follow()
    assert [(one.cursor, one.body) for one in growing.read] == expected


def test_every_cursor_resumes_right_behind_itself() -> None:
    journal = journal_of(rows_of(KILLED_OVERNIGHT))
    everything = told_from(journal, "start")
    days = journal.streams()
    assert len(days) == 2
    for index in Random(1).sample(range(len(everything)), 25):
        behind = told_from(journal, everything[index].cursor)
        assert [one.body for one in behind] == [one.body for one in everything[index + 1 :]]
    first_of_second = next(index for index, one in enumerate(everything) if one.day == days[1])
    assert told_from(journal, f"{days[1]}:0") == everything[first_of_second:]
    # The cursor of a whole event stands behind all of its messages, which are numbered from 1.
    event = next(one for one in everything if one.cursor.endswith(".1"))
    alone = [one for one in everything if one.place > (event.day, event.seq, 1 << 30)]
    assert told_from(journal, f"{event.day}:{event.seq}") == alone


def test_a_remembered_state_gives_the_same_messages_from_there_on() -> None:
    outcome = run_seed(KILLED)
    outcome.disk.broken = None
    journal = outcome.disk.journal(PROFILE)
    everything = told_from(journal, "start")
    day = journal.streams()[-1]
    cached = journal.cached_state(day)
    assert cached is not None
    live: list[Message] = []
    follower = Follower(journal, Telling(live.append))
    follower.catch_up()
    assert follower.begins_behind == (day, cached[0])
    assert live == [one for one in everything if (one.day, one.seq) > (day, cached[0])]


def test_messages_are_what_the_promise_names() -> None:
    everything = told_from(journal_of(rows_of(KILLED_OVERNIGHT)), "start")
    assert {one.type for one in everything} <= set(TYPES)
    for one in everything:
        row = json.loads(one.body)
        assert list(row) == ["cursor", "at", "type", "account", "data"]
        assert (row["cursor"], row["type"], row["account"]) == (one.cursor, one.type, one.account)
    kinds = {one.type for one in everything}
    assert {"GatewayUserTrade", "GatewayUserPosition", "GatewayUserOrder", "connection", "daily_reset"} <= kinds


def test_what_is_listed_again_as_it_was_gives_no_message() -> None:
    everything = told_from(journal_of(rows_of(KILLED)), "start")
    last: dict[tuple[str, object, object], object] = {}
    for one in everything:
        row = json.loads(one.body)["data"]
        if one.type in ("GatewayUserTrade", "GatewayUserOrder"):
            name = (one.type, one.account, row["id"])
            assert last.get(name) != row
            last[name] = row
        elif one.type == "GatewayUserPosition":
            name = (one.type, one.account, row["contract"])
            said = (row["side"], row["size"], row["average_price"])
            assert last.get(name) != said
            last[name] = said


@pytest.mark.parametrize(
    "text", ["", "x", "2026-12-01", "2026-12-01:", "2026-12-01:01", "2026-12-01:-1", "2026-12-01:1.0", "2026-12-01:0.1",
             "2026-12-01:1.2.3", " start", "2026-12-01:1\n", "START", "２０２６-12-01:1"]
)  # fmt: skip
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no cursor"):
        read_cursor(text)


def test_a_cursor_reads_as_it_is_written() -> None:
    for text in ("2026-12-01:225", "2026-12-01:225.2", "2026-12-01:0"):
        assert str(read_cursor(text)) == text
    assert read_cursor("start") == Cursor("", 0)


def test_a_cursor_of_another_journal_is_known() -> None:
    journal = journal_of(rows_of(KILLED))
    day = journal.streams()[-1]
    last = journal.last_seq(day)
    check_cursor(journal, Cursor(day, last))
    check_cursor(journal, Cursor("", 0))
    for beyond in (Cursor(day, last + 1), Cursor("2031-01-02", 1), Cursor("2031-01-02", 0)):
        with pytest.raises(BeyondJournal):
            check_cursor(journal, beyond)


@pytest.mark.parametrize(("over", "cut"), [(-1, False), (0, False), (1, True)])
def test_a_message_has_at_most_64_kib(over: int, cut: bool) -> None:
    empty = len(message_bytes("2026-12-01:1", 0, "drift", 1, {"text": ""}))
    body = message_bytes("2026-12-01:1", 0, "drift", 1, {"text": "x" * (LONGEST_MESSAGE - empty + over)})
    row = json.loads(body)
    assert (len(body) < 1000) is cut
    assert row.get("truncated", False) is cut
    assert (row["data"] is None) is cut
    assert row["cursor"] == "2026-12-01:1"


def test_an_alert_names_the_channels_that_hear_of_its_level() -> None:
    rows = rows_of(KILLED_OVERNIGHT)

    def named(level: str, at: int) -> list[str]:
        return [f"{level}-channel"]

    told: list[Message] = []
    tell_from(journal_of(rows), read_cursor("start"), told.append, named)
    alerts = [json.loads(one.body)["data"] for one in told if one.type == "alert"]
    assert alerts
    assert all(one["channels"] == [f"{one['level']}-channel"] for one in alerts)
