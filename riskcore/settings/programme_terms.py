"""The terms an account is under, from its [programme] and the shipped figures (PROGRAMME.md 2, 3 and 10)."""

from collections.abc import Mapping
from typing import Any

from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import fraction, money
from riskcore.errors import ConfigError
from riskcore.settings.calendar import holidays
from riskcore.settings.programme_figures import (
    DEFAULT_READINGS,
    Figure,
    Figures,
    by_key,
    clock_seconds,
    cpi_releases,
    shipped,
)

SIZES = ("50K", "100K", "150K")
_UNNAMED_SIZE = "50K"  # A challenge has no size of its own; this is the default of the field.
Plain = Mapping[str, Any]


def fixed_size(product: str) -> str | None:
    """The size a product fixes, None for standard accounts."""
    if product == "standard":
        return None
    rows = by_key().get(f"product.{product}.size")
    return rows[0].value if rows else _UNNAMED_SIZE


def terms_for(plain: Plain, warnings: list[str], path: str = "programme") -> Terms:
    """The terms of a checked programme. Raises ConfigError where the firm has no figure for what is written."""
    return _resolve(plain, _figures_of(plain), warnings, path)


def figures_of(plain: Plain) -> list[Figure]:
    """The rows of the shipped table that count for a checked programme, in its order."""
    figures = _figures_of(plain)
    _resolve(plain, figures, [], "programme")
    shown = ["weight", "hours", *([] if plain["stage"] == "practice" else ["family"])]
    if plain["stage"] == "xfa":
        shown += ["payout.day_locks", "payout.paid_share"]
    for key in shown:
        figures.find(key)
        figures.under(key)
    rows = [row for row in figures.asked if plain["stage"] == "xfa" or not row.key.startswith("payout.")]
    return sorted(rows, key=shipped().rows.index)


def _figures_of(plain: Plain) -> Figures:
    return Figures({**DEFAULT_READINGS, **plain["readings"]})


def _resolve(plain: Plain, figures: Figures, warnings: list[str], path: str) -> Terms:
    stage, product = plain["stage"], plain["product"]
    size = figures.text("practice.size") if stage == "practice" else plain["size"]
    account = size if product == "standard" else product
    return Terms(
        version=shipped().version,
        stage=stage,
        product=product,
        size=size,
        enforce=tuple(plain["enforce"]),
        readings=dict(figures.readings),
        first_payout_taken=plain["first_payout_taken"],
        mll_buffer_usd=plain["mll_buffer"],
        guard_entries_at=plain["guard_entries_at"],
        flatten_at=plain["flatten_at"],
        flat_by=plain["flat_by"],
        last_entry_minutes=plain["last_entry_minutes"],
        flatten_minutes=plain["flatten_minutes"],
        hard_minutes=plain["hard_minutes"],
        hedge_grace_seconds=plain["hedge_grace_seconds"],
        **_floor(plain, figures, account),
        loss_limit_usd=_loss_limit(plain, figures, account, warnings, path),
        **_size(stage, figures, account),
        **_target(plain, figures, account),
        **_payout(plain, figures, account, path),
        **_hours(figures),
        **_news(stage, figures, size, account),
    )


def _floor(plain: Plain, figures: Figures, account: str) -> dict[str, Any]:
    stage, override = plain["stage"], plain["floor_override"]
    found = {"floor_override_usd": override}
    if stage == "practice":
        return {**found, "floor_kind": "none" if override is None else "override"}
    if stage == "pro":
        return {**found, "floor_kind": figures.text("pro.floor")}
    return {
        **found,
        "start_usd": figures.usd(f"{stage}.{account}.start"),
        "maximum_loss_usd": figures.usd(f"{stage}.{account}.mll"),
        "floor_kind": figures.text(f"{stage}.{account}.floor"),
    }


