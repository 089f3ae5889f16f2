"""PROG-HOURS: last entry, flatten and hard, with their own times for some products (PROGRAMME.md 5)."""

from typing import Any

from riskcore.core import events as e
from riskcore.core.programme.terms import Terms, plain_terms
from tests.core.ledger import ACCOUNT, SECOND_NS, Ledger, clock

OWN_CLOSES = (("ZC", 13 * 3600 + 20 * 60), ("HE", 13 * 3600 + 5 * 60))


def day_under(start: str = "2026-11-20 08:00:00", **choices: Any) -> Ledger:
    terms = Terms("test", **{"enforce": ("hours",), "own_closes": OWN_CLOSES, **choices})
    profile = {"accounts": [], "max_quote_age_ns": 10 * SECOND_NS}
    settings = {"profile": profile, "rules": {}, "accounts": {}, "programme": {"terms": plain_terms(terms)}}
    return Ledger(start=start, settings=settings).account(ACCOUNT, name="A")


def of_the_rule(day: Ledger) -> list[tuple[str, e.Command]]:
    return [
        (clock(event.at), event.body.command)
        for event in day.events
        if isinstance(event.body, e.CommandIssued) and event.body.rule == "PROGRAMME-HOURS"
    ]


def warned(day: Ledger) -> list[tuple[str, str]]:
    """Time and text of what was said before something is closed."""
    return [(at, one.text or "") for at, one in of_the_rule(day) if (one.kind, one.level) == ("Alert", "warning")]


def issued(day: Ledger) -> list[tuple[str, str]]:
    """Time and kind of every other command of the rule."""
    return [(at, one.kind) for at, one in of_the_rule(day) if one.level != "warning"]


def levels(day: Ledger) -> list[tuple[str, str]]:
    return [
        (clock(event.at), event.body.figures["level"])
        for event in day.events
        if isinstance(event.body, e.RuleBreached) and event.body.rule == "PROGRAMME-HOURS"
    ]


def guard_breaches(day: Ledger) -> int:
    return sum(one.rule == "GUARD" for one in day.breaches)


def test_programme_hours_example_es_bought_just_before_last_entry_is_closed_at_the_flatten_time() -> None:
    day = day_under().at("14:54:59").fill("ES", 1, "6000").tick("15:05:00")
    assert guard_breaches(day) == 0
    assert levels(day) == [("15:05:00", "flatten")]
    assert issued(day) == [
        ("14:55:00", "SetLockout"),
        ("14:55:00", "CancelOrders"),
        ("15:05:00", "CancelOrders"),
        ("15:05:00", "CloseAllPositions"),
    ]


def test_programme_hours_example_es_bought_at_last_entry_is_closed_by_the_guard() -> None:
    day = day_under().at("14:55:00").fill("ES", 1, "6000")
    assert guard_breaches(day) == 1
    assert levels(day) == []


def test_the_last_entry_of_a_flat_account_locks_and_breaches_nothing() -> None:
    day = day_under().tick("14:54:59.999")
    assert issued(day) == []
    day.tick("16:00:00")
    assert issued(day) == [("14:55:00", "SetLockout"), ("14:55:00", "CancelOrders")]
    assert day.breaches == []


def test_the_lockout_ends_when_the_next_session_opens() -> None:
    day = day_under().tick("15:00:00")
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.kind, lockout.key) == ("until_session", "day")
    day.at("2026-11-22 16:59:59").tick()
    assert day.account_state.lockouts
    day.at("2026-11-22 17:00:00").tick()
    assert not day.account_state.lockouts


def test_something_that_is_still_open_is_hard_and_critical() -> None:
    day = day_under().at("14:00:00").fill("ES", 1, "6000").tick("15:07:00")
    assert levels(day) == [("15:05:00", "flatten"), ("15:07:00", "hard")]
    assert [one.command.level for one in day.commands if one.command.kind == "Alert"][-1] == "critical"
    assert [kind for _, kind in issued(day)].count("CloseAllPositions") == 1


