"""The fields of [programme] and of [accounts."…".programme], with their ranges and defaults (PROGRAMME.md 2).

Bounds that are the firm's come from the shipped table; defaults that are ours stand here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskcore.core.programme.strictness import STRICTER
from riskcore.core.quantities import CENT, FRACTION_SCALE, MONEY_SCALE
from riskcore.core.rules.base import spec
from riskcore.settings.place import time_text
from riskcore.settings.programme_figures import by_key, clock_seconds

_FIRST_MINUTE = 60
_MOST_MINUTES = 1_440
PARTS = ("mll", "dll", "size", "hours", "news", "hedge")
ENFORCED = ("mll", "dll", "size", "hours")
PRODUCTS = (
    "standard",
    "static_25k",
    "static_50k",
    "freedom_250k",
    "challenge_1500",
    "challenge_3000",
    "challenge_6000",
)
# Keys of older versions, and what says the same now.
REPLACED = {
    "last_entry_time": "last_entry_minutes",
    "flatten_time": "flatten_minutes",
    "hard_flatten_time": "hard_minutes",
}


def _clock(key: str) -> int:
    return clock_seconds(by_key()[key][0].value)


FLAT_BY = _clock("hours.flat_by")
FIRM_FLATTENS_AT = _clock("hours.firm_flattens")


def _minutes(name: str, default: int, doc: str) -> Any:
    return spec(default, "int", unit="min", low=1, high=_MOST_MINUTES, stricter=STRICTER[name], doc=doc)


def _share(name: str, percent: int, doc: str) -> Any:
    default = FRACTION_SCALE * percent // 100
    return spec(default, "fraction", low=1, high=FRACTION_SCALE, stricter=STRICTER[name], doc=doc)


@dataclass(frozen=True, slots=True)
class ProgrammeTable:
    name: str = spec("topstep", "choice", choices=("topstep",), doc="whose programme")
    stage: str = spec(
        "combine",
        "choice",
        choices=("combine", "xfa", "pro", "practice", "challenge"),
        doc="stage of the programme",
    )
    product: str = spec("standard", "choice", choices=PRODUCTS, doc="what was bought; a Labs product fixes the size")
    size: str = spec("50K", "choice", choices=("25K", "50K", "100K", "150K", "250K"), doc="account size")
    daily_loss_limit: str | int = spec(
        "none",
        "choice_or_money",
        unit="$",
        low=1,
        choices=("none", "standard"),
        stricter=STRICTER["daily_loss_limit"],
        doc="daily loss limit as bought; a mandatory one always counts",
    )
    consistency: str | int = spec(
        "by_date",
        "choice_or_fraction",
        choices=("by_date", "0.55", "0.50", "off"),
        doc="share of the profit that one day may be; by_date: by `created`",
    )
    created: str | None = spec(None, "date", optional=True, doc="day the account was bought")
    payout_path: str = spec("standard", "choice", choices=("standard", "consistency"), doc="payout path of an XFA")
    payout_cap: str = spec(
        "standard",
        "choice",
        choices=("standard", "double"),
        doc="double: the daily loss limit was added at a new Combine purchase since 2026-06-02",
    )
    first_payout_taken: bool = spec(
        False, "bool", stricter=STRICTER["first_payout_taken"], doc="a payout was taken before riskcore kept records"
    )
    floor_override: int | None = spec(
        None,
        "money",
        unit="$",
        low=-10_000 * MONEY_SCALE,
        high=1_000_000 * MONEY_SCALE,
        optional=True,
        stricter=STRICTER["floor_override"],
        doc="floor of the maximum loss limit as the dashboard shows it; it never lowers a known floor",
    )
    mll_buffer: int = spec(
        200 * MONEY_SCALE,
        "money",
        unit="$",
        low=CENT,
        high=10_000 * MONEY_SCALE,
        stricter=STRICTER["mll_buffer"],
        doc="room above the floor at which entries stop; half of it flattens",
    )
    guard_entries_at: int = _share("guard_entries_at", 90, "share of the daily loss limit at which entries stop")
    flatten_at: int = _share("flatten_at", 95, "share of the daily loss limit at which everything is closed")
    flat_by: int = spec(
        FLAT_BY,
        "clock",
        low=_FIRST_MINUTE,
        high=FLAT_BY,
        stricter=STRICTER["flat_by"],
        doc="flat from here on, on a regular day (Chicago time)",
    )
    last_entry_minutes: int = _minutes("last_entry_minutes", 15, "no entry from so long before the deadline on")
    flatten_minutes: int = _minutes("flatten_minutes", 5, "everything is closed so long before the deadline")
    hard_minutes: int = _minutes("hard_minutes", 3, "what is still open so long before the deadline is closed again")
    hedge_grace_seconds: int = spec(
        2,
        "int",
        unit="s",
        low=0,
        high=60,
        stricter=STRICTER["hedge_grace_seconds"],
        doc="how long opposite positions of two accounts may last",
    )
    enforce: tuple[str, ...] = spec(
        ENFORCED,
        "choices",
        choices=PARTS,
        stricter=STRICTER["enforce"],
        doc="which parts act; the others only record what they would have done",
    )
    readings: Mapping[str, str] = spec({}, "readings", doc="readings chosen where the firm contradicts itself")

    def __post_init__(self) -> None:
        if self.guard_entries_at > self.flatten_at:
            raise ValueError("guard_entries_at must not be above flatten_at")
        if not self.last_entry_minutes >= self.flatten_minutes >= self.hard_minutes:
            raise ValueError("last_entry_minutes, flatten_minutes and hard_minutes must not rise in this order")
        if self.flat_by - self.hard_minutes * 60 >= FIRM_FLATTENS_AT:
            raise ValueError(
                f"flat_by less hard_minutes must be before {time_text(FIRM_FLATTENS_AT)}: the firm closes from then on"
            )
