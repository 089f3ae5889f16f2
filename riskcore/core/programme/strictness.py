"""Which change of [programme] loosens, and what is in force until the reset (RULES.md 1.6; PROGRAMME.md 2).

A field that the trader sets for himself has a stricter direction and is compared by itself. Who the account is (stage,
product, size, readings …) has none: a change of it counts as loosening, and the figures of the day stay with it.
"""

from collections.abc import Mapping
from typing import Any

Plain = Mapping[str, Any]

# Direction and the name under which the terms carry the field.
STRICTER: Mapping[str, str] = {
    "daily_loss_limit": "lower",
    "first_payout_taken": "true",
    "floor_override": "higher",
    "mll_buffer": "higher",
    "guard_entries_at": "lower",
    "flatten_at": "lower",
    "flat_by": "lower",
    "last_entry_minutes": "higher",
    "flatten_minutes": "higher",
    "hard_minutes": "higher",
    "hedge_grace_seconds": "lower",
    "enforce": "higher",
}
_IN_TERMS = {
    "daily_loss_limit": "loss_limit_usd",
    "floor_override": "floor_override_usd",
    "mll_buffer": "mll_buffer_usd",
}


def in_terms(name: str) -> str:
    """The name under which the terms carry a field that has a stricter direction."""
    return _IN_TERMS.get(name, name)


def judged(programme: Plain | None) -> Plain | None:
    """The programme as far as it is judged: one that a version stored which judged none carries no terms."""
    return programme if programme and "terms" in programme else None


def loosens(name: str, old: Plain, new: Plain) -> bool:
    """Whether the change of a field loosens. The daily loss limit counts in dollars, whatever it is written as."""
    direction = STRICTER.get(name, "")
    if not direction:
        return bool(old[name] != new[name])
    before, after = old["terms"][in_terms(name)], new["terms"][in_terms(name)]
    if before == after:
        return False
    if name == "enforce":
        return any(part not in after for part in before)
    if before is None or after is None:
        return after is None
    if direction == "true":
        return not after
    return bool(after > before if direction == "lower" else after < before)


def changes(old: Plain, new: Plain) -> list[tuple[str, Any, Any, bool]]:
    """Every field that differs: (name, old, new, loosens); `version` where the figures differ and no field does."""
    found = [
        (name, old[name], value, loosens(name, old, new))
        for name, value in new.items()
        if name != "terms" and value != old[name]
    ]
    if not found and old["terms"] != new["terms"]:
        found.append(("version", old["terms"]["version"], new["terms"]["version"], True))
    return found


def programme_now(old: Plain | None, new: Plain | None) -> dict[str, Any] | None:
    """The programme in force until the next reset: the old one, tightened where the new one is stricter."""
    if old is None or new is None:
        kept = old if new is None else new
        return None if kept is None else dict(kept)
    fields = [name for name in new if name != "terms"]
    of_the_day = any(old[name] != new[name] for name in fields if name not in STRICTER)
    fixed = of_the_day or _figures(old) != _figures(new)
    mixed = {name: old[name] if loosens(name, old, new) else new[name] for name in fields}
    terms = dict((old if fixed else new)["terms"])
    for name in STRICTER:
        terms[in_terms(name)] = (old if loosens(name, old, new) else new)["terms"][in_terms(name)]
    if terms["floor_kind"] == "none" and terms["floor_override_usd"] is not None:
        terms["floor_kind"] = "override"
    if fixed and terms["loss_limit_usd"] is not None:
        # What "standard" means depends on the size, which is still the old one.
        mixed["daily_loss_limit"] = terms["loss_limit_usd"]
    if terms == old["terms"]:
        mixed["daily_loss_limit"] = old["daily_loss_limit"]
    return {**mixed, "terms": terms}


def completed(old: Plain, new: Plain) -> dict[str, Any]:
    """A stored programme with the fields that the version which stored it did not have, as they are wanted now."""
    return {**new, **old, "terms": {**new["terms"], **old["terms"]}}


def _figures(programme: Plain) -> dict[str, Any]:
    own = [*map(in_terms, STRICTER), "floor_kind"]
    return {name: value for name, value in programme["terms"].items() if name not in own}
