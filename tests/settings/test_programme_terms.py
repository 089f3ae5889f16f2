"""Every figure of PROGRAMME.md 3, as the terms of an account carry it. The articles are those of the firm's pages."""

from itertools import pairwise
from typing import Any

import pytest

from riskcore.core.products import micro_units
from riskcore.core.programme.families import FAMILIES, family_by
from riskcore.core.programme.terms import Terms, plain_terms, terms_of
from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE
from riskcore.settings.calendar import holidays
from riskcore.settings.config import read_settings
from riskcore.settings.programme_figures import DEFAULT_READINGS, Figures, cpi_releases, shipped
from riskcore.settings.programme_terms import figures_of

STANDARD = ("50K", "100K", "150K")
LABS = ("static_25k", "static_50k", "freedom_250k")
CHALLENGES = ("challenge_1500", "challenge_3000", "challenge_6000")
HEAVY, SMALL_METALS_AND_OIL, HALF = ("GC", "CL", "QM", "HO", "RB"), ("MGC", "MCL"), ("SIL", "MHG")
CLOSED = ("SI", "HG", "PL")


def programme_of(stage: str, account: str, **more: Any) -> dict[str, Any]:
    key = "size" if account in STANDARD else "product"
    given = {"stage": stage, key: account, **more}
    lines = [f"{name} = {_toml(value)}" for name, value in given.items()]
    plain: dict[str, Any] = read_settings("[programme]\n" + "\n".join(lines)).plain["programme"]
    return plain


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'{name} = "{one}"' for name, one in value.items()) + " }"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def terms(stage: str, account: str, **more: Any) -> Terms:
    return terms_of(programme_of(stage, account, **more)["terms"])


def dollars(amount: int | None) -> int | None:
    return None if amount is None else amount * MONEY_SCALE


# ---- 3.1 accounts ------------------------------------------------------------------------------------

ACCOUNTS = [  # stage, account, start, maximum loss, floor, target, daily loss limit under "none" and "standard", units
    ("combine", "50K", 50_000, 2_000, "eod", 3_000, None, 1_000, 50),
    ("combine", "100K", 100_000, 3_000, "eod", 6_000, None, 2_000, 100),
    ("combine", "150K", 150_000, 4_500, "eod", 9_000, None, 3_000, 150),
    ("xfa", "50K", 0, 2_000, "eod", None, None, 1_000, None),
    ("xfa", "100K", 0, 3_000, "eod", None, None, 2_000, None),
    ("xfa", "150K", 0, 4_500, "eod", None, None, 3_000, None),
    ("combine", "static_25k", 25_000, 1_000, "static", 2_000, 500, 500, 20),
    ("xfa", "static_25k", 0, 1_000, "static", None, 500, 500, 20),
    ("combine", "static_50k", 50_000, 2_000, "static", 4_000, 1_000, 1_000, 40),
    ("xfa", "static_50k", 0, 2_000, "static", None, 1_000, 1_000, None),
    ("combine", "freedom_250k", 250_000, 10_000, "eod", 15_000, 5_000, 5_000, 250),
    ("xfa", "freedom_250k", 0, 10_000, "eod", None, 5_000, 5_000, None),
    ("challenge", "challenge_1500", 0, 500, "static", 1_500, None, None, 2),
    ("challenge", "challenge_3000", 0, 1_000, "static", 3_000, None, None, 10),
    ("challenge", "challenge_6000", 0, 2_000, "static", 6_000, None, None, 10),
    ("practice", "50K", None, None, "none", None, None, None, 150),
    ("pro", "50K", None, None, "override", None, None, None, None),
]


@pytest.mark.parametrize(("stage", "account", "start", "loss", "floor", "target", "none", "bought", "units"), ACCOUNTS)
def test_accounts(
    stage: str,
    account: str,
    start: int | None,
    loss: int | None,
    floor: str,
    target: int | None,
    none: int | None,
    bought: int | None,
    units: int | None,
) -> None:
    """[8284204, 2026-09-18], [8284208, 2026-09-17], [10490293, 2026-06-30], [8284197, 2026-09-24], [15520357]."""
    found = terms(stage, account)
    assert (found.start_usd, found.maximum_loss_usd, found.floor_kind) == (dollars(start), dollars(loss), floor)
    assert (found.target_usd, found.loss_limit_usd, found.size_cap_units) == (dollars(target), dollars(none), units)
    assert terms(stage, account, daily_loss_limit="standard").loss_limit_usd == dollars(bought)
    assert found.version == "2026-10-10"


