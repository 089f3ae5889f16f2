"""What `riskcore doctor` checks on the machine itself. Each check is one sentence, and what to do about it.

`fail` is what would stop `riskcore live`; everything that only deserves a look is `warn`.
"""

import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Final, Literal

from riskcore.core.quantities import SECOND_NS
from riskcore.errors import ConfigError, RiskcoreError
from riskcore.live.remote_host import WARNING, HostFacts, remote_host_signs
from riskcore.settings.calendar import calendar_ends, calendar_known, day_for
from riskcore.settings.config import Settings, load_settings
from riskcore.settings.programme import programmes_of, start_warnings
from riskcore.settings.programme_figures import shipped

OK: Final = "ok"
WARN: Final = "warn"
FAIL: Final = "fail"
State = Literal["ok", "warn", "fail"]
OLDEST_PYTHON = (3, 11)
DAYS_AHEAD = 30
EARLIEST_YEAR = 2026  # Before this version was written: the clock is wrong.
CLOCK_LOOK_SECONDS = 0.2
MOST_CLOCK_DIFFERENCE_MS = 50
LEAST_FREE_BYTES, FEW_FREE_BYTES = 100_000_000, 1_000_000_000
SYNCS = 20
SLOW_SYNC_MS = 50.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    text: str
    advice: str = ""


@contextmanager
def told_as(name: str, found: list[Check], advice: str = "") -> Iterator[None]:
    """Turn an error of riskcore into a failed check: a doctor reports, whatever is broken."""
    try:
        yield
    except RiskcoreError as error:
        found.append(Check(name, FAIL, str(error), advice))


# ---- installation ------------------------------------------------------------------------------------


def python_check(running: tuple[int, int]) -> Check:
    text = f"Python {running[0]}.{running[1]} on {sys.platform}"
    if running < OLDEST_PYTHON:
        return Check("python", FAIL, text, f"install Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer")
    return Check("python", OK, text)


def packages_check(wanted: list[str] | None = None, version_of: Callable[[str], str] = version) -> Check:
    """The packages riskcore itself asks for."""
    found, missing = [], []
    for name in needed_packages() if wanted is None else wanted:
        try:
            found.append(f"{name} {version_of(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", FAIL, f"not installed: {', '.join(missing)}", "install riskcore again")
    return Check("packages", OK, ", ".join(found) or "riskcore is not installed as a package: nothing to compare with")


def needed_packages() -> list[str]:
    """What riskcore's own metadata asks for, optional parts left out."""
    try:
        lines = requires("riskcore") or []
    except PackageNotFoundError:
        return []
    names = [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in lines if "extra ==" not in line]
    return sorted(names)


# ---- settings and calendar ---------------------------------------------------------------------------


def settings_checks(path: Path | None, sets: tuple[str, ...]) -> tuple[Settings | None, list[Check]]:
    """The settings, None when they cannot be read, and what there is to say about them."""
    found: list[Check] = []
    with told_as("settings", found, "correct the file; riskcore config check shows more"):
        settings = load_settings(path, sets)
        profile = settings.plain["profile"]["name"]
        found.append(Check("settings", OK, f"profile {profile} from {settings.source}"))
        found += [Check("settings", WARN, text, "see riskcore config check") for text in settings.warnings]
        return settings, found
    return None, found


def calendar_check(now: datetime, known: Callable[[int], bool] = calendar_known) -> Check:
    """Whether holidays and early closes are known, today and for the coming weeks (RULES.md 1.4)."""
    later = now + timedelta(days=DAYS_AHEAD)
    unknown = [year for year in dict.fromkeys((now.year, later.year)) if not known(year)]
    if now.year in unknown:
        return Check("calendar", FAIL, f"the holidays of {now.year} are not known", "install a newer riskcore")
    if unknown:
        text = f"the holidays of {unknown[0]} are not known: the table ends on {calendar_ends()}"
        return Check("calendar", WARN, text, "install a newer riskcore soon")
    return Check("calendar", OK, f"holidays and early closes are known until {calendar_ends()}")


