"""A busy day judged twice: what keeps something of its own, or raises, is found."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from riskcore.core import rules
from riskcore.core.quantities import money
from riskcore.core.rules import RULES
from riskcore.core.rules.base import Breach, Finding, Rule
from riskcore.testing import Ledger, Unrepeatable, check_repeatable
from tests.core.rules.outside import RULE


@pytest.fixture
def outside() -> Iterator[Callable[..., Rule]]:
    """The rule from outside with another judgement."""
    yield lambda evaluate: replace(RULE, evaluate=evaluate)
    rules._BY_NAME.pop(RULE.name, None)
    rules._BY_SOURCE.pop((RULE.name, ""), None)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_of_the_package_decides_the_same_again(rule: Rule) -> None:
    check_repeatable(rule)


def test_a_count_of_its_own_is_found(outside: Callable[..., Rule]) -> None:
    calls: list[int] = []

    def counting(params: Any, view: Any) -> list[Finding]:
        calls.append(1)
        return [Breach(f"call.{len(calls)}", {})] if view.effect.trade is not None else []

    with pytest.raises(Unrepeatable, match="the same day judged twice is decided differently, first at"):
        check_repeatable(outside(counting))


def test_fewer_decisions_the_second_time_are_found(outside: Callable[..., Rule]) -> None:
    seen: list[int] = []

    def once(params: Any, view: Any) -> list[Finding]:
        if view.now in seen or view.effect.trade is None:
            return []
        seen.append(view.now)
        return [Breach("first", {}, once=False)]

    with pytest.raises(Unrepeatable, match="decided differently"):
        check_repeatable(outside(once))


def test_a_rule_that_raises_is_found(outside: Callable[..., Rule]) -> None:
    with pytest.raises(Unrepeatable, match="it fails on a rehearsed day: ZeroDivisionError"):
        check_repeatable(outside(lambda params, view: [1 // 0]))


def test_a_ledger_of_one_rule(outside: Callable[..., Rule]) -> None:
    day = Ledger.of(outside(RULE.evaluate), loss_limit=money("50"))
    assert day.closed("-49.99").breaches == []
    assert [breach.rule for breach in day.closed("-0.01").breaches] == [RULE.id]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "max_contracts"}, "max_contracts is a rule of riskcore"),
        ({"id": "RULE-001"}, "belongs to max_contracts"),
    ],
)
def test_a_name_or_an_id_of_the_package_is_refused(changed: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ledger.of(replace(RULE, **changed))
