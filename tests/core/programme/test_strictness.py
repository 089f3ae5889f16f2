"""Which change of [programme] loosens, and what of it is in force until the reset."""

from typing import Any

import pytest

from riskcore.core.loosening import compare, in_force_now
from riskcore.core.programme.terms import Terms, account_terms
from riskcore.core.quantities import MONEY_SCALE
from riskcore.settings.config import read_settings
from riskcore.settings.toml_text import settings_toml

OWN = "[accounts.A.programme]\n"


def plain(text: str, under: str = "[programme]\n") -> dict[str, Any]:
    return read_settings(under + text).plain


def in_force(old: str, new: str, under: str = "[programme]\n") -> Terms:
    found = account_terms(in_force_now(plain(old, under), plain(new, under)), 1, "A")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("old", "new", "loosens"),
    [
        ("mll_buffer = 200", "mll_buffer = 199.99", True),
        ("mll_buffer = 200", "mll_buffer = 200.01", False),
        ("floor_override = 48000", "floor_override = 47999.99", True),
        ("floor_override = 48000", "floor_override = 48000.01", False),
        ("floor_override = 48000", "", True),
        ("", "floor_override = 48000", False),
        ("daily_loss_limit = 500", "daily_loss_limit = 500.01", True),
        ("daily_loss_limit = 500", "daily_loss_limit = 499.99", False),
        ("daily_loss_limit = 'standard'", "daily_loss_limit = 'none'", True),
        ("", "daily_loss_limit = 'standard'", False),
        ("daily_loss_limit = 'standard'", "daily_loss_limit = 999.99", False),
        ("daily_loss_limit = 'standard'", "daily_loss_limit = 1000.01", True),
        ("guard_entries_at = 0.8", "guard_entries_at = 0.800001", True),
        ("guard_entries_at = 0.8", "guard_entries_at = 0.799999", False),
        ("flatten_at = 0.95", "flatten_at = 0.96", True),
        ("flatten_at = 0.95", "flatten_at = 0.94", False),
        ("flat_by = '15:00'", "flat_by = '15:01'", True),
        ("flat_by = '15:00'", "flat_by = '14:59'", False),
        ("last_entry_minutes = 20", "last_entry_minutes = 19", True),
        ("last_entry_minutes = 20", "last_entry_minutes = 21", False),
        ("flatten_minutes = 6", "flatten_minutes = 5", True),
        ("flatten_minutes = 6", "flatten_minutes = 7", False),
        ("hard_minutes = 4", "hard_minutes = 3", True),
        ("hard_minutes = 4", "hard_minutes = 5", False),
        ("hedge_grace_seconds = 2", "hedge_grace_seconds = 3", True),
        ("hedge_grace_seconds = 2", "hedge_grace_seconds = 1", False),
        ("enforce = ['mll', 'size']", "enforce = ['mll']", True),
        ("enforce = ['mll', 'size']", "enforce = ['mll', 'hours']", True),
        ("enforce = ['mll']", "enforce = ['size', 'mll']", False),
        ("enforce = ['mll', 'size']", "enforce = ['size', 'mll']", False),
        ("first_payout_taken = true", "", True),
        ("", "first_payout_taken = true", False),
        # Who the account is has no direction.
        ("size = '100K'", "size = '50K'", True),
        ("", "stage = 'xfa'", True),
        ("", "created = 2026-09-01", True),
        ("", "consistency = 0.50", True),
        ("", "readings = { pass_at = 'in_session' }", True),
        ("stage = 'xfa'", "stage = 'xfa'\npayout_path = 'consistency'", True),
    ],
)
@pytest.mark.parametrize("under", ["[programme]\n", OWN])
def test_direction_of_one_change(old: str, new: str, loosens: bool, under: str) -> None:
    before, after = plain(old, under), plain(new, under)
    (change,) = compare(before, after)
    assert change.loosens is loosens
    assert change.path.startswith("programme." if under != OWN else "accounts.A.programme.")
    now = in_force_now(before, after)
    assert now == (before if loosens else after)