@pytest.mark.parametrize(
    ("account", "written", "limit"),
    [
        ("50K", "999.99", "999.99"),
        ("50K", "1000", "1000"),
        ("50K", "1500", "1500"),
        ("static_25k", "499.99", "499.99"),
        ("static_25k", "500", "500"),
        ("static_25k", "500.01", "500"),
    ],
)
def test_a_mandatory_daily_loss_limit_counts_whatever_is_written(account: str, written: str, limit: str) -> None:
    whole, _, cents = limit.partition(".")
    found = terms("combine", account, daily_loss_limit=written).loss_limit_usd
    assert found == int(whole) * MONEY_SCALE + int(cents or 0) * MONEY_SCALE // 100


def test_standard_where_the_firm_names_no_amount_warns() -> None:
    for stage, more in (("practice", ""), ("pro", ""), ("challenge", "product = 'challenge_1500'\n")):
        text = f"[programme]\nstage = '{stage}'\n{more}daily_loss_limit = 'standard'"
        assert any("the firm names no amount" in one for one in read_settings(text).warnings), stage


def test_a_floor_given_by_hand_gives_practice_and_pro_a_floor() -> None:
    for stage in ("practice", "pro"):
        found = terms(stage, "100K", floor_override="97000")
        assert (found.floor_kind, found.floor_override_usd) == ("override", 97_000 * MONEY_SCALE)


# ---- 3.2 scaling -------------------------------------------------------------------------------------

STEPS = (None, 1_500, 2_000, 3_000, 4_500, 6_000, 8_000)
LOTS = {  # [8284223, 2026-07-16], freedom_250k [15520357]; lots from each of STEPS on
    "50K": (2, 3, 5, 5, 5, 5, 5),
    "100K": (3, 4, 5, 10, 10, 10, 10),
    "150K": (3, 4, 5, 10, 15, 15, 15),
    "freedom_250k": (3, 4, 5, 10, 15, 20, 25),
    "static_50k": (2, 3, 4, 4, 4, 4, 4),
}


def lots(found: Terms, balance: int) -> int:
    return [count for start, count in found.scaling if start is None or start <= balance][-1]


@pytest.mark.parametrize("account", LOTS)
def test_scaling(account: str) -> None:
    found = terms("xfa", account)
    assert lots(found, -(10**12)) == LOTS[account][0]
    for index, step in enumerate(STEPS[1:], 1):
        assert step is not None
        assert lots(found, step * MONEY_SCALE) == LOTS[account][index], step
        assert lots(found, step * MONEY_SCALE - 1) == LOTS[account][index - 1], step
    starts = [start for start, _ in found.scaling if start is not None]
    assert all(first < second for first, second in pairwise(starts))
    if account in STANDARD:
        assert terms("pro", account).scaling == found.scaling


def test_scaling_under_the_strict_reading_of_labs() -> None:
    assert terms("xfa", "static_50k", readings={"labs_xfa": "strict"}).scaling == ((None, 2),)
    assert terms("xfa", "static_25k").scaling == ()


# ---- 3.3 restricted products -------------------------------------------------------------------------

RESTRICTED = {  # [13613539, 2026-10-08]: heavy roots, MGC and MCL, SIL and MHG
    "50K": (3, 30, 2),
    "100K": (6, 60, 4),
    "150K": (9, 90, 6),
    "static_25k": (1, 10, 10),
    "static_50k": (2, 25, 2),
}


def test_restricted_products() -> None:
    for account, (heavy, middle, half) in RESTRICTED.items():
        expected = {
            **dict.fromkeys(HEAVY, heavy),
            **dict.fromkeys(SMALL_METALS_AND_OIL, middle),
            **dict.fromkeys(HALF, half),
            **dict.fromkeys(CLOSED, 0),
        }
        for stage in ("combine", "xfa", *(["pro"] if account in STANDARD else [])):
            assert dict(terms(stage, account).product_caps) == expected, (stage, account)
    assert terms("practice", "50K").product_caps == ()


def test_restricted_products_of_freedom_250k_say_nothing_of_gold() -> None:
    expected = {**dict.fromkeys(HEAVY[1:], 15), "MCL": 150, **dict.fromkeys(HALF, 100), **dict.fromkeys(CLOSED, 0)}
    assert dict(terms("combine", "freedom_250k").product_caps) == expected


def test_restricted_products_of_challenges() -> None:
    closed = dict.fromkeys((*HALF, *CLOSED), 0)
    crypto = {"MBT": 0, "MET": 0}
    assert dict(terms("challenge", "challenge_1500").product_caps) == {**closed, "MGC": 1, "MCL": 1, **crypto}
    assert dict(terms("challenge", "challenge_3000").product_caps) == {**closed, "MGC": 6, "MCL": 6, **crypto}
    expected = {**closed, "MGC": 6, "MCL": 6, **dict.fromkeys(HEAVY, 0)}
    assert dict(terms("challenge", "challenge_6000").product_caps) == expected


