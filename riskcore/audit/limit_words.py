"""A gauge as a sentence: what is used of a limit, what is left, until when."""

from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules.base import BREACHED, COUNT, LOSS, NO_MEASURE, SECONDS, Reading
from riskcore.core.state import Lockout
from riskcore.schema.instants import utc_text


def gauge_text(reading: Reading, state: str, why: str, lockout: Lockout | None) -> str:
    """The row's text. `why` says why the rule has no say at the moment; a lockout of it says what is in force."""
    parts = [_measured(reading)]
    if reading.note:
        parts.append(reading.note)
    if lockout is not None:
        parts.append(f"locked {until_words(lockout.expires_at)}: {lockout.reason}")
    elif reading.until is not None:
        parts.append(f"{_until_meaning(reading)} {utc_text(_whole_seconds(reading.until))}")
    if why:
        parts.append(f"{state}: {why}" if state != "off" else why)
    return "; ".join(part for part in parts if part)


def closest_words(reading: Reading) -> str:
    """What was measured when a limit was nearest, against that limit: day loss -480.00 of 500."""
    now = reading.text(reading.shown)
    if reading.room is not None:
        return f"{reading.measure or reading.name} {now}, {_limit(reading)}"
    unit = reading.unit or ("s" if reading.kind == SECONDS else "")
    return f"{reading.name} {now} of {reading.limit_text}" + (f" {unit}" if unit not in reading.name else "")


def until_words(expires_at: int | None) -> str:
    """When a lockout ends, in words."""
    return "until it is lifted" if expires_at is None else f"until {utc_text(expires_at)}"


def _whole_seconds(at: int) -> int:
    """The second by which it has happened."""
    return -(-at // SECOND_NS) * SECOND_NS


def _measured(reading: Reading) -> str:
    name, kind = reading.measure or reading.name, reading.kind
    if kind == NO_MEASURE:
        return f"{name}: {reading.shown}" if reading.shown is not None else name
    now = reading.shown
    if now is None:
        return f"{name} unknown"
    figure = _amount(reading, now)
    if reading.capacity is None:
        if kind == SECONDS:
            return f"{name}: {figure} left" if reading.state != BREACHED else f"{name}: over"
        return f"{name}: {figure}"
    assert reading.remaining is not None, "what has a measure has something left, or nothing"
    left = _amount(reading, reading.remaining)
    at_limit = not reading.remaining and reading.allows_equal and not reading.breaches
    ahead = "reached" if reading.breaches else f"{left} left"
    if at_limit:
        ahead = "at the limit, one more breaches it"
    # A figure above 0 beside the word loss reads as one.
    wins = kind == LOSS and not reading.measure and reading.used is not None and reading.used < 0
    measured = f"{name}: {figure} in profit" if wins else f"{name} {figure}"
    return f"{measured}, {_limit(reading)}: {ahead}"


def _limit(reading: Reading) -> str:
    figure = _amount(reading, reading.limit) if reading.kind == SECONDS else reading.limit_text
    if reading.kept:
        return f"{figure} should be kept"
    return f"{'the limit' if reading.room is None else 'the floor'} {figure}"


def _amount(reading: Reading, value: int | str | None) -> str:
    """People count whole seconds; the fields of the row keep what is behind the point."""
    if reading.kind == SECONDS and isinstance(value, int):
        return f"{value // SECOND_NS} s"
    return reading.text(value)


def _until_meaning(reading: Reading) -> str:
    if reading.kind == COUNT:
        return "changes by itself at"
    if reading.state == BREACHED:
        return "begins again at"
    if reading.breaches:
        return "since"
    return "ends at" if reading.capacity is None else "reached at"
