"""`riskcore rules`: what each rule does and its fields, from the code that judges by them."""

import inspect
import json
import sys
from difflib import get_close_matches
from typing import Any

import click

from riskcore.cli.options import output_options, print_json
from riskcore.cli.print_text import print_text
from riskcore.core.rules import RULES
from riskcore.core.rules.base import Rule, default_of, parameters_of
from riskcore.errors import ConfigError
from riskcore.settings import user_rules
from riskcore.settings.assignments import parse_toml
from riskcore.settings.config import find_file, load_settings
from riskcore.settings.kinds import plain_of, toml_value
from riskcore.settings.place import range_text
from riskcore.settings.writers import toml_key


@click.command(epilog="Example: riskcore rules daily_realized_loss")
@click.argument("name", required=False)
@output_options
def command(name: str | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Explain the rules and their fields. NAME is a settings name or an id such as RULE-003."""
    _read_own_rules(name)
    chosen = list(RULES) if name is None else [_named(name)]
    if as_json:
        print_json({"schema": "riskcore.rules/1", "rules": [described(rule) for rule in chosen]})
    elif name is None:
        width = max(len(rule.name) for rule in chosen)
        for rule in sorted(chosen, key=lambda rule: rule.id):
            print_text(f"{rule.id}  {rule.name.ljust(width)}  {rule.title}")
        if not quiet:
            click.echo("\nFields of one rule: riskcore rules NAME")
    else:
        print_text(_page(chosen[0]))


def _read_own_rules(name: str | None) -> None:
    """The rules of the user's own that the settings name are rules too; so is one that is asked for."""
    path = find_file()
    if path is not None:
        user_rules.look_in(path.parent)
        try:
            load_settings(path)
        except ConfigError as error:
            click.echo(f"warning: {error}", err=True)
    if name is not None and user_rules.is_users(name):
        user_rules.load(name)


def _named(name: str) -> Rule:
    for rule in RULES:
        if name == rule.name or name.lower() in (rule.name, rule.id.lower()):
            return rule
    meant = get_close_matches(name.lower(), [word for rule in RULES for word in (rule.name, rule.id.lower())], 1)
    hint = f"did you mean {meant[0]}? " if meant else ""
    raise ConfigError(f"no rule is called {name[:40]!r}; {hint}riskcore rules lists them")


def described(rule: Rule) -> dict[str, Any]:
    """A rule as plain data: id, name, title, text and fields with type, unit, default, range and meaning."""
    return {
        "id": rule.id,
        "name": rule.name,
        "title": rule.title,
        "text": inspect.cleandoc(sys.modules[rule.evaluate.__module__].__doc__ or ""),
        "needs": list(rule.needs(rule.params())),
        "fields": _fields(parameters_of(rule), ""),
    }


def _fields(parameters: tuple[Any, ...], prefix: str) -> list[dict[str, Any]]:
    found = []
    for parameter in parameters:
        spec = parameter.metadata
        default = plain_of(default_of(parameter))
        found.append(
            {
                "name": prefix + parameter.name,
                "type": spec["kind"],
                "unit": spec["unit"],
                "default": None if spec["required"] else parse_toml(f"value = {toml_value(spec, default)}")["value"],
                "range": range_text(spec),
                "choices": list(spec["choices"]),
                "optional": spec["optional"],
                "required": spec["required"],
                "stricter": spec["stricter"] or None,
                "doc": spec["doc"],
            }
        )
        if spec["table"] is not None:
            found.extend(_fields(tuple(spec["table"].__dataclass_fields__.values()), f"{prefix}{parameter.name}."))
    return found


def _page(rule: Rule) -> str:
    plain = described(rule)
    lines = [f"{plain['id']}  {plain['name']}", "", plain["text"], "", f"[rules.{toml_key(rule.name)}]"]
    if rule.source:
        lines.insert(1, f"your own rule, source {rule.source[:12]}")
    for field in plain["fields"]:
        default = "required" if field["required"] else f"default {json.dumps(field['default'])}"
        lines.append(f"  {field['name']}: {field['doc']}")
        lines.append(f"      {field['range']}; {default}")
    lines.append("Every rule also takes enabled = true or false, and shadow = true (records, does nothing).")
    return "\n".join(lines)
