"""`riskcore fetch` against the simulated gateway, over real sockets (INTERFACE.md 6)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.simulator.faults import Fault
from adapters.simulator.server import SimulatedGateway
from replay.fetching.plan import BarUnit, trading_days
from replay.replay_run import run_replay
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import BrokerUnreachable, ConfigError, LoginRefused
from riskcore.schema.instants import instant_ns, instant_text
from tests.adapters.clocks import START
from tests.cli.fetched import ACCOUNT, MINUTE, PLAIN, SECOND, Download, Row, texts

FIVE_WEEKS = ("2026-08-17", "2026-09-18")
TWELVE = ("MGC", "SIL", "MES", "MNQ", "MYM", "M2K", "ES", "NQ", "YM", "RTY", "6E", "ZN")
MNQ_DECEMBER, MNQ_SEPTEMBER = "CON.F.US.MNQ.Z26", "CON.F.US.MNQ.U26"


@pytest.fixture
def download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Download:
    return Download(tmp_path, monkeypatch)


def lines(data: bytes, path: str) -> list[Row]:
    return [row for row in map(json.loads, data.splitlines()) if row.get("rest") == path]


def test_one_recording_for_every_trading_day_with_the_brokers_own_figures(download: Download) -> None:
    result = download.fetch("2026-09-17", "2026-09-18", accounts=("PRAC-V2-99000001",), unit=MINUTE)
    dates = [day["trade_date"] for day in result["days"]]
    assert dates == sorted(dates)
    assert set(dates) <= {day.trade_date for day in trading_days(PLAIN, "2026-09-17", "2026-09-18")}
    assert result["accounts"] == [{"id": ACCOUNT, "name": "PRAC-V2-99000001"}]
    assert result["checked"] == result["closing_fills"] > 0
    assert (result["differences"], result["conflicts"], result["missing"]) == (0, [], [])
    assert list(download.files()) == [f"{date}_{ACCOUNT}.jsonl" for date in dates]
    for day in result["days"]:
        assert day["lacks"] == ["positions", "accounts"]
        ((described,), bars) = (
            lines(download.files()[day["recording"]], f"/api/{name}")
            for name in ("Contract/searchById", "History/retrieveBars")
        )
        assert described["response"]["contract"]["id"] == MNQ_DECEMBER
        assert len(bars) > 100
        assert all(row["request"]["unitNumber"] == 1 for row in bars)


def test_what_was_fetched_replays_to_the_same_sums(download: Download) -> None:
    result = download.fetch("2026-09-14", "2026-09-18")
    paths = [download.folder / "days" / day["recording"] for day in result["days"]]
    replayed = run_replay(paths)
    found = {
        (account["id"], day["trade_date"]): (day["fills"], day["net_pnl"])
        for account in replayed["accounts"]
        for day in account["days"]
    }
    assert replayed["rejected_lines"] == 0
    assert found == {
        (account["id"], day["trade_date"]): (account["fills"], account["net_pnl"])
        for day in result["days"]
        for account in day["accounts"]
    }


def test_a_second_run_asks_for_nothing_that_it_has_and_writes_the_same_bytes(download: Download) -> None:
    first = download.fetch("2026-09-07", "2026-09-11")
    before = download.files()
    second = download.fetch("2026-09-07", "2026-09-11")
    assert download.files() == before
    assert second["questions"]["kept"] == first["questions"]["asked"] - second["questions"]["asked"] > 0
    assert not {"Trade/search", "Order/search", "Order/v2/query", "History/retrieveBars"} & set(download.calls)
    again = download.fetch("2026-09-07", "2026-09-11", again=True)
    assert again["questions"] == {**first["questions"], "kept": 0}
    assert download.files() == before


def test_every_visible_account_or_those_of_the_profile_or_those_that_are_named(download: Download) -> None:
    everyone = download.fetch("2026-09-17", "2026-09-18", out="all")
    assert [row["id"] for row in everyone["accounts"]] == [ACCOUNT, SECOND]
    assert next(iter(download.files("all"))).endswith(f"_{ACCOUNT}_{SECOND}.jsonl")
    profile = '[profile]\naccounts = ["50KTC-V2-99000002"]\n'
    assert [row["id"] for row in download.fetch("2026-09-18", "2026-09-18", settings=profile)["accounts"]] == [SECOND]
    named = download.fetch("2026-09-18", "2026-09-18", settings=profile, accounts=("7",))
    assert [row["name"] for row in named["accounts"]] == ["OLD"]
    assert named["days"] == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"accounts": ("50KTC",)}, "--account '50KTC': this login has no such account; there are: 99000001 PRAC"),
        ({"contracts": ("CON.F.US.XYZ.Z26",)}, "--contract 'CON.F.US.XYZ.Z26': the broker knows no such contract"),
        ({"contracts": ("XYZ",)}, "--contract 'XYZ': the broker offers no contract of that name"),
        ({"settings": '[profile]\naccounts = ["A"]\n'}, "none of the accounts of the profile"),
    ],
)
def test_what_the_broker_does_not_know(download: Download, wanted: Row, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        download.fetch("2026-09-17", "2026-09-18", **wanted)
    assert words in str(caught.value)


def test_an_empty_range_writes_nothing(download: Download) -> None:
    result = download.fetch("2026-03-02", "2026-03-06")
    assert (result["days"], result["missing"], download.files()) == ([], [], {})
    result = download.fetch("2026-09-12", "2026-09-13")
    assert texts(result, "day") == ["from 2026-09-12 to 2026-09-13 there is no trading day"]


def test_days_to_come_and_the_day_that_is_open(download: Download) -> None:
    result = download.fetch("2026-09-18", "2026-09-25", accounts=(str(ACCOUNT),))
    assert texts(result, "day") == [
        "from 2026-09-22 on there is nothing yet: that trading day has not begun",
        "2026-09-21 is not over: run this again afterwards to have all of it",
    ]


def test_expired_months_have_hours_only_and_the_roll_is_said(download: Download) -> None:
    result = download.fetch("2026-09-09", "2026-09-14", accounts=(str(ACCOUNT),), unit=MINUTE)
    (coarse,) = texts(result, "coarse bars")
    assert coarse.startswith(f"{MNQ_SEPTEMBER}: no 1-minute bars of 2026-09-0")
    assert coarse.endswith("(the contract has expired); 1-hour bars were taken instead")
    (roll,) = result["rolls"]
    assert (roll["from"], roll["to"]) == (MNQ_SEPTEMBER, MNQ_DECEMBER)
    units = {(row["contract"], row["unit"]) for row in result["bars"]}
    assert units == {(MNQ_SEPTEMBER, "1-hour"), (MNQ_DECEMBER, "1-minute")}


def test_bars_of_a_contract_that_nobody_traded(download: Download) -> None:
    result = download.fetch("2026-09-16", "2026-09-18", contracts=("MGC",), unit=BarUnit("hour"), accounts=("7",))
    assert [day["trade_date"] for day in result["days"]] == ["2026-09-16", "2026-09-17", "2026-09-18"]
    assert [day["contracts"] for day in result["days"]] == [["CON.F.US.MGC.Z26"]] * 3
    assert [len(lines(data, "/api/History/retrieveBars")) for data in download.files().values()] == [23, 23, 23]


def test_seconds_come_in_pages_of_20000_without_a_doubled_or_missing_bar(download: Download) -> None:
    result = download.fetch("2026-09-17", "2026-09-17", contracts=("MGC",), unit=BarUnit("second", 3), accounts=("7",))
    assert download.asked("History/retrieveBars") == 2
    (data,) = download.files().values()
    opened = [row["response"]["bars"][0]["t"] for row in lines(data, "/api/History/retrieveBars")]
    assert len(opened) == len(set(opened)) == 23 * 1200
    assert opened == sorted(opened)
    assert result["missing"] == []


def test_lists_that_the_broker_cuts_off_are_asked_for_in_parts(
    download: Download, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten rows an answer stand for the hundred that are taken for a bound: a week of this trader has more."""
    unbounded = download.fetch("2026-09-07", "2026-09-18", out="unbounded", accounts=(str(ACCOUNT),))
    monkeypatch.setattr("replay.fetching.questions.MANY_ROWS", 10)
    download.plot = replace(download.plot, most_rows=10)
    bounded = download.fetch("2026-09-07", "2026-09-18", out="bounded", accounts=(str(ACCOUNT),))
    assert unbounded["closing_fills"] > 20
    assert bounded["days"] == unbounded["days"]
    assert download.files("bounded") == download.files("unbounded")


