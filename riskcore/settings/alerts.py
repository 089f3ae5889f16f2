"""`[alerts]` of riskcore.toml: who is told, of what, and when not. Source: INTERFACE.md 10.

It is no part of the settings a day stores: who hears of a decision decides nothing. An address is a secret; no error
shows one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from riskcore.core.kinds import AlertLevel
from riskcore.errors import ConfigError
from riskcore.settings.place import refuse_unknown, shown

LEVELS: tuple[AlertLevel, ...] = ("info", "warning", "critical")
LOCAL = ("desktop", "sound")
MOST_CHANNELS = 20
LONGEST_HEARTBEAT_MINUTES = 1440
_KEYS = ("channels", "levels", "quiet_hours", "heartbeat_minutes", "figures")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://\S+")
# Where the address itself is kept.
KEPT_ELSEWHERE = re.compile(r"(env|keyring):([A-Za-z0-9_.-]{1,64})")


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel. `name` may be shown: the scheme, numbered if it is given again; `address` never."""

    name: str
    address: str = field(repr=False)
    levels: tuple[AlertLevel, ...]


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Checked `[alerts]`. `quiet_hours` are pairs of minutes of the day; a pair may go over midnight."""

    channels: tuple[ChannelSettings, ...] = ()
    quiet_hours: tuple[tuple[int, int], ...] = ()
    heartbeat_minutes: int | None = None
    figures: bool = True

    def is_quiet(self, local: datetime) -> bool:
        """Whether `local`, a time in the profile's zone, is in quiet hours: from their start to before their end."""
        minute = local.hour * 60 + local.minute
        return any(
            start <= minute < end if start < end else minute >= start or minute < end for start, end in self.quiet_hours
        )

    def listeners(self, level: str, local: datetime) -> list[str]:
        """The names of the channels that hear of a level at a time of the profile's zone: critical at any time."""
        if level != "critical" and self.is_quiet(local):
            return []
        return [one.name for one in self.channels if level in one.levels]


def read_alerts(raw: Mapping[str, Any]) -> AlertSettings:
    """The settings of a raw `[alerts]` table. Raises ConfigError naming key and range, and never an address."""
    refuse_unknown(raw, _KEYS, "alerts")
    levels = _levels(raw.get("levels", ["warning", "critical"]), "alerts.levels")
    return AlertSettings(
        _channels(raw.get("channels", list(LOCAL)), levels),
        _quiet_hours(raw.get("quiet_hours", [])),
        _heartbeat(raw.get("heartbeat_minutes", "off")),
        _figures(raw.get("figures", True)),
    )


def _channels(value: Any, levels: tuple[AlertLevel, ...]) -> tuple[ChannelSettings, ...]:
    if not isinstance(value, list) or len(value) > MOST_CHANNELS:
        raise ConfigError(f"alerts.channels: must be a list of up to {MOST_CHANNELS} channels")
    found: list[ChannelSettings] = []
    times: dict[str, int] = {}
    for index, one in enumerate(value):
        path = f"alerts.channels.{index}"
        own = levels
        if isinstance(one, dict):
            refuse_unknown(one, ("url", "levels"), path)
            own = _levels(one.get("levels", list(levels)), f"{path}.levels")
            one = one.get("url")
        scheme = _scheme(one, path)
        times[scheme] = times.get(scheme, 0) + 1
        name = scheme if times[scheme] == 1 else f"{scheme}-{times[scheme]}"
        found.append(ChannelSettings(name, one, own))
    return tuple(found)


def _scheme(address: Any, path: str) -> str:
    """What of an address may be shown: its scheme, or where it is kept."""
    if isinstance(address, str):
        if address in LOCAL:
            return address
        if KEPT_ELSEWHERE.fullmatch(address):
            return address
        match = _SCHEME.fullmatch(address)
        if match:
            return match[1].lower()
    raise ConfigError(f"{path}: must be desktop, sound, a URL with its scheme, env:NAME or keyring:NAME")


def _levels(value: Any, path: str) -> tuple[AlertLevel, ...]:
    if not isinstance(value, list) or not value or any(one not in LEVELS for one in value):
        raise ConfigError(f"{path} = {shown(value)}: must be a list of {', '.join(LEVELS)}")
    return tuple(level for level in LEVELS if level in value)


def _quiet_hours(value: Any) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, list):
        raise ConfigError(f"alerts.quiet_hours = {shown(value)}: must be a list of HH:MM-HH:MM")
    return tuple(_hours(one, f"alerts.quiet_hours.{index}") for index, one in enumerate(value))


def _hours(value: Any, path: str) -> tuple[int, int]:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(f"{path} = {shown(value)}: must be HH:MM-HH:MM")
    from_hour, from_minute, to_hour, to_minute = map(int, match.groups())
    start, end = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if start == end:
        raise ConfigError(f"{path} = {shown(value)}: begins when it ends")
    return start, end


def _heartbeat(value: Any) -> int | None:
    if value == "off":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_HEARTBEAT_MINUTES:
        raise ConfigError(
            f"alerts.heartbeat_minutes = {shown(value)}: must be a whole number from 1 to {LONGEST_HEARTBEAT_MINUTES}"
            ' (minutes) or "off"'
        )
    return value


def _figures(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"alerts.figures = {shown(value)}: must be true or false")
    return value


def channels_named(settings: AlertSettings, name: str | None) -> Sequence[ChannelSettings]:
    """The channel of a name, or all. Raises ConfigError for a name that no channel has."""
    found = [one for one in settings.channels if name in (None, one.name)]
    if name is not None and not found:
        known = ", ".join(one.name for one in settings.channels) or "none"
        raise ConfigError(f"{name}: no such channel; channels here: {known}")
    return found