def _loss_limit(plain: Plain, figures: Figures, account: str, warnings: list[str], path: str) -> int | None:
    """The daily loss limit in force: the bought one, but never more than a mandatory one."""
    written, key = plain["daily_loss_limit"], f"{plain['stage']}.{account}"
    mandatory = None if figures.find(f"{key}.mandatory_dll") is None else figures.usd(f"{key}.mandatory_dll")
    if written == "none":
        return mandatory
    if written != "standard":
        return int(written) if mandatory is None else min(int(written), mandatory)
    if mandatory is None and figures.find(f"{key}.dll") is None:
        warnings.append(
            f'{path}.daily_loss_limit = "standard": the firm names no amount for {plain["stage"]} {account}; '
            "none is judged: write the amount"
        )
        return None
    return figures.usd(f"{key}.dll") if mandatory is None else mandatory


def _size(stage: str, figures: Figures, account: str) -> dict[str, Any]:
    if stage == "practice":
        return {"size_cap_units": figures.number(f"practice.{account}.cap")}
    found: dict[str, Any] = {"product_caps": _numbers(figures.under(f"restricted.{account}"))}
    if stage not in ("xfa", "pro"):
        return {**found, "size_cap_units": figures.number(f"{stage}.{account}.cap")}
    found["product_shares"] = tuple((root, fraction(text)) for root, text in figures.under("per_lot").items())
    steps = figures.under(f"scaling.{account}")
    if not steps:
        return {
            **found,
            "size_cap_units": figures.number(f"{stage}.{account}.cap"),
            "product_lots": figures.number(f"lots.{account}"),
        }
    lots = [(None if start == "lowest" else money(start), int(text)) for start, text in steps.items()]
    return {**found, "scaling": tuple(lots)}


def _numbers(texts: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    return tuple((root, int(text)) for root, text in texts.items())


def _target(plain: Plain, figures: Figures, account: str) -> dict[str, Any]:
    key = f"{plain['stage']}.{account}.target"
    if figures.find(key) is None:
        return {}
    by_date, created = plain["consistency"] == "by_date", plain["created"]
    share = None
    if by_date:
        share = figures.share("consistency.share", created)
    elif plain["consistency"] != "off":
        share = plain["consistency"]
    return {
        "target_usd": figures.usd(key),
        "consistency": share,
        "created_unknown": by_date and created is None,
    }


def _payout(plain: Plain, figures: Figures, account: str, path: str) -> dict[str, Any]:
    way = plain["payout_path"]
    found = {
        "payout_path": way,
        "payout_minimum_usd": figures.usd("payout.minimum"),
        "payout_share": figures.share("payout.share"),
        "payout_days": figures.number(f"payout.days.{way}"),
        "payout_day_usd": figures.usd("payout.day"),
        "payout_best_day_share": figures.share("payout.best_day_share"),
    }
    if plain["stage"] != "xfa":
        return found
    if figures.find(f"payout.cap.{account}.{way}") is None:
        raise ConfigError(f'{path}.payout_path = "{way}": {account} has the standard path only')
    kind = "double_cap" if plain["payout_cap"] == "double" else "cap"
    if figures.find(f"payout.{kind}.{account}.{way}") is None:
        raise ConfigError(f'{path}.payout_cap = "double": {account} has no doubled cap')
    return {**found, "payout_cap_usd": figures.usd(f"payout.{kind}.{account}.{way}")}


def _hours(figures: Figures) -> dict[str, Any]:
    closes = figures.under("hours.own_close")
    return {
        "own_closes": tuple((root, clock_seconds(text)) for root, text in closes.items()),
        "early_close_minutes": figures.number("hours.early_close_minutes"),
        "closed_days": tuple(date for date, holiday in holidays().items() if holiday.close_seconds is None),
    }


def _news(stage: str, figures: Figures, size: str, account: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "news_from": figures.seconds("news.from"),
        "news_until": figures.seconds("news.until"),
        "news_alert": figures.seconds("news.alert"),
        "news_days": cpi_releases(),
        "news_years": tuple(sorted({int(date[:4]) for date in cpi_releases()})),
    }
    if stage == "practice":
        return found
    allowance = f"news.allowance.{account}"
    if figures.find(allowance) is None:
        allowance = f"news.allowance.{size}"
    return {
        **found,
        "news_mini_roots": figures.words("news.mini_roots"),
        "news_micro_roots": figures.words("news.micro_roots"),
        "news_allowance": figures.number(allowance),
    }
