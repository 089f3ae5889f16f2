"""What loosens, and what is in force until the reset (RULES.md 1.6)."""

from typing import Any

import pytest

from riskcore.core.loosening import Change, compare, in_force_now
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Account
from riskcore.settings.config import read_settings


def plain(text: str) -> dict[str, Any]:
    return read_settings(text).plain


def judged(old: str, new: str) -> dict[str, bool]:
    return {change.path: change.loosens for change in compare(plain(old), plain(new))}


def limit_in_force(settings: dict[str, Any], account: Account) -> int:
    (limit,) = (
        instance.params.limit
        for instance in rulebook_of(settings).instances(account)
        if instance.rule.name == "max_contracts"
    )
    assert isinstance(limit, int)
    return limit


LOSS = "[rules.daily_realized_loss]\n"
BLOCKS = "[rules.symbol_blocks]\n"
RUN = "consecutive_losses = {{ count = {}, cooldown_seconds = 60 }}"
PER_ROOT = "[rules.max_contracts_per_instrument]\n"


def test_no_difference_is_no_change() -> None:
    text = f"{LOSS}loss_limit = 400\n[programme]\n[accounts.A.rules.max_contracts]\nlimit = 2"
    assert compare(plain(text), plain(text)) == []
    assert in_force_now(plain(text), plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("old", "new", "loosens"),
    [
        (f"{LOSS}loss_limit = 400", f"{LOSS}loss_limit = 400.000001", True),
        (f"{LOSS}loss_limit = 400", f"{LOSS}loss_limit = 399.999999", False),
        (f"{LOSS}enabled = false", LOSS, False),
        (LOSS, f"{LOSS}enabled = false", True),
        (LOSS, f"{LOSS}shadow = true", True),
        (f"{LOSS}shadow = true", LOSS, False),
        (LOSS, f"{LOSS}locked = true", False),
        (f"{LOSS}locked = true", LOSS, True),
        # A field without a direction counts as loosening.
        (LOSS, f"{LOSS}warn_at = [0.5]", True),
        ("[rules.trade_frequency_limit]\nper_minute = 'off'", "[rules.trade_frequency_limit]\nper_minute = 9", False),
        ("[rules.trade_frequency_limit]\nper_minute = 9", "[rules.trade_frequency_limit]\nper_minute = 'off'", True),
        (
            "[rules.trade_frequency_limit]\ncooldowns = { minute = 9 }",
            "[rules.trade_frequency_limit]\ncooldowns = { minute = 10 }",
            False,
        ),
        (
            "[rules.trade_frequency_limit]\ncooldowns = { minute = 9 }",
            "[rules.trade_frequency_limit]\ncooldowns = { minute = 8 }",
            True,
        ),
        ("[rules.max_contracts]", "[rules.max_contracts]\ninclude_working_orders = true", False),
        ("[rules.max_contracts]\ninclude_working_orders = true", "[rules.max_contracts]", True),
        (BLOCKS, f"{BLOCKS}blocked_symbols = ['CL']", False),
        (f"{BLOCKS}blocked_symbols = ['CL', 'ES']", f"{BLOCKS}blocked_symbols = ['ES', 'NQ']", True),
        (BLOCKS, f"{BLOCKS}allowed_symbols = ['CL']", False),
        (f"{BLOCKS}allowed_symbols = ['CL', 'ES']", f"{BLOCKS}allowed_symbols = ['ES']", False),
        (f"{BLOCKS}allowed_symbols = ['ES']", f"{BLOCKS}allowed_symbols = ['ES', 'CL']", True),
        ("[rules.cooldown_after_loss]", f"[rules.cooldown_after_loss]\n{RUN.format(3)}", False),
        (f"[rules.cooldown_after_loss]\n{RUN.format(3)}", f"[rules.cooldown_after_loss]\n{RUN.format(2)}", False),
        (f"[rules.cooldown_after_loss]\n{RUN.format(3)}", f"[rules.cooldown_after_loss]\n{RUN.format(4)}", True),
        (f"[rules.cooldown_after_loss]\n{RUN.format(3)}", "[rules.cooldown_after_loss]", True),
        ("[profile]\non_blind = 'flatten'", "[profile]\non_blind = 'alert'", True),
        ("[profile]\non_blind = 'alert'", "[profile]\non_blind = 'flatten'", False),
        ("[profile]\nstrict_mode = true", "[profile]", True),
        ("[profile]", "[profile]\nstrict_mode = true", False),
        ("[profile]\nblind_limit_seconds = 5", "[profile]\nblind_limit_seconds = 6", True),
        ("[profile]\nblind_limit_seconds = 5", "[profile]\nblind_limit_seconds = 4", False),
        ("[profile]", "[profile]\nreset_time = '16:00'", True),
        ("[profile]\naccounts = ['A']", "[profile]\naccounts = ['A', 'B']", False),
        ("[profile]\naccounts = ['A', 'B']", "[profile]\naccounts = ['A']", True),
        ("[profile]\naccounts = 'all'", "[profile]\naccounts = ['A']", True),
        ("[profile]\naccounts = ['A']", "[profile]\naccounts = 'all'", False),
        ("", "[programme]", False),
        ("[programme]", "", True),
        (f"{PER_ROOT}limits = {{ MNQ = 2 }}", f"{PER_ROOT}limits = {{ MNQ = 3 }}", True),
        (f"{PER_ROOT}limits = {{ MNQ = 2 }}", f"{PER_ROOT}limits = {{ MNQ = 2, ES = 1 }}", False),
        (f"{PER_ROOT}limits = {{ MNQ = 2, ES = 1 }}", f"{PER_ROOT}limits = {{ MNQ = 2 }}", True),
        # A root that gets its own number is freed when roots without one were held tighter.
        (f"{PER_ROOT}default_limit = 1", f"{PER_ROOT}default_limit = 1\nlimits = {{ ES = 2 }}", True),
        (f"{PER_ROOT}default_limit = 2", f"{PER_ROOT}default_limit = 2\nlimits = {{ ES = 1 }}", False),
        (f"{PER_ROOT}unknown_symbol_action = 'block'", f"{PER_ROOT}default_limit = 1", True),
        (
            f"{PER_ROOT}unknown_symbol_action = 'allow_with_limit:3'",
            f"{PER_ROOT}unknown_symbol_action = 'block'",
            False,
        ),
        (PER_ROOT, f"{PER_ROOT}unknown_symbol_action = 'allow_with_limit:3'", False),
    ],
)
def test_direction_of_one_change(old: str, new: str, loosens: bool) -> None:
    changes = compare(plain(old), plain(new))
    assert changes, "the example changes nothing"
    assert any(change.loosens for change in changes) is loosens
    assert (in_force_now(plain(old), plain(new)) == plain(new)) is not loosens


