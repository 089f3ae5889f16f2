"""Just below, at and above each bound that a setting declares, for every rule and table."""

from collections.abc import Iterator
from typing import Any

import pytest

from riskcore.core.quantities import FRACTION_PLACES, MONEY_PLACES, decimal_text
from riskcore.core.rules import RULES, by_name
from riskcore.errors import ConfigError
from riskcore.settings.kinds import read_table
from riskcore.settings.programme_table import ProgrammeTable
from riskcore.settings.tables import ProfileTable

PLACES = {"int": 0, "money": MONEY_PLACES, "fraction": FRACTION_PLACES}
# RULE-010 verify_interval_seconds is 0 (off) or 30 and more: its own test is below.
OWN_TEST = ("auth_loss_guard.verify_interval_seconds",)
# Fields that must not overtake this one, and take its value.
COMPANIONS = {
    "programme.guard_entries_at": ("flatten_at",),
    "programme.flatten_at": ("guard_entries_at",),
    "programme.last_entry_minutes": ("flatten_minutes", "hard_minutes"),
    "programme.flatten_minutes": ("last_entry_minutes", "hard_minutes"),
    "programme.hard_minutes": ("last_entry_minutes", "flatten_minutes"),
}


def written(kind: str, value: int) -> Any:
    return value if kind == "int" else decimal_text(value, PLACES[kind])


def bounded(table: type[Any], path: str) -> Iterator[tuple[type[Any], str, str, int, bool]]:
    for name, parameter in table.__dataclass_fields__.items():
        spec = parameter.metadata
        if spec["table"] is not None:
            yield from bounded(spec["table"], f"{path}.{name}")
        if spec["kind"] not in PLACES or f"{path}.{name}" in OWN_TEST:
            continue
        for bound, inside in ((spec["low"], 1), (spec["high"], -1)):
            if bound is not None:
                yield table, f"{path}.{name}", name, bound, True
                yield table, f"{path}.{name}", name, bound + inside, True
                yield table, f"{path}.{name}", name, bound - inside, False


CASES = [
    case
    for table, path in [
        (ProfileTable, "profile"),
        (ProgrammeTable, "programme"),
        *((rule.params, rule.name) for rule in RULES),
    ]
    for case in bounded(table, path)
]


@pytest.mark.parametrize(("table", "path", "name", "value", "allowed"), CASES)
def test_bounds(table: type[Any], path: str, name: str, value: int, allowed: bool) -> None:
    spec = table.__dataclass_fields__[name].metadata
    raw = {
        other: written(parameter.metadata["kind"], parameter.metadata["low"])
        for other, parameter in table.__dataclass_fields__.items()
        if parameter.metadata["required"]
    }
    raw[name] = written(spec["kind"], value)
    raw.update(dict.fromkeys(COMPANIONS.get(path, ()), raw[name]))
    if path.endswith("_minutes") and table is ProgrammeTable:
        raw["flat_by"] = "15:08"  # So that even one minute before it is before the firm closes.
    if allowed:
        assert read_table(table, raw, path, [])[name] == value
    else:
        with pytest.raises(ConfigError, match="must be"):
            read_table(table, raw, path, [])


@pytest.mark.parametrize(
    ("value", "allowed"), [(0, True), (1, False), (29, False), (30, True), (3600, True), (3601, False)]
)
def test_the_interval_of_rule_010_is_off_or_half_a_minute_and_more(value: int, allowed: bool) -> None:
    params, raw = by_name("auth_loss_guard").params, {"verify_interval_seconds": value}
    if allowed:
        assert read_table(params, raw, "auth_loss_guard", [])["verify_interval_seconds"] == value
    else:
        with pytest.raises(ConfigError, match="verify_interval_seconds"):
            read_table(params, raw, "auth_loss_guard", [])


def test_the_cases_come_from_every_table() -> None:
    assert len(CASES) > 100
