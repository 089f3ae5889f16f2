"""Writers: plain data becomes TOML text as a trader would write it; the inverse of readers.py."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from riskcore.core.quantities import FRACTION_PLACES, MONEY_PLACES, decimal_text
from riskcore.core.trading_day import WEEKDAYS


def windows_text(windows: Sequence[Mapping[str, Any]]) -> str:
    return array(
        inline(
            {
                "days": array(quoted(WEEKDAYS[day]) for day in window["days"]),
                "start": clock_text(window["start"]),
                "end": clock_text(window["end"]),
            }
        )
        for window in windows
    )


def quoted(text: object) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def array(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def inline(entries: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{toml_key(key)} = {text}" for key, text in entries.items()) + " }" if entries else "{}"


def toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key, re.ASCII) else quoted(key)


def clock_text(seconds: int) -> str:
    hour, rest = divmod(seconds, 3600)
    minute, second = divmod(rest, 60)
    return quoted(f"{hour:02d}:{minute:02d}" + (f":{second:02d}" if second else ""))


def money_text(value: int) -> str:
    return quoted(decimal_text(value, MONEY_PLACES))


def choice_or(write: Callable[[int], str]) -> Callable[[Any], str]:
    return lambda value: write(value) if isinstance(value, int) else quoted(value)


def fraction_text(value: int) -> str:
    return quoted(decimal_text(value, FRACTION_PLACES))


def list_of(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda items: array(write(item) for item in items)


def map_of(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda entries: inline({key: write(item) for key, item in entries.items()})


def bool_text(value: bool) -> str:
    return str(value).lower()


def tiers_text(tiers: Sequence[Mapping[str, int]]) -> str:
    return array(
        inline({"loss_amount": money_text(tier["loss_amount"]), "cooldown_seconds": str(tier["cooldown_seconds"])})
        for tier in tiers
    )


def accounts_text(names: Sequence[str]) -> str:
    return array(map(quoted, names)) if names else quoted("all")
