"""[programme] and [accounts."…".programme]: ranges, contradictions, merging, and writing them back (PROGRAMME.md 2)."""

from typing import Any

import pytest

from riskcore.core.programme.terms import Terms, account_terms
from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE
from riskcore.errors import ConfigError
from riskcore.settings.config import read_settings
from riskcore.settings.programme_table import PRODUCTS
from riskcore.settings.toml_text import settings_toml


def programme(text: str) -> dict[str, Any]:
    plain: dict[str, Any] = read_settings(f"[programme]\n{text}").plain["programme"]
    return plain


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        programme(text)
    return str(caught.value)


def terms(text: str, account: int, name: str | None) -> Terms | None:
    return account_terms(read_settings(text).plain, account, name)


def test_defaults() -> None:
    plain = programme("")
    del plain["terms"]
    assert plain == {
        "name": "topstep",
        "stage": "combine",
        "product": "standard",
        "size": "50K",
        "daily_loss_limit": "none",
        "consistency": "by_date",
        "created": None,
        "payout_path": "standard",
        "payout_cap": "standard",
        "first_payout_taken": False,
        "floor_override": None,
        "mll_buffer": 200 * MONEY_SCALE,
        "guard_entries_at": FRACTION_SCALE * 90 // 100,
        "flatten_at": FRACTION_SCALE * 95 // 100,
        "flat_by": 15 * 3600 + 10 * 60,
        "last_entry_minutes": 15,
        "flatten_minutes": 5,
        "hard_minutes": 3,
        "hedge_grace_seconds": 2,
        "enforce": ["mll", "dll", "size", "hours"],
        "readings": {},
    }