def test_the_quota_is_kept_and_nothing_is_refused(download: Download) -> None:
    """Twelve contracts and five weeks are 60 questions for bars: more than the broker takes in 30 seconds."""
    download.fetch(*FIVE_WEEKS, contracts=TWELVE, unit=BarUnit("minute", 30), accounts=("7",))
    assert 429 not in {status for _, _, status in download.at}
    for path, most, seconds in (("History/retrieveBars", 50, 30), ("", 200, 60)):
        at = [moment for moment, name, _ in download.at if (name == "History/retrieveBars") == bool(path)]
        for first, last in zip(at, at[most:], strict=False):
            assert last - first >= seconds * SECOND_NS
    assert download.asked("History/retrieveBars") > 50


def test_a_refusal_for_too_many_calls_is_waited_out(download: Download) -> None:
    async def busy(gateway: SimulatedGateway) -> None:
        gateway.inject(Fault("http_429", "rest", times=6, only="/api/History/retrieveBars"))

    result = download.fetch("2026-09-17", "2026-09-18", accounts=(str(ACCOUNT),), before=busy)
    undisturbed = download.fetch("2026-09-17", "2026-09-18", out="undisturbed", accounts=(str(ACCOUNT),))
    assert download.files() == download.files("undisturbed")
    assert result["days"] == undisturbed["days"]
    assert any("trying again" in text for text in download.progress)


