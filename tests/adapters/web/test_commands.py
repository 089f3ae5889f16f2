"""Commands over real loopback: a desk that decides with the real core, and answers for the broker itself."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import price
from riskcore.core.state import Mark
from riskcore.engine.control_client import Answered, NoEngine, ask
from riskcore.engine.control_file import Control, control_path, read_control, write_control
from riskcore.store.lease import ProfileLock
from riskcore.store.recorder import lock_path
from tests.adapters.web.serving import PROFILE, serving
from tests.core.ledger import ACCOUNT
from tests.engine.answering_desk import AnsweringDesk, SmallMarket

Row = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "journal.db")


def asked(desk: AnsweringDesk, store: str, *requests: Row) -> list[Row]:
    """What the engine answers to requests, one after the other; an error answer as itself."""

    def one(request: Row) -> Row:
        try:
            return ask(store, PROFILE, request)
        except Answered as error:
            return {"error": str(error), "exit": error.exit_code}

    async def talk() -> list[Row]:
        async with serving(desk, SmallMarket(), store):
            return [await asyncio.to_thread(one, request) for request in requests]

    lock = ProfileLock(lock_path(store, PROFILE), PROFILE)
    try:
        return asyncio.run(talk())
    finally:
        lock.release()


def order(action: str, **figures: Any) -> Row:
    return {"ask": "order", "action": action, **figures}


# ---- orders ------------------------------------------------------------------------------------------


def test_an_order_is_placed_and_told_with_its_rounded_price(store: str) -> None:
    desk = AnsweringDesk()
    request = order(
        "place", contract="mnq", side="buy", size=2, type="limit", limit_price="20990.10", stop_loss_ticks=40
    )
    [answer] = asked(desk, store, request)
    assert (answer["outcome"], answer["order"], answer["limit_price"]) == ("accepted", 77, "20990")
    assert answer["contract"] == "CON.F.US.MNQ.Z26"
    assert answer["stop_loss_ticks"] == -40
    assert answer["notes"] == ["limit price 20990.1 was rounded down to 20990: the tick is 0.25"]
    assert desk.planned[0].tag == answer["tag"]


def test_a_sale_has_its_bracket_on_the_other_side(store: str) -> None:
    request = order("place", contract="MNQ", side="sell", size=1, stop_loss_ticks=40, take_profit_ticks=80)
    [answer] = asked(AnsweringDesk(), store, request)
    assert (answer["stop_loss_ticks"], answer["take_profit_ticks"], answer["type"]) == (40, -80, "market")


def test_a_declined_order_says_why_and_sends_nothing(store: str) -> None:
    desk = AnsweringDesk(max_contracts={"limit": 1})
    [answer] = asked(desk, store, order("place", contract="MNQ", side="buy", size=2))
    assert answer["outcome"] == "declined"
    assert answer["reason"] == "RULE-001 declines it: it would make 2 contracts, the limit is 1"
    assert answer["broker_reachable"] is True
    assert desk.planned == []


def test_a_lost_connection_is_told_apart(store: str) -> None:
    desk = AnsweringDesk()
    desk.take(e.ConnectionChanged("user", "lost"), "c")
    [answer] = asked(desk, store, order("place", contract="MNQ", side="buy", size=1))
    assert (answer["outcome"], answer["broker_reachable"]) == ("declined", False)


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        (lambda request: e.RequestRefused(ACCOUNT, request, "no funds"), "refused", "no funds"),
        (lambda request: e.RequestUnresolved(ACCOUNT, request, "timeout"), "unresolved", "timeout"),
        (None, "unresolved", "the broker has not answered; it is not sent again"),
    ],
)
def test_what_the_broker_says_is_told(store: str, body: Any, outcome: str, reason: str) -> None:
    desk = AnsweringDesk()
    desk.answer = body
    [answer] = asked(desk, store, order("place", contract="MNQ", side="buy", size=1))
    assert (answer["outcome"], answer["reason"]) == (outcome, reason)


def test_a_position_is_closed_by_its_root(store: str) -> None:
    desk = AnsweringDesk()
    desk.push("MNQ", 3, "21000")
    partial, whole = asked(desk, store, order("close", contract="MNQ", size=1), order("close", contract="MNQ"))
    assert (partial["kind"], partial["size"]) == ("partialCloseContract", 1)
    assert whole["outcome"] == "declined", "the partial one is on its way"
    desk.fill("MNQ", -1, "21000", profit="0").push("MNQ", 2, "21000")
    assert asked(desk, store, order("close", contract="MNQZ6"))[0]["kind"] == "closeContract"


def test_the_stop_of_a_position_is_its_bracket_leg_else_its_only_one(store: str) -> None:
    desk = AnsweringDesk()
    desk.push("MNQ", 2, "21000").order(2, "MNQ", -2, type=4, stop="20950")
    desk.order(3, "MNQ", -2, type=1, limit="21100").order(4, "MNQ", 2, type=4, stop="21200")
    [answer] = asked(desk, store, order("modify-stop", contract="MNQ", price="20960.10"))
    assert (answer["order"], answer["stop_price"]) == (2, "20960")
    desk.order(5, "MNQ", -2, type=4, stop="20800", parent=99)
    stop, target = asked(
        desk,
        store,
        order("modify-stop", contract="MNQ", price="20810"),
        order("modify-target", contract="MNQ", price="21110.10"),
    )
    assert stop["order"] == 5
    assert (target["order"], target["limit_price"]) == (3, "21110.25")


@pytest.mark.parametrize(
    ("action", "type_", "level", "prices"),
    [
        ("modify-target", 1, "limit", ("21100", "21050.25", "21075")),
        ("modify-stop", 4, "stop", ("20900", "20850.25", "20875")),
    ],
)
@pytest.mark.parametrize("parent", [None, 99])
def test_of_two_stops_or_targets_none_is_moved_without_being_named(
    store: str, action: str, type_: int, level: str, prices: tuple[str, str, str], parent: int | None
) -> None:
    desk = AnsweringDesk()
    eighth, seventh, wanted = prices
    desk.push("MNQ", 2, "21000")
    for number, at in ((8, eighth), (7, seventh)):
        desk.order(number, "MNQ", -1, type=type_, parent=parent, **{level: at})
    which, named = asked(desk, store, order(action, contract="MNQ", price=wanted), order(action, order=8, price=wanted))
    listed = f"7 (1 at {seventh}), 8 (1 at {eighth})"
    assert f"several working {action.removeprefix('modify-')}s, name the one you mean with --order: {listed}" in str(
        which
    )
    assert which["exit"] == 2
    assert (named["outcome"], named["order"]) == ("accepted", 8)
    assert [request.order_id for request in desk.planned] == [8]


def test_a_first_quote_without_a_price_is_no_price(store: str) -> None:
    desk = AnsweringDesk()
    contract = "CON.F.US.EP.Z26"
    desk.follow = lambda contract: desk.take(e.QuoteObserved(contract, None, None, None), "q", "market")  # type: ignore[method-assign]
    desk.mark("ES", "6000").book.marks[contract] = Mark(None, None, None, desk.book.now, 10**10)
    [nothing] = asked(desk, store, {"ask": "price", "contract": "ES"})
    assert "no price of CON.F.US.EP.Z26 was received" in nothing["error"]
    desk.mark("ES", "6001.25")
    [found] = asked(desk, store, {"ask": "price", "contract": "ES"})
    assert found["last"] == "6001.25"


def test_an_order_is_cancelled_by_its_number(store: str) -> None:
    desk = AnsweringDesk()
    desk.order(9, "MNQ", 1, limit="20900")
    first, unknown = asked(desk, store, order("cancel", order=9), order("cancel", order=8))
    assert (first["outcome"], first["kind"], first["order"]) == ("accepted", "cancelOrder", 9)
    assert unknown["outcome"] == "declined"


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (order("place", contract="MNQ", side="up", size=1), "side is buy or sell"),
        (
            order("place", contract="MNQ", side="buy", size=1, type="limit", limit_price="x"),
            "limit price: not a decimal",
        ),
        (order("place", contract="XYZ", side="buy", size=1), "no contract 'XYZ' is known"),
        (order("place", contract="6E", side="buy", size=1), "does not describe CON.F.US.EU6.H27"),
        (order("place", side="buy", size=1), "name a contract"),
        (order("place", contract="MNQ", side="buy", size="1"), "size must be a whole number"),
        (order("close", contract="MNQ", size=0), "size must be 1 or more"),
        (order("modify-stop", contract="MNQ", price="1"), "no position with a working stop"),
        (order("modify-stop", order=5, price="1"), "order 5 is not known"),
        (order("double"), "is no order command"),
        (order("cancel", order=1, account="OTHER"), "not one of this profile's accounts: PRAC-1"),
    ],
)
def test_what_makes_no_sense_is_a_mistake_of_usage(store: str, request_: Row, why: str) -> None:
    [answer] = asked(AnsweringDesk(), store, request_)
    assert why in answer["error"]
    assert answer["exit"] == 2


def test_one_of_several_accounts_must_be_named(store: str) -> None:
    desk = AnsweringDesk()
    desk.account(5, name="PRAC-2")
    unnamed, named = asked(desk, store, order("cancel", order=1), order("cancel", order=1, account="PRAC-2"))
    assert "name the account" in unnamed["error"]
    assert named["account"] == 5


# ---- lockouts ----------------------------------------------------------------------------------------


def test_a_lock_holds_every_account_and_is_never_shortened(store: str) -> None:
    desk = AnsweringDesk()
    desk.push("MNQ", 1, "21000")
    hour, half = asked(
        desk, store, {"ask": "lock", "until": "60m", "reason": "enough"}, {"ask": "lock", "until": "30m"}
    )
    assert hour["accounts"][0]["expires_at"] == "2026-11-20T15:00:00Z"
    assert hour["accounts"][0]["already_longer"] is False
    assert half["accounts"][0]["already_longer"] is True
    assert half["accounts"][0]["expires_at"] == hour["accounts"][0]["expires_at"]
    assert "closeContract CON.F.US.MNQ.Z26" in desk.asked
    [answer] = asked(desk, store, order("place", contract="MNQ", side="buy", size=1))
    assert "locked by OPERATOR" in answer["reason"] or "closing or reducing" in answer["reason"]


def test_a_lock_without_flatten_leaves_what_is_open(store: str) -> None:
    desk = AnsweringDesk()
    desk.push("MNQ", 1, "21000")
    [answer] = asked(desk, store, {"ask": "lock", "until": "day", "flatten": False})
    assert answer["accounts"][0]["open_positions"] == 1
    assert desk.asked == []


@pytest.mark.parametrize(("policy", "ended"), [("with_reason", True), ("never", False)])
def test_an_unlock_is_a_matter_of_policy(store: str, policy: str, ended: bool) -> None:
    desk = AnsweringDesk(profile={"operator_unlock": policy})
    lock, unlock = asked(
        desk, store, {"ask": "lock", "until": "30m"}, {"ask": "unlock", "lockout": "OPERATOR", "reason": "mistyped"}
    )
    assert lock["accounts"][0]["locked"]
    assert unlock["ended"] is ended
    assert bool(desk.bodies(e.OperatorOverride)) is ended, "a refused unlock leaves no fact behind"
    assert bool(desk.account_state.lockouts) is not ended


def test_there_must_be_a_lockout_to_end(store: str) -> None:
    [answer] = asked(AnsweringDesk(), store, {"ask": "unlock", "reason": "x"})
    assert answer == {"error": "PRAC-1 is not locked", "exit": 2}


@pytest.mark.parametrize(("ask_", "kinds"), [("flatten", 2), ("cancel-all", 1)])
def test_flat_or_without_orders_and_not_locked(store: str, ask_: str, kinds: int) -> None:
    desk = AnsweringDesk()
    desk.push("MNQ", 1, "21000").order(9, "MNQ", 1, limit="20900")
    first, again = asked(desk, store, {"ask": ask_}, {"ask": ask_, "account": "PRAC-1"})
    assert first["schema"] == f"riskcore.{ask_.replace('-', '_')}/1"
    assert len(first["commands"]) == kinds
    assert first["carried_out"] is desk.book.enforces
    assert again["accounts"][0]["account_name"] == "PRAC-1"
    assert desk.account_state.lockouts == {}
    closes = [one for one in desk.asked if one.startswith("closeContract")]
    assert len(closes) == (1 if ask_ == "flatten" else 0), "asked twice, done once"


# ---- looking -----------------------------------------------------------------------------------------


def test_a_price_nobody_watches_is_subscribed_to(store: str) -> None:
    desk = AnsweringDesk()
    known, new = asked(desk, store, {"ask": "price", "contract": "MNQ"}, {"ask": "price", "contract": "ES"})
    assert (known["last"], known["stale"], known["tick_size"]) == ("21000", False, "0.25")
    assert (new["contract"], new["last"]) == ("CON.F.US.EP.Z26", "6000")
    assert desk.followed == ["CON.F.US.EP.Z26"]


def test_health_is_told_and_a_mistake_stays_a_mistake(store: str) -> None:
    health, picture = asked(AnsweringDesk(), store, {"ask": "health"}, {"ask": "portfolio"})
    assert health["score"] == 93
    assert "RuntimeError: a mistake in a picture" in picture["error"]
    assert picture["exit"] == 1


# ---- the control file --------------------------------------------------------------------------------

LATER = Control("http://127.0.0.1:9", "of another engine", PROFILE, 1, "2026-11-20T14:30:00Z", read_only=False)


def test_the_file_is_this_users_own_and_goes_with_the_engine(store: str) -> None:
    path = control_path(store, PROFILE)

    async def look() -> tuple[int, Row, str]:
        async with serving(AnsweringDesk(), SmallMarket(), store) as control:
            return path.stat().st_mode & 0o077, json.loads(path.read_text()), control.token

    others, said, token = asyncio.run(look())
    if hasattr(socket, "AF_UNIX"):
        assert others == 0
    assert not path.exists()
    assert list(said) == ["schema", "url", "token", "profile", "pid", "started_at", "read_only"]
    assert (said["schema"], said["profile"], said["read_only"]) == ("riskcore.control/1", PROFILE, False)
    assert asyncio.run(look())[2] != token, "a new one at each start"


def test_the_file_of_a_later_engine_is_left_alone(store: str) -> None:
    path = control_path(store, PROFILE)

    async def replaced() -> None:
        async with serving(AnsweringDesk(), SmallMarket(), store):
            write_control(path, LATER)

    asyncio.run(replaced())
    assert read_control(path) == LATER


def test_without_an_engine_the_command_to_start_one_is_named(store: str) -> None:
    with pytest.raises(NoEngine, match="start one with: riskcore live"):
        ask(store, PROFILE, {"ask": "health"})
    write_control(control_path(store, PROFILE), LATER)
    with pytest.raises(NoEngine, match="no engine is running"):
        ask(store, PROFILE, {"ask": "health"})


def test_prices_are_read_exactly(store: str) -> None:
    desk = AnsweringDesk()
    request = order("place", contract="MNQ", side="buy", size=1, type="limit", limit_price="20990.25")
    asked(desk, store, request)
    assert desk.planned[0].terms is not None
    assert desk.planned[0].terms.limit_price == price("20990.25")