def test_a_mixed_change_takes_only_what_tightens() -> None:
    found = in_force("mll_buffer = 300\nflat_by = '15:00'", "mll_buffer = 100\nflat_by = '14:00'\nenforce = ['mll']")
    assert found.mll_buffer_usd == 300 * MONEY_SCALE
    assert found.flat_by == 14 * 3600
    assert found.enforce == ("mll", "dll", "size", "hours")


def test_another_size_waits_and_what_tightens_beside_it_does_not() -> None:
    old, new = "size = '100K'\ndaily_loss_limit = 'standard'", "daily_loss_limit = 'standard'\nmll_buffer = 500"
    found = in_force(old, new)
    assert (found.size, found.size_cap_units, found.maximum_loss_usd) == ("100K", 100, 3_000 * MONEY_SCALE)
    # 1,000 of a 50K is tighter than 2,000 of a 100K.
    assert (found.loss_limit_usd, found.mll_buffer_usd) == (1_000 * MONEY_SCALE, 500 * MONEY_SCALE)
    loose = in_force(new, old)
    assert (loose.size, loose.loss_limit_usd) == ("50K", 1_000 * MONEY_SCALE)
    for before, after in ((old, new), (new, old)):
        now = in_force_now(plain(before), plain(after))
        assert read_settings(settings_toml(now)).plain == now


def test_a_floor_given_to_a_practice_account_counts_at_once() -> None:
    found = in_force("stage = 'practice'", "stage = 'practice'\nfloor_override = 149000")
    assert (found.floor_kind, found.floor_override_usd) == ("override", 149_000 * MONEY_SCALE)
    kept = in_force("stage = 'practice'\nfloor_override = 149000", "stage = 'practice'\nmll_buffer = 500")
    assert (kept.floor_kind, kept.mll_buffer_usd) == ("override", 500 * MONEY_SCALE)


def test_a_programme_that_goes_stays_until_the_reset() -> None:
    for old, new in (("[programme]\nsize = '100K'", ""), (OWN + "size = '100K'", "")):
        (change,) = compare(plain(old, ""), plain(new, ""))
        assert change.loosens
        found = account_terms(in_force_now(plain(old, ""), plain(new, "")), 1, "A")
        assert found is not None
        assert found.size == "100K"


def test_an_account_that_gets_its_own_programme_is_compared_with_the_profiles() -> None:
    old, new = "[programme]\nmll_buffer = 300", "[programme]\nmll_buffer = 300\n" + OWN + "mll_buffer = 100"
    (change,) = compare(plain(old, ""), plain(new, ""))
    assert (change.path, change.loosens) == ("accounts.A.programme.mll_buffer", True)
    found = account_terms(in_force_now(plain(old, ""), plain(new, "")), 1, "A")
    assert found is not None
    assert found.mll_buffer_usd == 300 * MONEY_SCALE
    (back,) = compare(plain(new, ""), plain(old, ""))
    assert not back.loosens


def test_another_version_of_the_figures_waits_for_the_reset() -> None:
    old, new = plain(""), plain("mll_buffer = 300")
    old["programme"]["terms"].update(version="2026-01-01", maximum_loss_usd=1)
    unchanged = plain("")
    (change,) = compare(old, unchanged)
    assert (change.path, change.old, change.new, change.loosens) == (
        "programme.version",
        "2026-01-01",
        "2026-10-10",
        True,
    )
    assert in_force_now(old, unchanged) == old
    terms = in_force_now(old, new)["programme"]["terms"]
    assert (terms["version"], terms["maximum_loss_usd"], terms["mll_buffer_usd"]) == (
        "2026-01-01",
        1,
        300 * MONEY_SCALE,
    )


def test_settings_stored_before_the_programme_was_judged_hold_nothing_back() -> None:
    old = plain("", "")
    old["programme"] = {"name": "topstep", "size": "150K", "last_entry_time": 53_700}
    new = plain("size = '50K'")
    (change,) = compare(old, new)
    assert (change.path, change.loosens) == ("programme", False)
    assert in_force_now(old, new)["programme"] == new["programme"]


def test_immediate_takes_everything() -> None:
    immediate = "[profile]\nloosen_policy = 'immediate'\n"
    old, new = plain("mll_buffer = 300", immediate + "[programme]\n"), plain("", immediate + OWN)
    assert in_force_now(old, new) == new