def test_what_was_closed_in_time_is_nothing() -> None:
    day = day_under().at("14:00:00").fill("ES", 1, "6000").at("15:04:59").fill("ES", -1, "6000", profit="0")
    assert levels(day.tick("15:10:00")) == []


def test_programme_hours_example_corn_is_handled_alone() -> None:
    day = day_under().at("12:00:00").fill("ZC", 1, "450").fill("ES", 1, "6000").tick("13:04:59")
    assert issued(day) == []
    day.tick("13:05:00")
    assert [lockout.scope for lockout in day.account_state.lockouts.values()] == ["symbol:ZC"]
    day.tick("13:15:00")
    assert levels(day) == [("13:15:00", "flatten")]
    closes = [one.command.contract for one in day.commands if one.command.kind == "ClosePosition"]
    assert closes == [day.contract("ZC")]
    day.tick("13:17:00")
    assert levels(day)[-1] == ("13:17:00", "hard")


def test_a_root_of_its_own_without_anything_in_it_is_left_alone_until_something_comes() -> None:
    day = day_under().tick("13:06:00")
    assert issued(day) == []
    day.fill("ZC", 1, "450")
    assert [lockout.scope for lockout in day.account_state.lockouts.values()] == ["symbol:ZC"]
    assert guard_breaches(day) == 1


def test_hogs_have_their_own_times() -> None:
    day = day_under().at("12:00:00").fill("HE", 1, "80").tick("13:02:00")
    assert levels(day) == [("13:00:00", "flatten"), ("13:02:00", "hard")]
    assert day.breaches[0].figures["deadline"] == "13:05"


def test_a_closed_day_has_no_times() -> None:
    day = day_under(closed_days=("2026-11-20",)).fill("ES", 1, "6000").tick("16:00:00")
    assert issued(day) == []


def test_past_the_flatten_time_with_something_open_it_is_closed_at_once() -> None:
    day = day_under(start="2026-11-20 15:05:30").take(e.PositionObserved(ACCOUNT, "CON.F.US.EP.Z26", 1), "position")
    assert [level for _, level in levels(day)] in ([], ["flatten"])


def test_in_shadow_it_records_and_locks_nothing() -> None:
    day = day_under(enforce=()).at("14:00:00").fill("ES", 1, "6000").tick("15:07:00")
    assert levels(day) == [("15:05:00", "flatten"), ("15:07:00", "hard")]
    assert day.kinds == []


def test_what_is_open_is_told_five_minutes_and_one_minute_before_it_is_closed() -> None:
    day = day_under().at("14:00:00").fill("ES", 1, "6000").tick("14:59:59.999")
    assert warned(day) == []
    day.tick("15:00:00").tick("15:00:01").tick("15:03:59.999")
    text = f"{day.contract('ES')}: closed in 5 minutes, at 15:05 Chicago, by riskcore; it has to be flat by 15:10"
    assert warned(day) == [("15:00:00", text)]
    day.tick("15:06:00")
    assert [(at, "in a minute" in text) for at, text in warned(day)] == [("15:00:00", False), ("15:04:00", True)]


def test_a_flat_account_is_not_told_that_something_will_be_closed() -> None:
    assert warned(day_under().tick("15:06:00")) == []
    day = day_under().at("14:00:00").fill("ES", 1, "6000").at("15:02:00").fill("ES", -1, "6000", profit="0")
    assert [at for at, _ in warned(day.tick("15:06:00"))] == ["15:00:00"]


def test_a_product_that_closes_earlier_is_told_at_its_own_times() -> None:
    day = day_under().at("12:00:00").fill("ZC", 1, "450").tick("13:10:00")
    assert [at for at, _ in warned(day)] == ["13:10:00"]
    assert "at 13:15 Chicago, by riskcore; it has to be flat by 13:20" in warned(day)[0][1]
    assert [at for at, _ in warned(day.tick("13:14:00"))] == ["13:10:00", "13:14:00"]


def test_in_shadow_nobody_is_told_that_riskcore_will_close() -> None:
    assert warned(day_under(enforce=()).at("14:00:00").fill("ES", 1, "6000").tick("15:04:59")) == []