def programme_check(plain: Mapping[str, Any], now: datetime) -> Check:
    """Whether the figures of the firm are new enough, and its release days known (PROGRAMME.md 1 and 3.4)."""
    warnings = start_warnings(plain, now.date())
    if warnings:
        return Check("programme", WARN, "; ".join(warnings), "install a newer riskcore, and read the firm's pages")
    if not programmes_of(plain):
        return Check("programme", OK, "no account is in the firm's programme")
    return Check("programme", OK, f"figures of version {shipped().version}; riskcore programme show prints them")


def zone_check(plain: Mapping[str, Any], now_ns: int) -> Check:
    """Whether the trading day of now can be worked out from the time-zone database."""
    try:
        day = day_for(plain, now_ns)
    except (ConfigError, OSError, ModuleNotFoundError) as error:
        return Check("time zones", FAIL, str(error), "install the package tzdata")
    closes = datetime.fromtimestamp(day.closes_at // SECOND_NS, UTC)
    return Check("time zones", OK, f"trading day {day.trade_date} by {day.timezone}, until {closes:%Y-%m-%d %H:%M:%S}Z")


# ---- machine -----------------------------------------------------------------------------------------


def clock_drift_ms(seconds: float = CLOCK_LOOK_SECONDS) -> int:
    """By how much the wall clock moves differently from the monotonic one, in milliseconds."""
    wall, steady = time.time_ns(), time.monotonic_ns()
    time.sleep(seconds)
    return ((time.time_ns() - wall) - (time.monotonic_ns() - steady)) // 1_000_000


def clock_check(now: datetime, drift_ms: int, last_event_ns: int) -> Check:
    """Whether the system's clock may be believed. `last_event_ns`: the last event of the journal, 0 for none."""
    advice = "switch on the system's time synchronisation"
    behind = last_event_ns // SECOND_NS - int(now.timestamp())
    if now.year < EARLIEST_YEAR:
        return Check("clock", FAIL, f"the clock says {now:%Y-%m-%d}, which is in the past", advice)
    if behind > 1:
        return Check("clock", FAIL, f"the clock is {behind} s behind the last event of the journal", advice)
    if abs(drift_ms) > MOST_CLOCK_DIFFERENCE_MS:
        return Check("clock", WARN, f"the clock jumped by {drift_ms} ms during the check", advice)
    return Check("clock", OK, f"{now:%Y-%m-%d %H:%M:%S}Z, running evenly")


def disk_check(folder: Path) -> Check:
    """Whether events can be stored in a folder: writable, enough room, and how long a durable write takes.

    Nothing is left behind; of a folder that is not there yet the nearest one above it is looked at.
    """
    existing = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    try:
        median_ms = statistics.median(sync_milliseconds(existing, SYNCS))
        free = shutil.disk_usage(existing).free
    except OSError as error:
        text = f"{existing}: nothing can be stored here ({error.strerror or error})"
        return Check("disk", FAIL, text, "make the folder writable, or choose another with --store")
    return judged_disk(existing, free, median_ms)


def judged_disk(folder: Path, free: int, median_ms: float) -> Check:
    text = f"{folder}: {free // 1_000_000:,} MB free, a durable write takes {median_ms:.1f} ms"
    if free < LEAST_FREE_BYTES:
        return Check("disk", FAIL, text, "free some space: an engine that cannot store decides nothing")
    if free < FEW_FREE_BYTES:
        return Check("disk", WARN, text, "free some space: a day takes tens of megabytes")
    if median_ms > SLOW_SYNC_MS:
        return Check("disk", WARN, text, "choose a faster disk: every decision waits for it")
    return Check("disk", OK, text)


def sync_milliseconds(folder: Path, count: int) -> list[float]:
    """How long each of some durable writes took. Raises OSError."""
    took = []
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".riskcore-doctor-") as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(b"0" * 4096)
            file.flush()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - start) * 1000)
    return took


def host_check(facts: HostFacts) -> Check:
    """Signs of a remote machine: the firm demands the trader's own (RULES.md 6.8)."""
    signs = remote_host_signs(facts)
    if signs:
        return Check("host", WARN, "; ".join(signs), WARNING)
    return Check("host", OK, "nothing looks like a VPS, a VPN or a remote session")