@pytest.mark.parametrize(
    "text",
    [
        *(f"stage = '{stage}'" for stage in ("combine", "xfa", "pro", "practice")),
        *(f"size = '{size}'" for size in ("50K", "100K", "150K")),
        *(f"product = '{product}'" for product in PRODUCTS[:4]),
        *(f"product = '{product}'\nstage = 'challenge'" for product in PRODUCTS[4:]),
        "product = 'static_25k'\nsize = '25K'",
        "product = 'freedom_250k'\nsize = '250K'\nstage = 'xfa'",
        "stage = 'practice'\nsize = '50K'",
        "consistency = 0.55",
        "consistency = '0.50'",
        "consistency = 0.5",
        "created = 2026-09-15",
        "created = '2026-09-15'",
        "daily_loss_limit = 0.000001",
        "flat_by = '00:01'",
        "flat_by = '15:10'\nhard_minutes = 3",
        "flat_by = '15:09'\nhard_minutes = 2",
        "flat_by = '15:08'\nhard_minutes = 1",
        "guard_entries_at = 0.9\nflatten_at = 0.9",
        "last_entry_minutes = 5\nflatten_minutes = 5\nhard_minutes = 5",
        "enforce = []",
        "enforce = ['hedge', 'news', 'hours', 'size', 'dll', 'mll']",
        "floor_override = 'off'",
        "payout_cap = 'double'\nstage = 'xfa'",
        # What only an XFA reads is not looked at elsewhere.
        "product = 'static_25k'\npayout_cap = 'double'",
    ],
)
def test_accepted(text: str) -> None:
    plain = read_settings(f"[programme]\n{text}").plain
    assert read_settings(settings_toml(plain)).plain == plain


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("name = 'apex'", "programme.name = 'apex': must be one of topstep"),
        ("stage = 'funded'", "must be one of combine, xfa, pro, practice, challenge"),
        ("product = 'static_75k'", "must be one of standard, static_25k"),
        ("size = '75K'", "must be one of 25K, 50K, 100K, 150K, 250K"),
        ("size = '25K'", "programme.size = '25K': standard accounts are 50K, 100K, 150K"),
        ("size = '250K'", "standard accounts are 50K, 100K, 150K"),
        ("product = 'static_25k'\nsize = '50K'", "programme.size = '50K': static_25k is 25K; leave size out"),
        ("product = 'freedom_250k'\nsize = '150K'", "freedom_250k is 250K"),
        ("product = 'challenge_3000'\nstage = 'challenge'\nsize = '100K'", "leave size out"),
        ("product = 'challenge_1500'", "do not fit: a challenge has both"),
        ("stage = 'challenge'", "do not fit: a challenge has both"),
        ("stage = 'xfa'\nproduct = 'challenge_1500'", "do not fit"),
        ("stage = 'pro'\nproduct = 'static_50k'", "pro is standard only"),
        ("stage = 'practice'\nproduct = 'static_50k'", "practice is standard only"),
        ("daily_loss_limit = 0", "must be an amount of dollars above 0, or one of none, standard"),
        ("daily_loss_limit = 'bought'", "must be an amount of dollars above 0, or one of none, standard"),
        ("daily_loss_limit = 'off'", "must be an amount of dollars above 0, or one of none, standard"),
        ("consistency = 0.52", "consistency = 0.52: must be one of by_date, 0.55, 0.50, off"),
        ("consistency = 0.550001", "must be one of by_date"),
        ("consistency = true", "must be one of by_date"),
        ("created = 'yesterday'", "programme.created: 'yesterday' is not a date"),
        ("created = 2026-09-15T10:00:00", "is not a date"),
        ("first_payout_taken = 1", "must be true or false"),
        ("guard_entries_at = 0.96", "programme: guard_entries_at must not be above flatten_at"),
        ("guard_entries_at = 0", "must be a fraction above 0 and at most 1"),
        ("flatten_at = 1.000001", "must be a fraction above 0 and at most 1"),
        ("flat_by = '00:00'", "must be a time of day HH:MM from 00:01 to 15:10"),
        ("flat_by = '15:11'", "must be a time of day HH:MM from 00:01 to 15:10"),
        ("flat_by = '15:10:01'", "must be a time of day HH:MM from 00:01 to 15:10"),
        ("hard_minutes = 2", "flat_by less hard_minutes must be before 15:08"),
        ("flat_by = '15:09'\nhard_minutes = 1", "must be before 15:08"),
        ("flat_by = '15:10:00'\nhard_minutes = 2", "must be before 15:08"),
        ("last_entry_minutes = 4", "must not rise in this order"),
        ("hard_minutes = 6", "must not rise in this order"),
        ("hard_minutes = 0", "must be a whole number from 1 to"),
        ("hedge_grace_seconds = 61", "must be a whole number from 0 to 60"),
        ("hedge_grace_seconds = -1", "must be a whole number from 0 to 60"),
        ("enforce = ['mll', 'target']", "must be a list of mll, dll, size, hours, news, hedge"),
        ("enforce = ['mll', 'mll']", "names a value twice"),
        ("mll_buffer = 0.009999", "must be an amount of dollars from 0.01 to 10000"),
        ("mll_buffer = 10000.01", "must be an amount of dollars from 0.01 to 10000"),
        (
            "readings = { pass_at = 'noon' }",
            "programme.readings.pass_at = 'noon': must be one of end_of_day, in_session",
        ),
        ("readings = { pass = 'noon' }", "programme.readings.pass: unknown setting; did you mean pass_at?"),
        ("stage = 'xfa'\nproduct = 'freedom_250k'\npayout_path = 'consistency'", "freedom_250k has the standard path"),
        ("stage = 'xfa'\nproduct = 'static_25k'\npayout_cap = 'double'", "static_25k has no doubled cap"),
        ("last_entry_time = '14:55'", "programme.last_entry_time: is no longer a setting; write last_entry_minutes"),
        ("flatten_time = '15:05'", "write flatten_minutes"),
        ("hard_flatten_time = '15:07'", "write hard_minutes"),
    ],
)
def test_refused(text: str, part: str) -> None:
    assert part in refused(text)


