"""Rules of the user's own: found, checked before they run, and known by the hash of their source."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from riskcore.core import rules
from riskcore.core.loosening import compare, in_force_now
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Account
from riskcore.errors import ConfigError
from riskcore.settings import user_rules
from riskcore.settings.config import load_settings, read_settings
from riskcore.settings.toml_text import settings_toml
from riskcore.testing import Ledger
from tests.settings.own_rules import MODULE, NAME, TABLE, module_in


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Path]:
    with module_in(tmp_path) as path:
        yield path


def plain(text: str = TABLE) -> dict[str, Any]:
    return read_settings(text).plain


def error_of(folder: Path, text: str, table: str = TABLE) -> str:
    with module_in(folder, text), pytest.raises(ConfigError) as found:
        read_settings(table)
    return str(found.value).replace(str(folder), "FOLDER")


# ---- found and judging -------------------------------------------------------------------------------


def test_a_table_names_a_module_and_a_rule_in_it(module: Path) -> None:
    (table,) = plain(TABLE + "seconds = 60\n")["rules"][NAME]
    assert table["seconds"] == 60
    assert table["source"] == sha256(MODULE.encode()).hexdigest()
    assert rules.by_name(NAME).id == "RULE-900"


@pytest.mark.parametrize(("time", "kinds"), [("16:59:00", []), ("16:59:00.001", ["ClosePosition"])])
def test_it_judges_like_any_other(module: Path, time: str, kinds: list[str]) -> None:
    day = Ledger(settings=plain(TABLE + "seconds = 60\n")).at(time).fill("MNQ", 1, "21000")
    assert day.kinds == kinds
    assert [breach.rule for breach in day.breaches] == ["RULE-900"] * len(kinds)


def test_the_module_is_found_beside_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "riskcore.toml").write_text(TABLE)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with module_in(tmp_path):
        user_rules._folders.remove(tmp_path)
        assert NAME in load_settings(tmp_path / "riskcore.toml").plain["rules"]


def test_else_on_the_python_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with module_in(tmp_path):
        user_rules._folders.remove(tmp_path)
        with pytest.raises(ConfigError, match=r"there is no my_rules.py beside the settings file or on the Python"):
            read_settings(TABLE)
        monkeypatch.syspath_prepend(str(tmp_path))
        assert NAME in plain()["rules"]
        user_rules.look_in(tmp_path)


def test_overrides_arrays_switches_and_sets(module: Path) -> None:
    text = f'[[rules."{NAME}"]]\nshadow = true\n[[rules."{NAME}"]]\n'
    settings = read_settings(text, [f'rules."{NAME}".1.seconds=30']).plain
    assert [(table["shadow"], table["seconds"]) for table in settings["rules"][NAME]] == [(True, 600), (False, 30)]
    override = f'{TABLE}seconds = 60\n[accounts."7".rules."{NAME}"]\nseconds = 90\n'
    settings = read_settings(override).plain
    assert [one.params.seconds for one in rulebook_of(settings).instances(Account(7)) if one.rule.id == "RULE-900"] == [
        90
    ]


def test_what_is_written_is_read_again(module: Path) -> None:
    settings = plain(TABLE + "seconds = 60\n")
    written = settings_toml(settings)
    assert f'source = "{settings["rules"][NAME][0]["source"]}"' in written
    again = read_settings(written)
    assert (again.plain, [text for text in again.warnings if "module" in text]) == (settings, [])
    other = read_settings(written.replace(settings["rules"][NAME][0]["source"], "0" * 64))
    assert any("the module is another one" in text for text in other.warnings)


def test_the_order_of_the_rules_is_that_of_their_names(module: Path) -> None:
    text = MODULE.replace('"RULE-900"', '"RULE-901"').replace('"last_minutes"', '"a_rule"')
    with module_in(module.parent, text, "zz_rules"):
        names = list(plain(f'[rules."zz_rules:a_rule"]\n{TABLE}[rules.max_contracts]\n')["rules"])
    assert names == ["max_contracts", NAME, "zz_rules:a_rule"]


# ---- refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import time", "an import of time"),
        ("from datetime import datetime", "an import of datetime.datetime"),
        ("from riskcore.settings import config", "an import of riskcore.settings.config"),
        ("import random", "an import of random"),
        ("LOG = open('log.txt', 'w')", "open()"),
        ("HALF = 0.5", "float literal 0.5"),
        ("HALF = 1 / 2", "division that gives a float"),
        ("ROOTS = [root for root in {'MNQ', 'ES'}]", "a set whose order may be seen"),
        ("NOW = date.today()", ".today()"),
        ("print('hello')", "print()"),
    ],
)
def test_what_is_impure_is_refused_before_it_runs(tmp_path: Path, line: str, message: str) -> None:
    number = MODULE.count("\n") + 1
    assert error_of(tmp_path, f"{MODULE}{line}\n").startswith(
        f'rules."{NAME}": FOLDER/my_rules.py:{number}: {message}: a rule decides by what it is shown'
    )


COUNTS = MODULE.replace("def evaluate(params", "CALLS = [0]\n\n\ndef evaluate(params").replace(
    "    assert view", "    CALLS[0] += 1\n    assert view"
)


def test_a_rule_that_counts_by_itself_is_found_by_judging_a_day_twice(tmp_path: Path) -> None:
    counting = COUNTS.replace('"seconds_left": str(left)', '"seconds_left": str(CALLS[0])')
    message = error_of(tmp_path, counting, TABLE + "seconds = 90000\n")
    assert message.startswith(f'rules."{NAME}": the same day judged twice is decided differently, first at [')


def test_a_rule_that_raises_is_refused(tmp_path: Path) -> None:
    failing = MODULE.replace("left = (", "left = view.account.nothing + (")
    assert "it fails on a rehearsed day: AttributeError" in error_of(tmp_path, failing)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("RULE = Rule(", "RULE = Rule)(", "my_rules.py:34: not Python: unmatched"),
        ("RULE = Rule(", "RULE = Rules(", "fails when it is read: NameError: name 'Rules' is not defined"),
        ('"last_minutes"', '"first_minutes"', "has no rule of the name last_minutes; it has first_minutes"),
        ("RULE = Rule(", "RULE = lambda *args, **rest: 0\nRULE(", "it has none: write RULE = Rule(...)"),
        ('"RULE-900"', '"RULE-003"', "the id RULE-003 belongs to daily_realized_loss"),
        ('"RULE-900"', '"FEED"', "the id FEED is one of riskcore's own"),
        ('"RULE-900"', '"GUARD"', "the id GUARD is one of riskcore's own"),
        ('"RULE-900"', '"PROGRAMME-MLL"', "the id PROGRAMME-MLL is one of riskcore's own"),
        ('"RULE-900"', '"rule 900"', "must be capital letters, digits and '-'"),
        ('"int"', '"integer"', "the field seconds must be made by spec(...)"),
        ("    seconds: int", "    locked: int = spec(1, 'int')\n    seconds: int", "a field cannot be called locked"),
        ("Params, evaluate", "dict, evaluate", "params must be a frozen dataclass"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_reason(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MODULE
    assert message in error_of(tmp_path, MODULE.replace(old, new))


@pytest.mark.parametrize("name", ["a.b:c", ":c", "a:", "a:b:c", "class:rule", "../a:b", "a:B"])
def test_names_that_are_no_module_and_rule_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r'write a rule of your own as rules\."module:rule"'):
        read_settings(f'[rules."{name}"]\n')


def test_values_are_checked_like_those_of_any_rule(module: Path) -> None:
    with pytest.raises(ConfigError, match=r'rules."my_rules:last_minutes".seconds = 0: must be a whole number from 1'):
        read_settings(TABLE + "seconds = 0\n")
    with pytest.raises(ConfigError, match="unknown setting; did you mean seconds"):
        read_settings(TABLE + "second = 1\n")


# ---- changed -----------------------------------------------------------------------------------------

CHANGED = MODULE.replace("left >= params.seconds", "left > params.seconds")


def test_a_changed_module_is_a_changed_setting_and_the_old_one_judges_until_the_reset(module: Path) -> None:
    old = plain()
    module.write_text(CHANGED)
    new = plain()
    assert [(change.path, change.loosens) for change in compare(old, new)] == [(f"rules.{NAME}.0.source", True)]
    now = in_force_now(old, new)
    assert now["rules"] == old["rules"]
    [judging] = [one.rule for one in rulebook_of(now).instances(Account(7)) if one.rule.id == "RULE-900"]
    assert judging.source == old["rules"][NAME][0]["source"]
    [judging] = [one.rule for one in rulebook_of(new).instances(Account(7)) if one.rule.id == "RULE-900"]
    assert judging.source == new["rules"][NAME][0]["source"]


def test_a_new_module_with_other_fields_leaves_the_old_table_whole(module: Path) -> None:
    old = plain()
    module.write_text(MODULE.replace("    seconds: int", '    more: int = spec(1, "int")\n    seconds: int'))
    assert in_force_now(old, plain())["rules"] == old["rules"]


def test_after_a_restart_only_the_new_module_can_judge(module: Path) -> None:
    old = plain()
    module.write_text(CHANGED)
    new = plain()
    rules._BY_SOURCE.pop((NAME, old["rules"][NAME][0]["source"]))
    assert in_force_now(old, new)["rules"] == new["rules"]


def test_a_table_that_is_gone_holds_until_the_reset(module: Path) -> None:
    old, new = plain(), plain("")
    assert in_force_now(old, new)["rules"] == old["rules"]
    assert [(change.path, change.loosens) for change in compare(old, new)] == [(f"rules.{NAME}.0", True)]


def test_stored_settings_say_that_the_module_has_changed(module: Path) -> None:
    old = plain()
    assert list(user_rules.changed_since(old)) == []
    module.write_text(CHANGED)
    plain()
    rules._BY_SOURCE.pop((NAME, old["rules"][NAME][0]["source"]))
    [text] = user_rules.changed_since(old)
    assert text.startswith(f'rules."{NAME}": the module has changed since this was judged')


def test_stored_settings_fetch_the_module_by_themselves(module: Path) -> None:
    stored = plain()
    del rules._BY_NAME[NAME]
    rules._BY_SOURCE.clear()
    [found] = [one for one in rulebook_of(stored).instances(Account(7)) if one.rule.id == "RULE-900"]
    assert found.params.seconds == 600
    module.unlink()
    del rules._BY_NAME[NAME]
    rules._BY_SOURCE.clear()
    with pytest.raises(ConfigError, match=r"there is no my_rules\.py"):
        rulebook_of(stored).instances(Account(7))
