"""What every rule is: declared parameters, bounds that only get narrower (riskcore/core/rules/base.py)."""

from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from riskcore.core.rules.base import UNBOUNDED, Quiet, Rule, default_of, parameters_of, spec


@dataclass(frozen=True)
class Params:
    limit: int = spec(5, "int", unit="contracts", low=1, high=9, stricter="lower", doc="how many")
    names: list[str] = field(default_factory=list)
    sizes: dict[str, int] = spec({}, "root_sizes")


RULE = Rule("RULE-999", "sample", "A sample", 1, Params, lambda params, view: ())


def test_parameters_come_in_the_order_they_are_written_with_what_is_declared() -> None:
    limit, names, sizes = parameters_of(RULE)
    assert [one.name for one in (limit, names, sizes)] == ["limit", "names", "sizes"]
    declared = {key: limit.metadata[key] for key in ("kind", "unit", "low", "high", "stricter", "doc", "choices")}
    assert declared == {
        "kind": "int",
        "unit": "contracts",
        "low": 1,
        "high": 9,
        "stricter": "lower",
        "doc": "how many",
        "choices": (),
    }
    assert [default_of(one) for one in (limit, names, sizes)] == [5, [], {}]


def test_a_rule_is_built_from_plain_data_and_refuses_names_it_does_not_know() -> None:
    assert RULE.build({"limit": 3}) == Params(limit=3)
    with pytest.raises(TypeError, match="typo"):
        RULE.build({"typo": 3})
    with pytest.raises(FrozenInstanceError):
        RULE.build({}).limit = 4


def test_a_rule_that_declares_no_inputs_is_never_blind() -> None:
    assert RULE.needs(Params()) == ()


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ([], None),
        ([(5, 10)], (5, 10)),
        ([(5, 10), (-UNBOUNDED, 8)], (5, 8)),
        ([(5, 10), (7, UNBOUNDED)], (7, 10)),
        ([(5, 10), (1, 20)], (5, 10)),
    ],
)
def test_bounds_only_get_narrower(rows: list[tuple[int, int]], left: Any) -> None:
    bounds = Quiet()
    for low, high in rows:
        bounds.narrow("X", low, high)
    assert bounds.intervals.get("X") == left


def test_a_rule_waits_for_what_it_needs_unless_it_says_otherwise() -> None:
    """Marks value positions, so a rule that reads quotes waits for those."""
    reading = replace(RULE, needs=lambda params: ("trades", "quotes"))
    assert RULE.awaits(Params()) == ()
    assert reading.awaits(Params()) == ("trades", "positions")
    assert replace(reading, waits_for=("orders",)).awaits(Params()) == ("orders",)
    assert replace(reading, waits_for=()).awaits(Params()) == ()