def test_a_token_that_ends_amid_the_download_is_renewed(download: Download) -> None:
    download.plot = replace(download.plot, token_life_seconds=4)
    download.fetch(*FIVE_WEEKS, contracts=TWELVE, unit=BarUnit("minute", 30), accounts=("7",))
    assert download.asked("Auth/validate") + download.asked("Auth/loginKey") > 1
    assert 401 not in {status for _, _, status in download.at[-20:]}


def test_a_lost_connection_ends_with_exit_5_and_the_next_run_goes_on(download: Download) -> None:
    async def dies(gateway: SimulatedGateway) -> None:
        gateway.inject(Fault("dropped", "rest", only="/api/History/retrieveBars"))

    with pytest.raises(
        BrokerUnreachable, match=r"retrieveBars gave no answer: .* What was downloaded is kept"
    ) as caught:
        download.fetch("2026-09-14", "2026-09-18", before=dies)
    assert caught.value.exit_code == 5
    assert download.files() == {}
    result = download.fetch("2026-09-14", "2026-09-18")
    assert "Trade/search" not in download.calls
    assert result["questions"]["kept"] > 0
    download.fetch("2026-09-14", "2026-09-18", out="undisturbed")
    assert download.files() == download.files("undisturbed")


def test_a_connection_that_comes_back_is_waited_for(download: Download) -> None:
    async def drops(gateway: SimulatedGateway) -> None:
        gateway.inject(Fault("dropped", "rest", times=4, only="/api/Trade/search"))

    download.fetch("2026-09-14", "2026-09-18", before=drops)
    download.fetch("2026-09-14", "2026-09-18", out="undisturbed")
    assert download.files() == download.files("undisturbed")


def test_a_login_that_is_refused(download: Download, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT_X_API_KEY", "wrong")
    with pytest.raises(LoginRefused, match="refused the login"):
        download.fetch("2026-09-14", "2026-09-18")


@pytest.mark.parametrize(
    ("today", "dates", "opens"),
    [
        ("2026-11-06T16:00:00.000000000Z", ("2026-10-30", "2026-11-02"), ("2026-10-29T22:00", "2026-11-01T23:00")),
        ("2026-03-13T16:00:00.000000000Z", ("2026-03-06", "2026-03-09"), ("2026-03-05T23:00", "2026-03-08T22:00")),
    ],
)
def test_days_round_a_change_of_clocks(
    download: Download, today: str, dates: tuple[str, str], opens: tuple[str, str]
) -> None:

    result = download.fetch(*dates, start=instant_ns(today), contracts=("MGC",), accounts=("7",), unit=BarUnit("hour"))
    assert [day["trade_date"] for day in result["days"]] == list(dates)
    for data, opened in zip(download.files().values(), opens, strict=True):
        bars = lines(data, "/api/History/retrieveBars")
        assert len(bars) == 23
        assert bars[0]["response"]["bars"][0]["t"].startswith(opened)


def test_the_broker_has_no_order_query(download: Download) -> None:
    async def older(gateway: SimulatedGateway) -> None:
        gateway.inject(Fault("http_404", "rest", only="/api/Order/v2/query"))

    result = download.fetch("2026-09-17", "2026-09-18", before=older)
    assert len(texts(result, "orders")) == 1
    assert result["checked"] == result["closing_fills"] > 0


def test_progress_says_what_is_left(download: Download) -> None:
    download.fetch("2026-08-24", "2026-09-18")
    assert any("left" in text for text in download.progress)
    assert download.progress[-1].endswith("lines")


def test_the_clock_of_the_tests_is_the_monday_they_speak_of(download: Download) -> None:
    assert instant_text(START).startswith("2026-09-21T")
