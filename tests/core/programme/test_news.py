"""PROG-NEWS: nothing is opened while consumer prices are released (PROGRAMME.md 3.4 and 5)."""

from typing import Any

from riskcore.core import events as e
from riskcore.core.programme.news import blind
from riskcore.core.programme.terms import Terms
from riskcore.schema.codec import state_hash
from tests.core.ledger import ACCOUNT, Ledger
from tests.core.programme.terms import combine, plain_terms, under
from tests.core.test_rebuild import folded
from tests.core.test_restart import Restarted

ES = "CON.F.US.EP.Z26"
MINIS = ("ES", "RTY", "YM", "NQ", "NKD", "GC", "SI", "HG", "PL")
MICROS = ("MES", "M2K", "MYM", "MNQ", "MGC", "SIL", "MHG")


def of_a_release_day(**changed: Any) -> Terms:
    figures = {
        "news_days": ("2026-10-14",),
        "news_years": (2026,),
        "news_mini_roots": MINIS,
        "news_micro_roots": MICROS,
    }
    terms: Terms = combine(**{"enforce": ("news",), "news_allowance": 3, **figures, **changed})
    return terms


def release_day(**changed: Any) -> Ledger:
    return under(of_a_release_day(**changed), start="2026-10-14 07:00:00")


def cuts(day: Ledger) -> list[tuple[str, str, int | None]]:
    return [
        (one.command.kind, str(one.command.contract).split(".")[3], one.command.to)
        for one in day.commands
        if one.rule == "PROGRAMME-NEWS" and one.command.kind != "Alert"
    ]


def told(day: Ledger) -> int:
    return sum(text.startswith("consumer prices are released") for text in day.alerts)


def test_programme_news_example_bought_before_the_window_stays() -> None:
    assert cuts(release_day().at("07:24:59").fill("ES", 1, "6000").tick("07:34:59")) == []


def test_programme_news_example_bought_in_the_window_is_closed() -> None:
    day = release_day().at("07:25:00").fill("ES", 1, "6000")
    assert cuts(day) == [("ClosePosition", "EP", None)]
    assert day.breaches[0].figures == {"opened": "1", "allowed": "0"}


def test_programme_news_example_three_micros_stay_and_a_fourth_is_cut() -> None:
    day = release_day().at("07:26:00").fill("MES", 2, "6000").fill("MNQ", 1, "21000")
    assert cuts(day) == []
    day.fill("MES", 1, "6000")
    assert cuts(day) == [("ReducePosition", "MES", 2)]
    assert day.breaches[0].figures == {"opened": "4", "allowed": "3"}


def test_programme_news_example_at_the_end_all_is_free() -> None:
    assert cuts(release_day().at("07:35:00").fill("ES", 5, "6000")) == []


def test_what_was_reduced_in_the_window_is_not_opened_again() -> None:
    day = release_day().at("07:24:00").fill("ES", 3, "6000").at("07:26:00").fill("ES", -2, "6000", profit="0")
    assert cuts(day) == []
    day.fill("ES", 1, "6000")
    assert cuts(day) == [("ReducePosition", "EP", 1)]


def test_a_turn_in_the_window_opens_all_of_it() -> None:
    day = release_day().at("07:24:00").fill("ES", 2, "6000").at("07:26:00").fill("ES", -2, "6000", profit="0")
    day.fill("ES", -1, "6000")
    assert cuts(day) == [("ClosePosition", "EP", None)]


def test_the_other_reading_gives_each_micro_its_own_allowance() -> None:
    day = release_day(readings={"cpi_allowance": "product"}).at("07:26:00").fill("MES", 3, "6000")
    day.fill("MNQ", 3, "21000")
    assert cuts(day) == []
    assert cuts(day.fill("MNQ", 1, "21000")) == [("ReducePosition", "MNQ", 3)]


def test_an_entry_order_first_seen_in_the_window_is_cancelled_once() -> None:
    day = release_day().at("07:24:00").order(1, "ES", 1, limit="5990")
    day.at("07:26:00").order(2, "ES", 1, limit="5990").order(2, "ES", 1, limit="5991")
    day.order(3, "MES", 1, limit="5990")
    assert [one.command.order_id for one in day.commands if one.command.kind == "CancelOrder"] == [2]


def test_an_account_with_something_in_these_products_is_told_five_minutes_before() -> None:
    day = release_day().fill("MGC", 1, "4000").tick("07:19:59.999")
    assert told(day) == 0
    assert told(day.tick("07:20:00").tick("07:22:00")) == 1
    assert told(release_day().fill("CL", 1, "60").tick("07:24:00")) == 0


def test_another_day_has_no_window() -> None:
    terms = combine(enforce=("news",), news_days=("2026-10-15",), news_mini_roots=MINIS)
    day = under(terms, start="2026-10-14 07:00:00").at("07:26:00").fill("ES", 1, "6000")
    assert cuts(day) == []


def test_not_enforced_it_is_recorded() -> None:
    day = release_day(enforce=("mll",)).at("07:26:00").fill("ES", 1, "6000")
    assert [(one.rule, one.shadow) for one in day.breaches] == [("PROGRAMME-NEWS", True)]
    assert day.kinds == []


def test_what_an_engine_finds_at_a_start_in_the_window_stays_and_a_rebuild_remembers_it() -> None:
    programme = {"name": "topstep", "terms": plain_terms(of_a_release_day())}
    desk = Restarted(start="2026-10-14 07:00:00", programme=programme).at("07:24:00").start().connect()
    desk.snapshot().start("07:26:00")
    desk.connect().take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, ES, 4),)), "positions")
    assert desk.account_state.positions[ES].memory == {"programme_news.0.base": 4}
    assert state_hash(folded(desk.rulebook, desk.events)) == state_hash(desk.book)
    assert cuts(desk) == []


def test_a_year_without_release_days_is_blind() -> None:
    day = release_day().account(ACCOUNT)
    account = day.account_state
    assert blind(of_a_release_day(), day.book, account) is None
    unknown = of_a_release_day(news_years=(2025,))
    assert blind(unknown, day.book, account) == "the release days of 2026 are not known"
    nothing = of_a_release_day(news_years=(), news_mini_roots=(), news_micro_roots=())
    assert blind(nothing, day.book, account) is None
