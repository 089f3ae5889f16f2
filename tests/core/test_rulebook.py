"""Who is judged by what (INTERFACE.md 3 and 4)."""

from typing import Any

import pytest

from riskcore.core.rulebook import orphaned, rulebook_of
from riskcore.core.state import Account, Lockout

RULES = {"daily_realized_loss": [{"loss_limit": 1}], "max_contracts": [{"limit": 2}]}


def keys(settings: dict[str, Any], account: Account | None = None) -> list[str]:
    return [one.key for one in rulebook_of(settings).instances(account or Account(7))]


def test_the_strongest_rule_comes_first_and_blindness_is_watched() -> None:
    assert keys({"rules": RULES}) == ["daily_realized_loss.0", "blind.0", "max_contracts.0", "calibration.0"]


def test_rules_that_read_quotes_bring_the_feed_along() -> None:
    assert keys({"rules": {"daily_unrealized_loss": [{}]}}) == [
        "daily_unrealized_loss.0",
        "blind.0",
        "feed.0",
        "calibration.0",
    ]


def test_without_rules_nothing_is_watched() -> None:
    assert keys({}) == []


def test_a_rule_that_is_switched_off_keeps_its_number_to_itself() -> None:
    tables = [{"limit": 1, "enabled": False}, {"limit": 2, "shadow": True, "locked": True}]
    book = rulebook_of({"rules": {"max_contracts": tables}})
    [instance] = [one for one in book.instances(Account(7)) if one.key not in ("blind.0", "calibration.0")]
    assert (instance.key, instance.shadow, instance.params.limit) == ("max_contracts.1", True, 2)


@pytest.mark.parametrize("name", ["7", "mine"])
def test_an_account_overrides_by_number_or_by_name(name: str) -> None:
    settings = {"rules": RULES, "accounts": {name: {"max_contracts": [{"limit": 9}]}}}
    book = rulebook_of(settings)
    [_, _, own, _] = book.instances(Account(7, "mine"))
    [_, _, other, _] = book.instances(Account(8, "other"))
    assert (own.params.limit, other.params.limit) == (9, 2)


@pytest.mark.parametrize(
    ("listed", "restrict", "account", "judged"),
    [
        ((), (), Account(7), True),
        (("7",), (), Account(7), True),
        (("8",), (), Account(7), False),
        (("mine",), (), Account(7, "mine"), True),
        (("mine",), (), Account(7, "other"), False),
        (("mine",), (), Account(7), True),  # Nobody can say that it is not.
        (("mine", "8"), (), Account(7), True),
        ((), ("7",), Account(7), True),
        ((), ("8",), Account(7), False),
        (("mine",), ("mine",), Account(7, "mine"), True),
        (("mine",), ("mine",), Account(7), False),
        ((), (), Account(7, simulated=True), True),
        ((), (), Account(7, simulated=False), False),
        (("7",), (), Account(7, simulated=False), True),
    ],
)
def test_who_is_judged(listed: tuple[str, ...], restrict: tuple[str, ...], account: Account, judged: bool) -> None:
    book = rulebook_of({"profile": {"accounts": list(listed)}, "rules": RULES}, restrict)
    assert book.judges(account) is judged
    assert bool(book.instances(account)) is judged
    assert book.instances(account) is book.instances(account)


def test_a_blocked_symbol_is_released_by_its_own_list_alone() -> None:
    off = {"blocked_symbols": ["ES"], "enabled": False}
    settings = {"rules": {"symbol_blocks": [off] * 10 + [{"blocked_symbols": ["ES"]}]}}
    locked = [Lockout("symbol:ES", "RULE-011", key, "symbol_permanent", 0, None, "") for key in ("block.0", "block.10")]
    account = Account(1, lockouts={lockout.id: lockout for lockout in locked})
    assert orphaned(account, rulebook_of(settings).instances(account)) == ["symbol:ES/RULE-011/block.0"]


def test_an_account_that_turns_out_to_be_funded_is_judged_no_more() -> None:
    book, account = rulebook_of({"rules": RULES}), Account(7)
    assert book.instances(account)
    account.simulated = False
    assert not book.instances(account)
    assert not book.quote_readers(account)


def test_only_rules_with_quiet_bounds_read_quotes() -> None:
    book = rulebook_of({"rules": {**RULES, "daily_unrealized_loss": [{}]}})
    readers = book.quote_readers(Account(7))
    assert "daily_unrealized_loss.0" in [one.key for one in readers]
    assert "max_contracts.0" not in [one.key for one in readers]
    assert book.quote_readers(Account(7)) is readers


def test_options_of_the_profile_that_the_core_does_not_read_are_left_alone() -> None:
    book = rulebook_of({"profile": {"name": "x", "mark": "conservative", "operator_unlock": "with_reason"}})
    profile = book.profile
    assert (profile.mark, profile.operator_unlock, profile.accounts) == ("conservative", "with_reason", ())


@pytest.mark.parametrize(
    ("lacks", "lacking"),
    [
        ((), ()),
        (("orders",), ("orders",)),
        (("positions",), ()),  # Exposure follows fills then.
        (("positions", "trades"), ("positions",)),
        (("quotes",), ()),
        (("accounts", "commissions"), ()),
    ],
)
def test_which_inputs_a_rule_lacks(lacks: tuple[str, ...], lacking: tuple[str, ...]) -> None:
    instances = rulebook_of({"rules": {"no_stop_loss_grace": [{}]}}).instances(Account(7))
    [stop_rule] = [one for one in instances if one.key == "no_stop_loss_grace.0"]
    assert stop_rule.lacking(lacks) == lacking


@pytest.mark.parametrize(("basis", "lacking"), [("net", ("commissions",)), ("gross", ())])
def test_commissions_matter_to_a_net_profit_alone(basis: str, lacking: tuple[str, ...]) -> None:
    settings = {"profile": {"pnl_basis": basis}, "rules": {"daily_realized_profit": [{}], "daily_realized_loss": [{}]}}
    found = {one.key: one.lacking(("commissions",)) for one in rulebook_of(settings).instances(Account(7))}
    assert found["daily_realized_profit.0"] == lacking
    assert found["daily_realized_loss.0"] == ()


def test_rights_cannot_be_judged_without_the_account() -> None:
    instances = rulebook_of({"rules": {"auth_loss_guard": [{}]}}).instances(Account(7))
    assert [one.lacking(("accounts",)) for one in instances if one.key == "auth_loss_guard.0"] == [("accounts",)]