def test_rules_that_come_and_go() -> None:
    assert judged("", LOSS) == {"rules.daily_realized_loss.0": False}
    assert judged(LOSS, "") == {"rules.daily_realized_loss.0": True}
    assert judged(f"{LOSS}enabled = false", "") == {"rules.daily_realized_loss.0": False}
    twice = "[[rules.daily_realized_loss]]\n[[rules.daily_realized_loss]]\nloss_limit = 9"
    assert judged(LOSS, twice) == {"rules.daily_realized_loss.1": False}
    assert in_force_now(plain(LOSS), plain(twice)) == plain(twice)
    assert in_force_now(plain(twice), plain(LOSS))["rules"] == plain(twice)["rules"]
    assert in_force_now(plain(LOSS), plain(""))["rules"] == plain(LOSS)["rules"]


def test_a_mixed_change_takes_only_what_tightens() -> None:
    old = f"{LOSS}loss_limit = 400\n[rules.max_contracts]\nlimit = 5"
    new = f"{LOSS}loss_limit = 300\n[rules.max_contracts]\nlimit = 9\ncooldown_seconds = 90"
    now = in_force_now(plain(old), plain(new))["rules"]
    assert now["daily_realized_loss"][0]["loss_limit"] == 300_000_000
    assert (now["max_contracts"][0]["limit"], now["max_contracts"][0]["cooldown_seconds"]) == (5, 90)


def test_overrides_are_compared_as_the_account_feels_them() -> None:
    base, override = "[rules.max_contracts]\nlimit = 5\n", "[accounts.A.rules.max_contracts]\nlimit = {}"
    assert judged(base, base + override.format(2)) == {"accounts.A.rules.max_contracts.0.limit": False}
    assert judged(base + override.format(2), base) == {"accounts.A.rules.max_contracts.0.limit": True}
    assert judged(base, base + override.format(6)) == {"accounts.A.rules.max_contracts.0.limit": True}
    now = in_force_now(plain(base + override.format(2)), plain(base))
    assert limit_in_force(now, Account(1, "A")) == 2
    assert limit_in_force(now, Account(2, "B")) == 5


