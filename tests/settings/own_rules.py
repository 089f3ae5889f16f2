"""Modules with rules of a user's own, written into a folder as a user would."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riskcore.core import rules
from riskcore.settings import user_rules

NAME = "my_rules:last_minutes"
TABLE = f'[rules."{NAME}"]\n'
MODULE = '''"""RULE-900 LastMinutes: no new position shortly before the reset."""

from collections.abc import Sequence
from dataclasses import dataclass

from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules.base import Breach, Finding, Rule, spec
from riskcore.core.rules.commands import close_position
from riskcore.core.view import View


@dataclass(frozen=True, slots=True)
class Params:
    seconds: int = spec(600, "int", unit="s", low=1, high=90_000, stricter="higher", doc="how long before the reset")


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    assert view.book.day is not None
    left = (view.book.day.closes_at - view.now) // SECOND_NS
    if left >= params.seconds:
        return ()
    figures = {"seconds_left": str(left)}
    return [
        Breach(contract, figures, (close_position(contract),), contract=contract)
        for contract in view.effect.increased
        if not view.episode_open(contract)
    ]


def needs(params: Params) -> tuple[str, ...]:
    return ("positions",)


RULE = Rule("RULE-900", "last_minutes", "No new position shortly before the reset", 55, Params, evaluate, needs=needs)
'''


@contextmanager
def module_in(folder: Path, text: str = MODULE, name: str = "my_rules") -> Iterator[Path]:
    """A module that settings of this folder find; afterwards nothing knows its rules any more."""
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    user_rules.look_in(folder)
    try:
        yield path
    finally:
        if folder in user_rules._folders:
            user_rules._folders.remove(folder)
        user_rules._modules.clear()
        for one in [one for one in rules._BY_NAME if one.startswith(f"{name}:")]:
            del rules._BY_NAME[one]
        for known in [known for known in rules._BY_SOURCE if known[0].startswith(f"{name}:")]:
            del rules._BY_SOURCE[known]
