"""A rule says everything about itself: no code knows a rule by its id or name but its own file and the registry."""

import ast
import re
from collections.abc import Iterator

import pytest

from riskcore.core.balance import KEY, NAME
from riskcore.core.issuers import GUARD_ID, GUARD_KEY, OPERATOR_ID, OPERATOR_KEY, PLANNER_ID, PLANNER_KEY
from riskcore.core.rules import RULES, STANDING
from tests.tidy.sources import imports, inside, nodes, shipped, tree

REGISTRY = "riskcore.core.rules"
# Where a rule is defined, by every word that names it: rules without a table have ids only, their names are words.
OWN_FILES = {word: rule.evaluate.__module__ for rule in RULES for word in (rule.id, rule.name)}
OWN_FILES |= {rule.id: rule.evaluate.__module__ for rule in STANDING}
# Who issues commands besides the rules is named once; a balance remembers for the rule that tells of it.
OWN_FILES |= dict.fromkeys(
    (GUARD_ID, GUARD_KEY, PLANNER_ID, PLANNER_KEY, OPERATOR_ID, OPERATOR_KEY), "riskcore.core.issuers"
)
OWN_FILES |= dict.fromkeys((NAME, KEY), "riskcore.core.balance")
# Settings as a trader writes them, and examples of what to type: documentation, wherever it stands.
DOCUMENTATION = re.compile(r"\[rules\.\w+\]|\brules\.\w+\.|^Example: .*$", re.MULTILINE)
PATTERN = re.compile(
    "(?<![\\w.-])(" + "|".join(sorted(map(re.escape, OWN_FILES), key=len, reverse=True)) + ")(?![\\w-])"
)


def docstrings(module: ast.Module) -> list[int]:
    """The identities of the constants that are docstrings."""
    found = []
    for node in nodes(module):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.append(id(first.value))
    return found


def named(module: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, word) of every rule that the code of a module names."""
    prose = docstrings(module)
    for node in nodes(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            for word in PATTERN.findall(DOCUMENTATION.sub("", node.value)):
                yield node.lineno, word


def test_only_its_own_file_names_a_rule() -> None:
    found = [
        f"{path}:{line}: {word} belongs to {OWN_FILES[word]}"
        for name, path in shipped().items()
        for line, word in named(tree(path))
        if name != OWN_FILES[word]
    ]
    assert not found, "\n".join(found)


def test_only_the_registry_imports_a_rule() -> None:
    rules = [rule.evaluate.__module__ for rule in (*RULES, *STANDING)]
    found = [
        f"{path}:{line}: {imported_name}"
        for name, path in shipped().items()
        for line, imported_name in imports(tree(path))
        if name != REGISTRY and any(inside(imported_name, rule) for rule in rules)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        'if rule == "RULE-003": pass',
        'LATE = ("daily_realized_loss",)',
        'x = f"account/RULE-010/{key}"',
        'if rule.id == "BLIND": pass',
        'if body.rule == "GUARD": pass',
    ],
)
def test_a_name_would_be_seen(text: str) -> None:
    assert list(named(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    [
        '"""RULE-003 counts these."""',
        'x = "[rules.max_contracts]\\nlimit = 3"',
        'x = "Example: riskcore why RULE-003"',
        'x = "blind"',
        'x = "max_contracts_per_day"',
    ],
)
def test_what_is_no_name_is_accepted(text: str) -> None:
    assert not list(named(ast.parse(text)))
