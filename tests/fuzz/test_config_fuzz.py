"""Whatever is typed into riskcore.toml or behind --set: settings or a ConfigError, never anything else."""

import json
import random

import pytest

from riskcore.core.rulebook import rulebook_of
from riskcore.core.rules import RULES
from riskcore.core.rules.base import Rule
from riskcore.errors import ConfigError
from riskcore.settings.config import read_settings
from riskcore.settings.toml_text import settings_toml

INPUTS = 6_000
SEED_TEXT = """
[profile]
name = "combine-50k"
accounts = ["50KTC-V2-99000001", 99000002]
timezone = "America/Chicago"
reset_time = "17:00"
max_quote_age_seconds = 10
[programme]
stage = "combine"
floor_override = "48000"
[rules.max_contracts]
limit = 5
[rules.max_contracts_per_instrument]
limits = { MNQ = 10, ES = 1 }
[[rules.daily_realized_loss]]
loss_limit = "500.50"
warn_at = [0.5, 0.9]
[[rules.daily_realized_loss]]
loss_limit = 700
[rules.trade_frequency_limit]
cooldowns = { minute = 60, hour = 1800 }
[rules.cooldown_after_loss]
loss_thresholds = [{ loss_amount = 100, cooldown_seconds = 300 }]
[rules.session_block_outside]
windows = [{ days = ["Mon", "Tue"], start = "08:30", end = "15:00" }]
holidays = ["2026-11-26"]
early_closes = { "2026-11-27" = "12:15" }
per_instrument = { ZC = [{ days = ["Mon"], start = "09:00", end = "13:00" }] }
[accounts."50KTC-V2-99000001".rules.max_contracts]
limit = 2
"""
TOKENS = (
    "nan", "-inf", "0", "-1", "1e999", "1e-30", "9" * 60, "0x" + "f" * 60, "true", '"off"', "[]", "{}", "[[", "]]",
    '""', '"', "'''", "\\u0000", "\x00", "\ufeff", "é", "😀", "2026-13-01", "2026-02-28", "24:00", "07:32:00", "=", "_",
    "1979-05-27T07:32:00Z", "a.b.c", "[rules]", "[[rules]]", "[rules.max_contracts]", "rules = 1", "enabled = 1",
    "[" * 500, "{a=" * 200, "#", "\n", "\r",
)  # fmt: skip


def mutated(source: random.Random, text: str) -> str:
    for _ in range(source.randint(1, 3)):
        where = source.randrange(len(text) + 1)
        lines = text.splitlines() or [""]
        index = source.randrange(len(lines))
        action = source.randrange(7)
        if action == 0:
            text = text[:where] + source.choice(TOKENS) + text[where:]
        elif action == 1:
            text = text[:where] + text[where + source.randint(1, 12) :]
        elif action == 2:
            text = "\n".join(lines[:index] + lines[index + 1 :])
        elif action == 3:
            other = source.randrange(len(lines))
            lines[index], lines[other] = lines[other], lines[index]
            text = "\n".join(lines)
        elif action == 4:
            lines[index] = lines[index].partition("=")[0] + "= " + source.choice(TOKENS)
            text = "\n".join(lines)
        elif action == 5:
            text = text[:where] + chr(source.randrange(1, 0x250)) + text[where + 1 :]
        else:
            text = "".join(
                source.choice("0123456789") if letter.isdigit() and source.random() < 0.05 else letter
                for letter in text
            )
    return text


def check(text: str, *sets: str) -> bool:
    """Whether it was accepted; what is accepted is plain JSON, builds a rulebook, and survives its own TOML."""
    try:
        plain = read_settings(text, sets).plain
    except ConfigError as error:
        message = str(error)
        assert message
        for line in message.split("\n"):  # One for each fault.
            assert line.isprintable(), message
            assert 0 < len(line) < 1500
        return False
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    rulebook_of(plain)
    assert read_settings(settings_toml(plain)).plain == plain
    return True


def test_mutated_files() -> None:
    known = {rule.name for rule in RULES}
    blocks = [
        block for block in SEED_TEXT.split("\n[") if "rules." not in block or any(name in block for name in known)
    ]
    seed = "\n[".join(blocks)
    assert check(seed)
    source = random.Random(20261121)
    accepted = sum(check(mutated(source, seed)) for _ in range(INPUTS))
    # Both outcomes must be exercised, or the mutations are too gentle or too rough.
    assert INPUTS // 20 < accepted < INPUTS * 9 // 10


def test_mutated_assignments() -> None:
    source = random.Random(7)
    names = [
        "profile",
        "rules",
        "accounts",
        "A",
        "0",
        "1",
        "99",
        "",
        "limit",
        "loss_limit",
        '"x.y"',
        "enabled",
        "\ud800",
    ]
    names += [rule.name for rule in RULES]
    accepted = 0
    for _ in range(INPUTS):
        key = ".".join(source.choice(names) for _ in range(source.randint(1, 5)))
        accepted += check("", f"{key}{source.choice(('=', '', '=='))}{source.choice((*TOKENS, '5', '500.5'))}")
    assert accepted > 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_field_of_every_rule_takes_any_token(rule: Rule) -> None:
    name, params = rule.name, rule.params
    for field in params.__dataclass_fields__:
        for token in TOKENS:
            check(f"[rules.{name}]\n{field} = {token}")
            check(f"[rules.{name}]\n{field} = [{token}]")
            check(f"[rules.{name}]\n{field} = {{ MNQ = {token} }}")
