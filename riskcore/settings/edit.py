"""Settings changed in the text of riskcore.toml: comments, order and everything that is not changed stay (tomlkit)."""

from collections.abc import Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError
from tomlkit.items import InlineTable

from riskcore.errors import ConfigError
from riskcore.settings.assignments import split_assignment
from riskcore.settings.config import read_settings


def edited(text: str, assignments: Sequence[str], source: str) -> str:
    """The text with these `key=value` in force. Raises ConfigError for settings that would not load."""
    wanted = read_settings(text, assignments, source).plain
    document = tomlkit.parse(text)
    for assignment in assignments:
        names, value = split_assignment(assignment)
        _put(document, names, _item(value))
    changed = tomlkit.dumps(document)
    if _read(changed, source) != wanted:
        raise ConfigError(f"{source}: the change cannot be written into this file; write it by hand")
    return changed


def _read(text: str, source: str) -> dict[str, Any] | None:
    """The settings of the changed text; None where it does not load."""
    try:
        return read_settings(text, (), source).plain
    except ConfigError:
        return None


def _put(document: Any, names: list[str], item: Any) -> None:
    """Set one value, and make the tables that are not there yet; the key has been checked."""
    place: Any = document
    for depth, name in enumerate(names[:-1]):
        if isinstance(place, list):
            if name.isdigit():
                place = place[int(name)]
                continue
            place = place[0]
        if name == "0" and name not in place:
            continue
        if name not in place:
            _add_table(place, name, last=depth == len(names) - 2)
        place = place[name]
    if isinstance(place, list):
        place = place[0]
    place[names[-1]] = item


def _add_table(place: Any, name: str, *, last: bool) -> None:
    if isinstance(place, InlineTable):
        place[name] = tomlkit.inline_table()
        return
    table = tomlkit.table(is_super_table=not last)
    if last:
        # A blank line before whatever follows.
        table.add(tomlkit.nl())
    place[name] = table


def _item(text: str) -> Any:
    """TOML where it is TOML (400, true, "off"), plain text otherwise, as `--set` reads it."""
    try:
        return tomlkit.value(text)
    except (ParseError, ValueError):
        return tomlkit.string(text)
