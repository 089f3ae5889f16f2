"""What a trader should know about settings that are allowed but rarely meant (`riskcore config check`)."""

from collections.abc import Mapping
from typing import Any

Rules = Mapping[str, list[dict[str, Any]]]
_OPEN_LOSS_BASES = ("combined", "trailing_unrealized")


def warnings_about(plain: Mapping[str, Any]) -> list[str]:
    """Warnings about plain settings, in a fixed order."""
    rules, accounts = plain["rules"], plain["accounts"]
    found = []
    if plain["programme"] is not None:
        found.append(
            "[programme] IS CHECKED BUT NOT ENFORCED YET: this version judges none of its limits, sizes or hours; "
            "set them as rules"
        )
    if not rules and not accounts:
        found.append("no rule is switched on: nothing will be judged")
    found.extend(_about_rules(rules, "rules"))
    for account, overrides in accounts.items():
        known = [text.removeprefix("rules") for text in found]
        path = f"accounts.{account}.rules"
        about = _about_rules({**rules, **overrides}, path)
        # What is true of the whole profile is reported once.
        found.extend(text for text in about if text.removeprefix(path) not in known)
    listed = plain["profile"]["accounts"]
    found.extend(
        f"accounts.{account}: not in profile.accounts; it matters only if a listed account has this other name or id"
        for account in accounts
        if listed and account not in listed
    )
    return found


def _active(rules: Rules, name: str) -> list[dict[str, Any]]:
    return [plain for plain in rules.get(name, []) if plain["enabled"] and not plain["shadow"]]


def _about_rules(rules: Rules, path: str) -> list[str]:
    return [
        *_about_switches(rules, path),
        *_about_open_loss(rules, path),
        *_about_open_products(rules, path),
        *_about_empty_rules(rules, path),
    ]


def _about_switches(rules: Rules, path: str) -> list[str]:
    found = []
    for name, instances in rules.items():
        if any(plain["locked"] and not plain["enabled"] for plain in instances):
            found.append(f"{path}.{name} IS LOCKED BUT DISABLED: locking protects its settings, it enforces nothing")
        elif not any(plain["enabled"] for plain in instances):
            found.append(f"{path}.{name}: the table is there but enabled = false: it does nothing")
        elif not _active(rules, name):
            found.append(f"{path}.{name}: shadow = true: it only records what it would have done")
    return found


def _about_open_loss(rules: Rules, path: str) -> list[str]:
    realized = _active(rules, "daily_realized_loss")
    if not realized or _active(rules, "daily_unrealized_loss"):
        return []
    if any(plain["basis"] in _OPEN_LOSS_BASES for plain in realized):
        return []
    return [
        f"{path}.daily_realized_loss looks at closed trades only and cannot stop an open loser: "
        'add [rules.daily_unrealized_loss] or basis = "combined"'
    ]


def _about_open_products(rules: Rules, path: str) -> list[str]:
    found = []
    if any(plain["allowed_symbols"] is not None for plain in _active(rules, "symbol_blocks")):
        return []
    for plain in _active(rules, "max_contracts_per_instrument"):
        if plain["default_limit"] is None and plain["unknown_symbol_action"] == "allow_unlimited":
            listed = ", ".join(sorted(plain["limits"]))
            found.append(
                f"{path}.max_contracts_per_instrument: every product "
                + (f"but {listed} " if listed else "")
                + 'is open without a limit: set default_limit, or unknown_symbol_action = "block"'
            )
    return found


def _about_empty_rules(rules: Rules, path: str) -> list[str]:
    found = []
    for plain in _active(rules, "cooldown_after_loss"):
        if not plain["loss_thresholds"] and plain["consecutive_losses"] is None:
            found.append(
                f"{path}.cooldown_after_loss has neither loss_thresholds nor consecutive_losses: it does nothing"
            )
    for plain in _active(rules, "symbol_blocks"):
        if not plain["blocked_symbols"] and plain["allowed_symbols"] is None:
            found.append(f"{path}.symbol_blocks blocks nothing: give blocked_symbols or allowed_symbols")
    return found
