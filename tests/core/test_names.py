"""Stored names: what is built is read back, and nothing else is taken for it."""

import pytest

from riskcore.core import names

MNQ = "CON.F.US.MNQ.Z25"


@pytest.mark.parametrize(
    ("scope", "rule", "key"),
    [("account", "RULE-003", "day"), ("symbol:MNQ", "RULE-011", "block.0"), ("account", "OPERATOR", "a/b")],
)
def test_the_id_of_a_lockout_is_read_back(scope: str, rule: str, key: str) -> None:
    text = names.lockout_id(scope, rule, key)
    assert text == f"{scope}/{rule}/{key}"
    assert names.read_lockout_id(text) == (scope, rule, key)


def test_what_is_no_id_of_a_lockout_has_empty_parts() -> None:
    assert names.read_lockout_id("account") == ("account", "", "")


@pytest.mark.parametrize(("scope", "root"), [(names.symbol_scope("MNQ"), "MNQ"), (names.ACCOUNT, None)])
def test_the_root_of_a_scope(scope: str, root: str | None) -> None:
    assert names.root_of_scope(scope) == root


@pytest.mark.parametrize("target", ["day", "a|b", MNQ, ""])
def test_the_target_of_an_episode_is_read_back(target: str) -> None:
    assert names.episode_target(names.episode_name("max_contracts.0", target)) == target


@pytest.mark.parametrize("name", ["day.peak", "tier.7", "since"])
def test_what_a_rule_remembers_is_read_back(name: str) -> None:
    assert names.remembered_name(names.memory_name(names.rule_key("max_contracts", 1), name)) == name


def test_each_block_list_has_lockouts_of_its_own() -> None:
    assert names.block_key("symbol_blocks.0") == "block.0"
    assert names.block_key("symbol_blocks.10") == "block.10"


def test_which_table_of_a_rule() -> None:
    assert names.rule_index(names.rule_key("symbol_blocks", 12)) == "12"


@pytest.mark.parametrize(
    ("target", "order_id"),
    [(names.order_target(7), 7), ("order:7", 7), ("order:", None), ("order:x", None), ("7", None), (MNQ, None)],
)
def test_the_order_of_a_target(target: str, order_id: int | None) -> None:
    assert names.order_of_target(target) == order_id


@pytest.mark.parametrize(
    ("target", "date"),
    [("day", "2026-11-20"), (names.late_target("2026-11-19"), "2026-11-19"), ("day.warn.80", None), (MNQ, None)],
)
def test_which_day_is_breached(target: str, date: str | None) -> None:
    assert names.breached_date(target, "2026-11-20") == date


@pytest.mark.parametrize(
    ("target", "date"),
    [("late.2026-11-19", "2026-11-19"), (names.breached_on("2026-11-20"), "2026-11-20"), ("day", None)],
)
def test_which_day_is_counted(target: str, date: str | None) -> None:
    assert names.counted_date(target) == date


@pytest.mark.parametrize(("name", "ends"), [("day", True), ("day.warn.80", True), ("late.2026-11-19", False)])
def test_what_ends_at_the_reset(name: str, ends: bool) -> None:
    assert names.lasts_a_day(name) is ends


@pytest.mark.parametrize(
    ("target", "is_about"), [(MNQ, True), (f"{MNQ}.stale", True), (f"{MNQ}0", False), ("CON.F.US.MES.Z25", False)]
)
def test_what_is_about_a_contract(target: str, is_about: bool) -> None:
    assert names.is_about_contract(target, MNQ) is is_about


@pytest.mark.parametrize(
    ("kind", "about", "text"),
    [
        ("Alert", None, "b/1/Alert"),
        ("SetLockout", "day", "b/1/SetLockout:day"),
        ("CancelOrder", 7, "b/1/CancelOrder:7"),
    ],
)
def test_the_kind_of_a_command_is_read_back(kind: str, about: str | int | None, text: str) -> None:
    assert names.command_id("b/1", kind, about) == text
    assert names.command_kind(text) == kind


@pytest.mark.parametrize(
    ("contract", "order_id", "target"),
    [(MNQ, None, f"k/{MNQ}"), (MNQ, 7, "k/7"), (None, None, "k/account"), (None, 0, "k/0")],
)
def test_the_id_of_a_request_is_read_back(contract: str | None, order_id: int | None, target: str) -> None:
    assert names.request_target("k", contract, order_id) == target
    read = names.read_request_id(names.request_id("trade:1/7/RULE-003/day/1/CloseAllPositions", target, 2))
    assert read is not None
    assert (read.origin, read.kind, read.attempt) == ("trade:1/7/RULE-003/day/1/CloseAllPositions", "k", 2)
    assert (read.order_id, read.contract) == (order_id, contract if order_id is None else None)


@pytest.mark.parametrize("text", ["", "a/b/c", "a/b/c/d", "a/b/c/"])
def test_what_is_no_id_of_a_request(text: str) -> None:
    assert names.read_request_id(text) is None


def test_an_episode_is_read_back() -> None:
    name = names.episode_name("daily_realized_loss.0", f"day.warn.{MNQ}")
    assert (names.episode_key(name), names.episode_target(name)) == ("daily_realized_loss.0", f"day.warn.{MNQ}")


@pytest.mark.parametrize(
    ("target", "total"),
    [("day", True), ("day.level.flatten", True), ("period", True), ("period.warn.700000", True), (MNQ, False)],
)
def test_totals_are_told_from_other_episodes(target: str, total: bool) -> None:
    assert names.is_once_per_setting(target) == total