def test_an_account_overrides_field_by_field() -> None:
    text = """
        [programme]
        size = "100K"
        mll_buffer = 300
        readings = { pass_at = "in_session" }
        [accounts.A.programme]
        floor_override = 97500
        readings = { labs_xfa = "strict" }
        [accounts.12.programme]
        mll_buffer = 50
    """
    first, second, other = terms(text, 1, "A"), terms(text, 12, "B"), terms(text, 3, "C")
    assert first is not None
    assert second is not None
    assert other is not None
    assert (first.size, first.mll_buffer_usd, first.floor_override_usd) == ("100K", 300 * MONEY_SCALE, 97_500_000_000)
    assert (first.readings["pass_at"], first.readings["labs_xfa"]) == ("in_session", "strict")
    assert (second.size, second.mll_buffer_usd, second.floor_override_usd) == ("100K", 50 * MONEY_SCALE, None)
    assert (other.mll_buffer_usd, other.readings["labs_xfa"]) == (300 * MONEY_SCALE, "as_standard")


def test_an_account_with_another_product_takes_its_size() -> None:
    text = '[programme]\nsize = "150K"\n[accounts.A.programme]\n'
    found = terms(f'{text}product = "static_25k"', 1, "A")
    assert found is not None
    assert (found.product, found.size, found.start_usd) == ("static_25k", "25K", 25_000 * MONEY_SCALE)
    challenge = terms(f'{text}product = "challenge_1500"\nstage = "challenge"', 1, "A")
    assert challenge is not None
    assert challenge.target_usd == 1_500 * MONEY_SCALE
    with pytest.raises(ConfigError, match=r"accounts\.A\.programme\.size = '150K': static_25k is 25K"):
        read_settings(f'{text}product = "static_25k"\nsize = "150K"')


def test_only_some_accounts_may_be_in_a_programme() -> None:
    text = '[accounts.A.programme]\nstage = "xfa"'
    found = terms(text, 1, "A")
    assert found is not None
    assert found.stage == "xfa"
    assert terms(text, 2, "B") is None
    assert read_settings(text).warnings == []


def test_errors_name_the_account() -> None:
    with pytest.raises(ConfigError, match=r'accounts\."A B"\.programme\.mll_buffer = 0'):
        read_settings('[accounts."A B".programme]\nmll_buffer = 0')
    with pytest.raises(ConfigError, match=r"accounts\.A\.programme = 3: must be a table"):
        read_settings("[accounts.A]\nprogramme = 3")


def test_a_listed_profile_warns_of_an_account_that_is_not_in_it() -> None:
    warnings = read_settings("[profile]\naccounts = ['A']\n[programme]\n[accounts.B.programme]").warnings
    assert any("accounts.B: not in profile.accounts" in one for one in warnings)


def test_everything_written_reads_back_the_same() -> None:
    text = """
        [programme]
        stage = "xfa"
        size = "150K"
        daily_loss_limit = 1500.5
        consistency = 0.50
        created = 2026-08-01
        payout_path = "consistency"
        payout_cap = "double"
        first_payout_taken = true
        floor_override = -1200
        mll_buffer = 0.01
        guard_entries_at = 0.8
        flatten_at = 0.9
        flat_by = "14:30"
        last_entry_minutes = 60
        flatten_minutes = 10
        hard_minutes = 1
        hedge_grace_seconds = 0
        enforce = ["mll", "hedge"]
        readings = { scaling_boundary = "lower" }
        [accounts."a\\\\b\\"c".programme]
        created = "off"
        product = "static_50k"
        payout_cap = "standard"
        daily_loss_limit = "none"
        [accounts."a\\\\b\\"c".rules.max_contracts]
        limit = 2
    """
    plain = read_settings(text).plain
    assert plain["programme_accounts"]['a\\b"c']["created"] is None
    assert read_settings(settings_toml(plain)).plain == plain


def test_a_stored_programme_that_was_never_judged_is_not_written() -> None:
    plain = read_settings("").plain
    stored = {**plain, "programme": {"name": "topstep", "last_entry_time": 53_700}}
    assert read_settings(settings_toml(stored)).plain == plain
    assert account_terms(stored, 1, None) is None