PER_LOT = {  # lots: minis / MGC MCL / SIL MHG before the ceiling
    2: (1, 12, 1),
    3: (1, 18, 1),
    4: (2, 25, 2),
    5: (3, 31, 2),
    10: (6, 62, 5),
    15: (9, 93, 7),
    20: (12, 125, 10),
    25: (15, 156, 12),
}


def test_contracts_per_lot() -> None:
    for stage, account in (("xfa", "50K"), ("pro", "150K"), ("xfa", "static_25k"), ("xfa", "freedom_250k")):
        shares = dict(terms(stage, account).product_shares)
        assert list(shares) == [*HEAVY, *SMALL_METALS_AND_OIL, *HALF]
        for count, (heavy, middle, half) in PER_LOT.items():
            found = {root: share * count // FRACTION_SCALE for root, share in shares.items()}
            assert {found[root] for root in HEAVY} == {heavy}
            assert {found[root] for root in SMALL_METALS_AND_OIL} == {middle}
            assert {found[root] for root in HALF} == {half}
    assert terms("combine", "50K").product_shares == ()
    assert terms("xfa", "static_25k").product_lots == 2
    assert terms("xfa", "50K").product_lots is None


def test_weights_are_those_of_the_product_table() -> None:
    """[8284223, 2026-07-16]."""
    weights = {row.key.removeprefix("weight."): int(row.value) for row in shipped().rows if row.key[:7] == "weight."}
    assert weights.pop("full_size") == micro_units("ES") == micro_units("CL") == 10
    assert weights.pop("micro") == micro_units("MES") == micro_units("MGC") == 1
    assert weights == {root: micro_units(root) for root in ("SIL", "MBT", "MET")}


# ---- 3.4 the CPI window ------------------------------------------------------------------------------


def test_the_cpi_window() -> None:
    """[13613539, 2026-10-08]."""
    found = terms("combine", "50K")
    assert (found.news_from, found.news_until) == (7 * 3600 + 25 * 60, 7 * 3600 + 35 * 60)
    assert found.news_alert == 7 * 3600 + 20 * 60
    assert found.news_mini_roots == ("ES", "RTY", "YM", "NQ", "NKD", "GC", "SI", "HG", "PL")
    assert found.news_micro_roots == ("MES", "M2K", "MYM", "MNQ", "MGC", "SIL", "MHG")
    days = ["01-13", "02-13", "03-11", "04-10", "05-12", "06-10", "07-14", "08-12", "09-11", "10-14", "11-10", "12-10"]
    assert found.news_days == cpi_releases() == tuple(f"2026-{day}" for day in days)
    assert found.news_years == (2026,)


@pytest.mark.parametrize(
    ("stage", "account", "allowed"),
    [
        ("combine", "50K", 3),
        ("xfa", "100K", 6),
        ("pro", "150K", 9),
        ("combine", "static_25k", 1),
        ("xfa", "static_50k", 2),
        ("combine", "freedom_250k", 15),
        *(("challenge", one, 0) for one in CHALLENGES),
    ],
)
def test_the_allowance_of_the_cpi_window(stage: str, account: str, allowed: int) -> None:
    assert terms(stage, account).news_allowance == allowed


def test_a_practice_account_has_no_cpi_window() -> None:
    found = terms("practice", "50K")
    assert (found.news_mini_roots, found.news_micro_roots) == ((), ())
    assert found.size == "150K"


# ---- 3.5 hours ---------------------------------------------------------------------------------------


def test_hours() -> None:
    """[8284206, 2026-07-13], [13350348, 2026-09-18]."""
    found = terms("combine", "50K")
    assert found.flat_by == 15 * 3600 + 10 * 60
    grains = dict.fromkeys(("ZC", "ZW", "ZS", "ZM", "ZL"), 13 * 3600 + 20 * 60)
    assert dict(found.own_closes) == {**grains, **dict.fromkeys(("HE", "LE"), 13 * 3600 + 5 * 60)}
    assert found.early_close_minutes == 15
    assert found.closed_days == tuple(date for date, one in holidays().items() if one.close_seconds is None)
    assert "2026-12-25" in found.closed_days
    assert "2026-11-27" not in found.closed_days


# ---- 3.6 consistency ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "share", "unknown"),
    [
        ({}, 55, True),
        ({"created": "2026-09-09"}, 50, False),
        ({"created": "2026-09-10"}, 55, False),
        ({"created": "2026-09-11"}, 55, False),
        ({"created": "2026-09-09", "readings": {"older_combines": "all_55"}}, 55, False),
        ({"consistency": "0.5"}, 50, False),
        ({"consistency": "0.55", "created": "2026-01-05"}, 55, False),
        ({"consistency": "off"}, None, False),
    ],
)
def test_consistency(more: dict[str, Any], share: int | None, unknown: bool) -> None:
    """[8284208, 2026-09-17], [8284099, 2026-09-10]."""
    found = terms("combine", "50K", **more)
    assert found.consistency == (None if share is None else share * FRACTION_SCALE // 100)
    assert found.created_unknown is unknown


def test_allowed_best_days() -> None:
    for account, at_55, at_50 in (("50K", 1_650, 1_500), ("100K", 3_300, 3_000), ("150K", 4_950, 4_500)):
        for share, allowed in (("0.55", at_55), ("0.50", at_50)):
            found = terms("combine", account, consistency=share)
            assert found.consistency is not None
            assert found.target_usd is not None
            assert found.consistency * found.target_usd == allowed * MONEY_SCALE * FRACTION_SCALE


@pytest.mark.parametrize("stage", ["xfa", "pro", "practice"])
def test_a_product_without_a_target_has_no_consistency(stage: str) -> None:
    found = terms(stage, "50K")
    assert (found.target_usd, found.consistency, found.created_unknown) == (None, None, False)


# ---- 3.7 payouts -------------------------------------------------------------------------------------

PAYOUTS = [  # account, payout_cap, cap of the standard path, of the consistency path [8284233, 2026-09-30]
    ("50K", "standard", 2_000, 3_000),
    ("100K", "standard", 3_000, 4_000),
    ("150K", "standard", 5_000, 6_000),
    ("50K", "double", 4_000, 6_000),
    ("100K", "double", 6_000, 8_000),
    ("150K", "double", 10_000, 12_000),
    ("static_25k", "standard", 4_000, 4_000),
    ("static_50k", "standard", 8_000, 8_000),
]


@pytest.mark.parametrize(("account", "cap", "standard", "consistency"), PAYOUTS)
def test_payout_caps(account: str, cap: str, standard: int, consistency: int) -> None:
    for path, amount in (("standard", standard), ("consistency", consistency)):
        found = terms("xfa", account, payout_cap=cap, payout_path=path)
        assert (found.payout_path, found.payout_cap_usd) == (path, dollars(amount))
        assert terms("combine", account).payout_cap_usd is None


def test_payouts() -> None:
    standard, consistency = (terms("xfa", "50K", payout_path=path) for path in ("standard", "consistency"))
    for found in (standard, consistency):
        assert found.payout_minimum_usd == 125 * MONEY_SCALE
        assert found.payout_share == FRACTION_SCALE // 2
        assert found.payout_day_usd == 150 * MONEY_SCALE
        assert found.payout_best_day_share == FRACTION_SCALE * 2 // 5
    assert (standard.payout_days, consistency.payout_days) == (5, 3)
    assert terms("xfa", "freedom_250k").payout_cap_usd == dollars(25_000)


# ---- 10 readings, and the table as a whole -----------------------------------------------------------


def test_readings() -> None:
    found = terms("combine", "50K", readings={"pass_at": "in_session"})
    assert found.readings == {
        "consistency_boundary": "inclusive",
        "older_combines": "keep_50",
        "pass_at": "in_session",
        "scaling_boundary": "upper",
        "cpi_allowance": "account",
        "labs_xfa": "as_standard",
        "correlated": "family",
    }


def test_families() -> None:
    """The core has them as code, for groups need no programme; both say the same."""
    for reading in ("family", "index"):
        family_of = family_by(reading)
        for roots in Figures({**DEFAULT_READINGS, "correlated": reading}).under("family").values():
            assert len({family_of(root) for root in roots.split()}) == 1, roots
            assert family_of("ZN") not in {family_of(root) for root in roots.split()}
    rows = Figures(DEFAULT_READINGS).under("family").values()
    assert tuple(tuple(roots.split()) for roots in rows) == FAMILIES


def test_terms_are_the_same_after_being_stored() -> None:
    for stage, account, *_ in ACCOUNTS:
        plain = programme_of(stage, account)["terms"]
        assert plain_terms(terms_of(plain)) == plain


def test_every_row_has_a_source_and_belongs_to_some_account() -> None:
    used = set()
    for stage, account, *_ in ACCOUNTS:
        for size in STANDARD if account == "50K" else (account,):
            for reading in ({}, {"labs_xfa": "strict", "correlated": "index"}):
                used.update(figures_of(programme_of(stage, size, daily_loss_limit="standard", readings=reading)))
            if stage == "xfa" and size != "freedom_250k":
                used.update(figures_of(programme_of(stage, size, payout_path="consistency")))
            if stage == "xfa" and size in STANDARD:
                for path in ("standard", "consistency"):
                    used.update(figures_of(programme_of(stage, size, payout_path=path, payout_cap="double")))
    for reading in ("keep_50", "all_55"):
        more = {"created": "2026-09-01", "readings": {"older_combines": reading}}
        used.update(figures_of(programme_of("combine", "50K", **more)))
    for row in shipped().rows:
        assert row.article is not None or row.note is not None, row.key
        assert row.article is None or row.page is not None, row.key
        assert row in used or row.key.startswith("product."), row.key
