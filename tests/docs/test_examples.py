"""The Python examples of the documentation run: the rule of the guide is a rule, its tests pass."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from riskcore.cli.rules_command import described
from riskcore.core import rules
from riskcore.core.rules.base import Rule
from tests.docs.pages import DOCS, fences

GUIDE = DOCS / "guides" / "add-a-rule.md"
LEDGERS = DOCS / "concepts" / "ledgers.md"


def module_of(page: Path, info: str, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A fence of a page as an imported module."""
    (fence,) = fences(page, info)
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(fence.text, f"{page}:{fence.line}", "exec"), module.__dict__)
    return module


def run_tests_of(module: ModuleType) -> int:
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    for test in tests:
        test()
    return len(tests)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rule]:
    """The guide's rule, registered as its text says."""
    found: Rule = module_of(GUIDE, "python file=last_minutes.py", "last_minutes", monkeypatch).RULE
    registered = dict(rules._BY_NAME)
    rules._BY_NAME.pop(found.name, None)  # Whoever tries the guide has registered it already.
    rules.add(found)
    yield found
    rules._BY_NAME.clear()
    rules._BY_NAME.update(registered)


def test_the_rule_of_the_guide_passes_its_own_tests(example: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_tests_of(module_of(GUIDE, "python file=test_last_minutes.py", "test_last_minutes", monkeypatch)) == 6


def test_the_rule_of_the_guide_is_explained_like_any_other(example: Rule) -> None:
    plain = described(example)
    assert plain["text"] == "RULE-900 LastMinutes: no new position shortly before the reset."
    (field,) = plain["fields"]
    assert field["range"] == "a whole number from 1 to 3600 (s)"
    assert field["default"] == 600


def test_the_ledger_of_the_concepts_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_tests_of(module_of(LEDGERS, "python", "ledger_example", monkeypatch)) == 1
