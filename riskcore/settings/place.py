"""Where a setting stands in riskcore.toml, what is allowed there, and how errors name both."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from riskcore.core.quantities import FRACTION_PLACES, MONEY_PLACES, decimal_text
from riskcore.errors import ConfigError

LONGEST_TEXT = 200
_LONGEST_SHOWN = 40
_WHAT = {
    "bool": "true or false",
    "int": "a whole number",
    "money": "an amount of dollars",
    "fraction": "a fraction",
    "fractions": "an ascending list of fractions",
    "choice": "one of",
    "choices": "a list of",
    "choice_or_number": "one of",
    "choice_or_money": "an amount of dollars",
    "choice_or_fraction": "one of",
    "text": f"text of up to {LONGEST_TEXT} printable characters",
    "name": "a name of up to 64 letters, digits, '.', '_' and '-'",
    "zone": "an IANA time zone such as America/Chicago",
    "accounts": 'a list of account names or ids, or "all"',
    "clock": "a time of day HH:MM",
    "roots": "a list of product roots such as MNQ",
    "root_sizes": "a table of product root = whole number",
    "date": "a date YYYY-MM-DD",
    "readings": "a table of reading = one of its values",
    "dates": "a list of dates YYYY-MM-DD",
    "date_times": 'a table of "YYYY-MM-DD" = "HH:MM"',
    "seconds_list": "a list of whole numbers",
    "windows": "a list of { days, start, end }",
    "root_windows": "a table of product root = list of { days, start, end }",
    "loss_tiers": "a list of { loss_amount, cooldown_seconds }",
    "cooldowns": "a table of minute and hour = whole number",
    "table": "a table",
    "tables": "a list of tables",
}
_PLACES = {
    "money": MONEY_PLACES,
    "choice_or_money": MONEY_PLACES,
    "fraction": FRACTION_PLACES,
    "fractions": FRACTION_PLACES,
}


class TomlNumber(str):
    """A TOML float kept as it was written (`parse_float=TomlNumber`)."""

    __slots__ = ()

    def __repr__(self) -> str:
        # A text that says the same is another value.
        return f"TomlNumber({str(self)!r})"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, what is allowed there, and where warnings about it go."""

    path: str
    spec: Mapping[str, Any]
    warnings: list[str]

    def inside(self, key: object) -> "Place":
        return Place(f"{self.path}.{key}", self.spec, self.warnings)

    def error(self, value: object) -> ConfigError:
        return ConfigError(f"{self.path} = {shown(value)}: must be {range_text(self.spec)}")


def shown(value: object) -> str:
    """A value as an error names it: short, on one line, whatever was typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, TomlNumber):
        return str(value)[:_LONGEST_SHOWN]
    if isinstance(value, int):
        return str(value) if value.bit_length() < 100 else "a number of more than 30 digits"
    if isinstance(value, str):
        return ascii(value) if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]!a}..."
    if isinstance(value, (date, time)):
        return value.isoformat()
    return "an array" if isinstance(value, list) else "a table"


def range_text(spec: Mapping[str, Any]) -> str:
    """What a parameter may be, in the units a trader writes: "a whole number from 1 to 10000"."""
    kind = spec["kind"]
    text = _WHAT[kind]
    if spec["choices"] and kind != "choice_or_money":
        text += " " + ", ".join(spec["choices"])
    text += _bounds_text(spec, _PLACES.get(kind, 0)) if kind != "clock" else _clock_bounds(spec)
    if spec["unit"] not in ("", "$"):
        text += f" ({spec['unit']})"
    if kind == "choice_or_money":
        text += f", or one of {', '.join(spec['choices'])}"
    return text + (' or "off"' if spec["optional"] else "")


def _bounds_text(spec: Mapping[str, Any], places: int) -> str:
    low, high = spec["low"], spec["high"]
    low_text = None if low is None else decimal_text(low, places)
    high_text = None if high is None else decimal_text(high, places)
    if places and low == 1:
        return " above 0" + (f" and at most {high_text}" if high_text else "")
    if low_text and high_text:
        return f" from {low_text} to {high_text}"
    if low_text:
        return f" of at least {low_text}"
    return f" of at most {high_text}" if high_text else ""


def _clock_bounds(spec: Mapping[str, Any]) -> str:
    low, high = spec["low"], spec["high"]
    if not low:
        return "" if high in (None, 86_399) else f" before {time_text(high + 1)}"
    return f" from {time_text(low)} to {time_text(high)}"


def time_text(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def refuse_unknown(table: Mapping[str, Any], known: Iterable[str], path: str) -> None:
    """Raises ConfigError for every key that is not known, naming the nearest one."""
    names, faults = list(known), Faults()
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key[:LONGEST_TEXT], names, 1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(names)}"
            where = f"{path}." if path else ""
            faults.found.append(f"{where}{shown_key(key)}: unknown setting; {hint}")
    faults.report()


class Faults:
    """Collects what is wrong with several settings, so that all of it is said at once, a line each."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Go on behind the block when it raises ConfigError."""
        try:
            yield
        except ConfigError as error:
            self.found += str(error).split("\n")

    def report(self) -> None:
        """Raises ConfigError if there was any."""
        if self.found:
            raise ConfigError("\n".join(dict.fromkeys(self.found)))


def shown_key(key: str) -> str:
    return key if key.isascii() and key.isprintable() and 0 < len(key) <= _LONGEST_SHOWN else shown(key)
