"""Readers: a raw TOML value becomes plain data, exactly, or a ConfigError names key, value and range."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from fractions import Fraction
from itertools import pairwise
from typing import Any

from riskcore.core.products import PRODUCTS, known_roots, root_of_code
from riskcore.core.programme.terms import READINGS
from riskcore.core.quantities import FRACTION_PLACES, MONEY_PLACES, decimal_text, exact
from riskcore.core.trading_day import WEEKDAYS
from riskcore.errors import ConfigError
from riskcore.settings.calendar import zone_names
from riskcore.settings.place import LONGEST_TEXT, Place, TomlNumber, refuse_unknown, shown

LARGEST_INT = 1_000_000_000
LONGEST_LIST = 1000
EVERY_WORKDAY = [0, 1, 2, 3, 4]
_ROOT_OF_CODE = {code: root for code, root, *_ in PRODUCTS}
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SYMBOL = "F.US."
_ROOT = re.compile(r"(F\.US\.)?[A-Z0-9]{1,8}", re.ASCII)


def _scaled(value: object, places: int, place: Place) -> int:
    """An amount or ratio, exactly: more digits than the scale holds are refused and not rounded."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise place.error(value)
    if isinstance(value, int) and value.bit_length() >= 100:
        raise place.error(value)
    text = str(value).strip().replace("_", "") if isinstance(value, (int, TomlNumber)) else value.strip()
    try:
        scaled = exact(text, places)
    except ValueError:
        raise place.error(value) from None
    if Fraction(text) * 10**places != scaled:
        raise ConfigError(f"{place.path} = {shown(value)}: has more than {places} decimals")
    return scaled


def _ranged(number: int, value: object, place: Place) -> int:
    low, high = place.spec["low"], place.spec["high"]
    if (low is not None and number < low) or (high is not None and number > high):
        raise place.error(value)
    return number


def read_bool(value: Any, place: Place) -> Any:
    if not isinstance(value, bool):
        raise place.error(value)
    return value


def read_int(value: Any, place: Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_INT:
        raise place.error(value)
    return _ranged(value, value, place)


def read_money(value: Any, place: Place) -> int:
    amount = _scaled(value, MONEY_PLACES, place)
    low = place.spec["low"]
    if amount < 0 and low is not None and low > 0:
        # Limits are magnitudes: -500 and 500 mean the same (RULES.md 1.2).
        place.warnings.append(
            f"{place.path} = {shown(value)}: read as {decimal_text(-amount, MONEY_PLACES)}; "
            "limits are written without a sign"
        )
        amount = -amount
    return _ranged(amount, value, place)


def read_fraction(value: Any, place: Place) -> int:
    return _ranged(_scaled(value, FRACTION_PLACES, place), value, place)


def read_choice(value: Any, place: Place) -> str:
    if not isinstance(value, str) or value not in place.spec["choices"]:
        raise place.error(value)
    return value


def read_choice_or_money(value: Any, place: Place) -> Any:
    return value if isinstance(value, str) and value in place.spec["choices"] else read_money(value, place)


def read_choice_or_fraction(value: Any, place: Place) -> Any:
    """One of the words, or one of the fractions, however it is written: 0.5 and "0.50" are the same."""
    words = [one for one in place.spec["choices"] if not one[:1].isdigit()]
    if isinstance(value, str) and value in words:
        return value
    fraction = _scaled(value, FRACTION_PLACES, place)
    if fraction not in [exact(one, FRACTION_PLACES) for one in place.spec["choices"] if one not in words]:
        raise place.error(value)
    return fraction


def read_text(value: Any, place: Place) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise place.error(value)
    return str(value)


def read_name(value: Any, place: Place) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise place.error(value)
    return str(value)


def read_zone(value: Any, place: Place) -> str:
    if not isinstance(value, str) or value not in zone_names():
        raise place.error(value)
    return str(value)


def read_root(value: Any, place: Place) -> str:
    if not isinstance(value, str) or not _ROOT.fullmatch(value.upper()):
        raise ConfigError(f"{place.path}: {shown(value)} is not a product root; write it like MNQ or ES")
    root = value.upper()
    if root.startswith(_SYMBOL):
        root = root_of_code(root.removeprefix(_SYMBOL))
    if root not in known_roots():
        real = _ROOT_OF_CODE.get(root)
        hint = f"it is the broker's code of {real}: write {real}" if real else "check the spelling"
        place.warnings.append(f"{place.path}: unknown product root {root}; {hint}")
    return root


def read_clock(value: Any, place: Place) -> int:
    if isinstance(value, time) and value.microsecond == 0 and value.tzinfo is None:
        seconds = value.hour * 3600 + value.minute * 60 + value.second
    else:
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise place.error(value)
        hour, minute, second = match.groups("0")
        seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    return _ranged(seconds, value, place)


def read_date(value: Any, place: Place) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value).isoformat()
    raise ConfigError(f"{place.path}: {shown(value)} is not a date; write it like 2026-11-26")


def items(value: Any, place: Place) -> list[Any]:
    if not isinstance(value, list) or len(value) > LONGEST_LIST:
        raise place.error(value)
    return value


def entries(value: Any, place: Place) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > LONGEST_LIST:
        raise place.error(value)
    return value