@pytest.mark.parametrize(("limit", "least"), [(9, 2), (5, 2), (1, 1)])
def test_a_limit_of_an_account_is_not_loosened_by_naming_the_account_otherwise(limit: int, least: int) -> None:
    base = "[rules.max_contracts]\nlimit = 5\n"
    old, new = (f"{base}[accounts.{key}.rules.max_contracts]\nlimit = {size}" for key, size in (("A", 2), ("7", limit)))
    now = rulebook_of(in_force_now(plain(old), plain(new))).instances(Account(7, "A"))
    limits = {one.params.limit for one in now if one.rule.name == "max_contracts"}
    assert min(limits) == least
    assert limit_in_force(plain(new), Account(7, "A")) == limit


def test_tables_of_an_account_by_id_and_by_name_count_both() -> None:
    text = "[accounts.7.rules.max_contracts]\nlimit = 3\n[accounts.A.rules.daily_realized_loss]\n"
    names = [one.rule.name for one in rulebook_of(plain(text)).instances(Account(7, "A"))]
    assert {"max_contracts", "daily_realized_loss"} <= set(names)
    assert limit_in_force(plain(text + "[accounts.A.rules.max_contracts]\nlimit = 3"), Account(7, "A")) == 3


def test_settings_stored_by_an_older_version_may_lack_an_option() -> None:
    """It starts with the value that is wanted: what was not there cannot have been loosened."""
    text = f"{LOSS}loss_limit = 400\n[accounts.A.rules.max_contracts]\nlimit = 2"
    old, new = plain(text), plain(text.replace("400", "500"))
    for table, option in (
        (old["profile"], "mark"),
        (old["rules"]["daily_realized_loss"][0], "warn_at"),
        (old["accounts"]["A"]["max_contracts"][0], "count_type"),
    ):
        del table[option]
    assert in_force_now(old, new) == plain(text)
    assert [change.path for change in compare(old, new)] == ["rules.daily_realized_loss.0.loss_limit"]


def test_immediate_takes_everything_but_what_is_locked() -> None:
    head = "[profile]\nloosen_policy = 'immediate'\n"
    old = f"{head}{LOSS}loss_limit = 400\nlocked = true\n[rules.max_contracts]\nlimit = 5"
    new = f"{head}{LOSS}loss_limit = 500\nlocked = true\n[rules.max_contracts]\nlimit = 9"
    now = in_force_now(plain(old), plain(new))
    assert now["rules"]["daily_realized_loss"][0]["loss_limit"] == 400_000_000
    assert now["rules"]["max_contracts"][0]["limit"] == 9
    gone = in_force_now(plain(old), plain(head))
    assert list(gone["rules"]) == ["daily_realized_loss"]


def test_the_policy_itself_cannot_be_loosened_at_once() -> None:
    old, new = plain(LOSS), plain(f"[profile]\nloosen_policy = 'immediate'\n{LOSS}loss_limit = 900")
    now = in_force_now(old, new)
    assert now["profile"]["loosen_policy"] == "next_reset"
    assert now["rules"] == old["rules"]


@pytest.mark.slow
def test_fields_that_need_one_another_hold_together() -> None:
    """Whatever changes between two valid settings, what is in force at once is valid and never looser than before."""
    modes = ["mode = 'breakeven'\narm_profit = 100", "mode = 'give_back'\narm_profit = 50", "profit_target = 900", ""]
    runs = ["", RUN.format(2), RUN.format(5), "loss_thresholds = []"]
    exits = ["", "partial_exits = [{ at_r = 1, fraction = 1 }]", "auto_stop_loss = { ticks = 4 }"]
    texts = [
        f"[rules.max_unrealized_profit]\n{mode}\n[rules.cooldown_after_loss]\n{run}\n"
        f"[rules.trade_management]\nenabled = true\n{part}"
        for mode in modes
        for run in runs
        for part in exits
    ]
    settings = [plain(text) for text in texts]
    for old in settings:
        for new in settings:
            now = in_force_now(old, new)
            rulebook_of(now).instances(Account(1, "A"))
            assert not any(change.loosens for change in compare(old, now))


def test_a_change_names_both_values() -> None:
    changes = compare(plain(f"{LOSS}loss_limit = 400"), plain(f"{LOSS}loss_limit = 500"))
    assert changes == [Change("rules.daily_realized_loss.0.loss_limit", 400_000_000, 500_000_000, True)]
