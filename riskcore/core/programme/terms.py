"""The terms an account is under: every figure of the firm that judges it, and the trader's choices beside them.

Settings resolve them from the shipped table (settings/programme_figures.py), and `TradingDayOpened` carries them, so
that a day replays alone. Source: PROGRAMME.md 1 to 3 and 10.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE, SECOND_NS

Part = Literal["mll", "dll", "size", "hours", "news", "hedge"]
FloorKind = Literal["eod", "static", "override", "none"]
CONSISTENCY_BOUNDARY, OLDER_COMBINES, PASS_AT = "consistency_boundary", "older_combines", "pass_at"
SCALING_BOUNDARY, CPI_ALLOWANCE, LABS_XFA, CORRELATED = "scaling_boundary", "cpi_allowance", "labs_xfa", "correlated"
# Where the firm contradicts itself: what may be chosen, the default first (PROGRAMME.md 10).
READINGS: Mapping[str, tuple[str, ...]] = {
    CONSISTENCY_BOUNDARY: ("inclusive", "exclusive"),
    OLDER_COMBINES: ("keep_50", "all_55"),
    PASS_AT: ("end_of_day", "in_session"),
    SCALING_BOUNDARY: ("upper", "lower"),
    CPI_ALLOWANCE: ("account", "product"),
    LABS_XFA: ("as_standard", "strict"),
    CORRELATED: ("family", "index"),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """Amounts in 1e-6 dollars, shares in 1e-6, times of day in seconds after midnight in Chicago.

    None, or an empty table, means that the account has no such limit. Tables are tuples of pairs: they are stored as
    they stand here.
    """

    version: str
    stage: str = "combine"
    product: str = "standard"
    size: str = "50K"
    enforce: tuple[str, ...] = ("mll", "dll", "size", "hours")
    readings: Mapping[str, str] = field(default_factory=dict)  # Those that are not in it are the first of READINGS.

    # The floor (PROGRAMME.md 3.1, 4).
    start_usd: int | None = None
    maximum_loss_usd: int | None = None
    floor_kind: FloorKind = "eod"  # override: practice and pro, judged only with a floor that the trader gives.
    floor_override_usd: int | None = None
    first_payout_taken: bool = False
    mll_buffer_usd: int = 200 * MONEY_SCALE

    # The daily loss limit in force: bought, or mandatory.
    loss_limit_usd: int | None = None
    guard_entries_at: int = FRACTION_SCALE * 90 // 100
    flatten_at: int = FRACTION_SCALE * 95 // 100

    # Size: micro-units in all; lots by the balance at the opening; contracts of one root.
    size_cap_units: int | None = None
    scaling: tuple[tuple[int | None, int], ...] = ()  # (from this balance, None for the lowest; lots), ascending.
    product_caps: tuple[tuple[str, int], ...] = ()
    product_shares: tuple[tuple[str, int], ...] = ()  # Of the lots in force: contracts of a root, in 1e-6.
    product_lots: int | None = None  # Lots that `product_shares` counts with where nothing scales (static_25k).

    # Target and consistency.
    target_usd: int | None = None
    consistency: int | None = None  # Share of the profit that one day may be.
    created_unknown: bool = False  # "by_date" without a date: 0.55 is assumed.

    # Payouts of an XFA.
    payout_path: str = "standard"
    payout_cap_usd: int | None = None
    payout_minimum_usd: int = 125 * MONEY_SCALE
    payout_share: int = FRACTION_SCALE // 2
    payout_days: int = 5
    payout_day_usd: int = 150 * MONEY_SCALE  # Net that makes a winning day.
    payout_best_day_share: int = FRACTION_SCALE * 40 // 100

    # Hours.
    flat_by: int = 15 * 3600 + 10 * 60
    own_closes: tuple[tuple[str, int], ...] = ()  # Roots that close earlier than `flat_by`.
    last_entry_minutes: int = 15
    flatten_minutes: int = 5
    hard_minutes: int = 3
    early_close_minutes: int = 15  # Before the close of an early-close day.
    closed_days: tuple[str, ...] = ()  # Trade dates without a session.

    # The CPI window.
    news_from: int = 7 * 3600 + 25 * 60
    news_until: int = 7 * 3600 + 35 * 60
    news_alert: int = 7 * 3600 + 20 * 60
    news_days: tuple[str, ...] = ()
    news_years: tuple[int, ...] = ()  # Years whose release days are known; in another the rule is blind.
    news_mini_roots: tuple[str, ...] = ()
    news_micro_roots: tuple[str, ...] = ()
    news_allowance: int = 0

    # Opposite positions.
    hedge_grace_seconds: int = 2

    def reading(self, name: str) -> str:
        """The reading chosen where the firm contradicts itself (PROGRAMME.md 10)."""
        return self.readings.get(name, READINGS[name][0])

    def enforces(self, part: Part) -> bool:
        """Whether a part is enforced; one that is not runs in shadow."""
        return part in self.enforce

    @property
    def hedge_grace_ns(self) -> int:
        return self.hedge_grace_seconds * SECOND_NS


def terms_of(plain: Mapping[str, Any]) -> Terms:
    """Terms from their plain form, in which tuples are lists (JSON). Raises TypeError for an unknown name."""
    return Terms(**{name: _frozen(value) for name, value in plain.items()})


def plain_terms(terms: Terms) -> dict[str, Any]:
    """The plain form of terms, as settings carry them."""
    return {one.name: _plain(getattr(terms, one.name)) for one in fields(Terms)}


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value


def account_programme(settings: Mapping[str, Any], account: int, name: str | None) -> Mapping[str, Any]:
    """The programme of an account: its own where it has one, else the profile's. Empty: it is in none."""
    own = settings.get("programme_accounts", {})
    found: Mapping[str, Any] = own.get(str(account)) or own.get(name or "") or settings.get("programme") or {}
    return found


def account_stage(settings: Mapping[str, Any], account: int, name: str | None) -> str | None:
    """The stage that an account is judged by; None where it is in no programme. Cheaper than all of its terms."""
    terms = account_programme(settings, account, name).get("terms", {})
    stage: str | None = terms.get("stage")
    return stage


def account_terms(settings: Mapping[str, Any], account: int, name: str | None) -> Terms | None:
    """The terms of an account; None where it is in no programme.

    Settings stored by a version that did not judge the programme carry no terms.
    """
    plain = account_programme(settings, account, name)
    return terms_of(plain["terms"]) if "terms" in plain else None