def list_of(read: Callable[[Any, Place], Any], *, ascending: bool = False) -> Callable[[Any, Place], list[Any]]:
    def read_list(value: Any, place: Place) -> list[Any]:
        found = [read(item, place.inside(index)) for index, item in enumerate(items(value, place))]
        if ascending and any(first >= second for first, second in pairwise(found)):
            raise ConfigError(f"{place.path}: must be ascending, each value once")
        if any(item in found[:index] for index, item in enumerate(found)):
            raise ConfigError(f"{place.path}: names a value twice")
        return found

    return read_list


def read_accounts(value: Any, place: Place) -> list[str]:
    """Names or ids; "all" is stored as the empty list, which judges every account."""
    if value == "all":
        return []
    names = []
    for index, item in enumerate(items(value, place)):
        if isinstance(item, bool) or not isinstance(item, (int, str)) or (isinstance(item, int) and item < 1):
            raise place.inside(index).error(item)
        names.append(read_text(shown(item) if isinstance(item, int) else item, place.inside(index)))
    if not names or "" in names or any(name in names[:index] for index, name in enumerate(names)):
        raise ConfigError(f'{place.path}: list each account once, or write "all"')
    return names


def read_by_root(value: Any, place: Place, read: Callable[[Any, Place], Any]) -> dict[str, Any]:
    """A table with a value for each root. Raises ConfigError for a root that is given twice, by another name."""
    found: dict[str, Any] = {}
    for key, item in entries(value, place).items():
        root = read_root(key, place)
        if root in found:
            raise ConfigError(f"{place.path}: {root} is given twice")
        found[root] = read(item, place.inside(key[:LONGEST_TEXT]))
    return found


def read_root_sizes(value: Any, place: Place) -> dict[str, int]:
    return read_by_root(value, place, read_int)


def read_date_times(value: Any, place: Place) -> dict[str, int]:
    return {
        read_date(key, place): read_clock(item, _clock_place(place, key)) for key, item in entries(value, place).items()
    }


def _clock_place(place: Place, key: str) -> Place:
    return Place(f"{place.path}.{key}", {**place.spec, "kind": "clock"}, place.warnings)


def read_day(value: Any, place: Place) -> int:
    names = [name.lower() for name in WEEKDAYS]
    if not isinstance(value, str) or value.lower() not in names:
        raise ConfigError(f"{place.path}: {shown(value)} is not a day; write {', '.join(WEEKDAYS)}")
    return names.index(value.lower())


def read_window(value: Any, place: Place) -> dict[str, Any]:
    table = entries(value, place)
    refuse_unknown(table, ("days", "start", "end"), place.path)
    if "start" not in table or "end" not in table:
        raise ConfigError(f'{place.path}: a window needs start and end, e.g. {{ start = "08:30", end = "15:00" }}')
    days = list_of(read_day)(table["days"], place.inside("days")) if "days" in table else EVERY_WORKDAY
    start = read_clock(table["start"], _clock_place(place, "start"))
    end = read_clock(table["end"], _clock_place(place, "end"))
    if start == end or not days:
        raise ConfigError(f"{place.path}: start and end must differ, and days must name one day or more")
    return {"days": sorted(days), "start": start, "end": end}


def read_windows(value: Any, place: Place) -> list[dict[str, Any]]:
    windows = [read_window(item, place.inside(index)) for index, item in enumerate(items(value, place))]
    if not windows:
        raise ConfigError(f"{place.path}: needs one window or more")
    return windows


def read_root_windows(value: Any, place: Place) -> dict[str, Any]:
    return read_by_root(value, place, read_windows)


def read_loss_tiers(value: Any, place: Place) -> list[dict[str, int]]:
    amount_spec = {**place.spec, "kind": "money", "low": 1, "high": None, "unit": "$"}
    seconds_spec = {**place.spec, "kind": "int", "low": 1, "high": None, "unit": "s"}
    tiers = []
    for index, item in enumerate(items(value, place)):
        path = f"{place.path}.{index}"
        table = entries(item, Place(path, place.spec, place.warnings))
        refuse_unknown(table, ("loss_amount", "cooldown_seconds"), path)
        if len(table) != 2:
            raise ConfigError(f"{path}: needs loss_amount and cooldown_seconds")
        amount = read_money(table["loss_amount"], Place(f"{path}.loss_amount", amount_spec, place.warnings))
        seconds = read_int(table["cooldown_seconds"], Place(f"{path}.cooldown_seconds", seconds_spec, place.warnings))
        tiers.append({"loss_amount": amount, "cooldown_seconds": seconds})
    tiers.sort(key=lambda tier: tier["loss_amount"])
    amounts = [tier["loss_amount"] for tier in tiers]
    if any(first == second for first, second in pairwise(amounts)):
        raise ConfigError(f"{place.path}: each loss_amount may be given once")
    return tiers


def read_cooldowns(value: Any, place: Place) -> dict[str, int]:
    table = entries(value, place)
    refuse_unknown(table, ("minute", "hour"), place.path)
    return {key: read_int(item, place.inside(key)) for key, item in table.items()}


def read_readings(value: Any, place: Place) -> dict[str, str]:
    """A reading chosen for each name; what may be chosen is in the shipped table (PROGRAMME.md 10)."""
    known = READINGS
    table = entries(value, place)
    refuse_unknown(table, known, place.path)
    for name, reading in table.items():
        if reading not in known[name]:
            raise ConfigError(f"{place.path}.{name} = {shown(reading)}: must be one of {', '.join(known[name])}")
    return dict(table)
