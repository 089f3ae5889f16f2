"""`--set a.b.c=value`: one setting put over those of the file."""

import tomllib
from functools import lru_cache
from typing import Any

from riskcore.errors import ConfigError
from riskcore.settings.place import TomlNumber, shown

LONGEST = 10_000
_EXAMPLE = "write it like --set rules.daily_realized_loss.loss_limit=400"


def parse_toml(text: str) -> dict[str, Any]:
    """TOML with exact numbers. Raises ValueError, also for nesting and numbers no settings file has."""
    try:
        return tomllib.loads(text, parse_float=TomlNumber)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def split_assignment(assignment: str) -> tuple[list[str], str]:
    """The parts of the key of one `key=value`, and the text of its value. Raises ConfigError."""
    key, equals, text = assignment.partition("=")
    if not equals or len(assignment) > LONGEST:
        raise ConfigError(f"--set {shown(assignment)}: {_EXAMPLE}")
    names = _names_of(key.strip())
    if names is None:
        raise ConfigError(f"--set {shown(assignment)}: not a setting's name; {_EXAMPLE}")
    return list(names), text.strip()


def assign(settings: dict[str, Any], assignment: str) -> None:
    """Applies one `key=value` to raw settings. A number in the key picks one of several tables of a rule."""
    names, text = split_assignment(assignment)
    place: Any = settings
    for index, name in enumerate(names[:-1]):
        place = _inside(place, name, ".".join(names[: index + 1]))
    _table_of(place, ".".join(names[:-1]))[names[-1]] = _value(text)


@lru_cache(maxsize=64)
def _names_of(key: str) -> tuple[str, ...] | None:
    """The parts of a dotted key; a part with dots or blanks stands in quotes, as in TOML. None: it names no setting.

    The settings of a grid have their keys in common.
    """
    names = []
    try:
        if "\n" in key or "\r" in key:
            raise ValueError("more than one line")
        table: Any = parse_toml(f"{key} = 0")
    except ValueError:
        return None
    while isinstance(table, dict) and len(table) == 1:
        name, table = next(iter(table.items()))
        names.append(name)
    return None if len(names) < 2 or table != 0 else tuple(names)


def _inside(place: Any, name: str, path: str) -> Any:
    """The table or array of tables under a name; tables that are not there yet are made."""
    if isinstance(place, list) and name.isascii() and name.isdigit():
        if len(name) > len(str(len(place))) or int(name) >= len(place):
            raise ConfigError(f"--set {path}: there are {len(place)} tables; use 0 to {len(place) - 1}")
        return place[int(name)]
    table = _table_of(place, path)
    if name == "0" and name not in table:
        # The first of one: rules.X.0 addresses a rule that is written as a plain table too.
        return table
    found = table.setdefault(name, {})
    if isinstance(found, dict) or (isinstance(found, list) and found and all(isinstance(item, dict) for item in found)):
        return found
    raise ConfigError(f"--set {path}: is a value and has no settings of its own")


def _table_of(place: Any, path: str) -> dict[str, Any]:
    if isinstance(place, list):
        if len(place) > 1:
            raise ConfigError(f"--set {path}: there are {len(place)} tables; pick one, e.g. {path}.0")
        return _table_of(place[0], path)
    table: dict[str, Any] = place
    return table


def _value(text: str) -> Any:
    """TOML where it is TOML (400, true, ["Mon"], "off"), plain text otherwise (off, 1st target)."""
    if "\n" not in text and "\r" not in text:
        try:
            return parse_toml(f"value = {text}")["value"]
        except ValueError:
            pass
    return text
