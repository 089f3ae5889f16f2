"""riskcore rules: generated from the rules themselves."""

import json

import pytest

from riskcore.cli.main import run
from riskcore.core.rules import RULES
from riskcore.core.rules.base import Rule
from riskcore.settings.config import read_settings


def test_the_list_names_every_rule_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(RULES)]] == sorted(rule.id for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_page_of_a_rule_explains_every_field(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    name = rule.name
    assert run(["rules", name]) == 0
    page = capsys.readouterr().out
    assert run(["rules", name, "--json"]) == 0
    (plain,) = json.loads(capsys.readouterr().out)["rules"]
    assert plain["name"] == name
    assert plain["title"] in page or plain["text"] in page
    for field in plain["fields"]:
        assert field["doc"], f"{name}.{field['name']} has no explanation"
        assert f"  {field['name']}: {field['doc']}" in page
        assert field["range"] in page


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_defaults_shown_are_accepted_and_are_the_defaults(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    name = rule.name
    assert run(["rules", name, "--json"]) == 0
    (plain,) = json.loads(capsys.readouterr().out)["rules"]
    sets = [
        f"rules.{name}.{field['name']}={json.dumps(field['default'])}"
        for field in plain["fields"]
        if "." not in field["name"] and not isinstance(field["default"], (dict, list))
    ]
    assert read_settings(f"[rules.{name}]", sets).plain == read_settings(f"[rules.{name}]").plain


def test_a_rule_may_be_named_by_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "rule-003"]) == 0
    assert "[rules.daily_realized_loss]" in capsys.readouterr().out


def test_an_unknown_rule_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", "nonsense"]) == 2
    assert capsys.readouterr().err == "error: no rule is called 'nonsense'; riskcore rules lists them\n"
