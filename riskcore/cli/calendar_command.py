"""`riskcore calendar`: the hours of the next trading days."""

import time
from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import config_options, output_options, print_json, warn
from riskcore.cli.print_text import print_text, zone_line

Row = dict[str, Any]
MOST_DAYS = 400


@click.command(epilog="Example: riskcore calendar --days 10")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=5, show_default=True, help="How many trading days.")
@config_options
@output_options
def command(
    days: int, config_path: Path | None, sets: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool
) -> None:
    """Print the next trading days: opening, last entry, flatten, flat-by, reset, early closes, closed days, releases.

    Times are in the profile's zone. Products that close earlier than the others have lines of their own.
    """
    from riskcore.audit.calendar_rows import calendar_rows
    from riskcore.settings.config import load_settings

    settings = load_settings(config_path, sets)
    for text in settings.warnings:
        warn(text, quiet=quiet)
    result = calendar_rows(settings.plain, time.time_ns(), days)
    if as_json:
        print_json(result)
    else:
        print_text(calendar_text(result))


def calendar_text(result: Row) -> str:
    """The days, and when what is known of them ends."""
    acts = "" if result["judged"] else " No [programme] is set, so nothing acts at them."
    lines = [f"{zone_line(result['timezone'])}{acts}"]
    for day in result["days"]:
        lines += ["", *_day_lines(day)]
    lines += ["", f"Holidays and early closes are known until {result['calendar_ends']}, "]
    lines[-1] += f"release days until {result['releases_end']}."
    return "\n".join(lines)


def _day_lines(day: Row) -> list[str]:
    head = f"{day['weekday']} {day['trade_date']}"
    if day["closed"]:
        return [f"{head}  closed: {day['holiday']}; the next session opens {_at(day['next_session'])}"]
    if day["holiday"] is not None:
        close = "" if day["early_close"] is None else f", closes {_clock(day, day['early_close'])}"
        head += f"  {day['holiday']}{close}"
    if not day["known"]:
        head += "  holidays of this year are not known"
    opens = f"  opens {_at(day['session_opens'])}, reset {_at(day['reset'])}, next session {_at(day['next_session'])}"
    lines = [head, opens]
    for one in day["deadlines"]:
        lines += _deadline_lines(day, one)
    if day["release"] is not None:
        release = day["release"]
        lines.append(f"  {release['name']} release: {_clock(day, release['from'])} to {_clock(day, release['until'])}")
    return lines


def _deadline_lines(day: Row, one: Row) -> list[str]:
    who = "" if one["account"] is None else f"{one['account']}: "
    lines = [f"  {who}{_times(day, one)}"]
    alike: dict[str, list[str]] = {}
    for root, times in one["roots"].items():
        alike.setdefault(_times(day, times), []).append(root)
    return lines + [f"  {who}{' '.join(roots)}: {text}" for text, roots in alike.items()]


def _times(day: Row, times: Row) -> str:
    entry, flatten, hard, flat_by = (_clock(day, times[name]) for name in ("last_entry", "flatten", "hard", "flat_by"))
    return f"last entry {entry}, flatten {flatten}, hard {hard}, flat by {flat_by} ({times['source']})"


def _clock(day: Row, moment: Row) -> str:
    """The time of day; with its date where that is another one than the trade date's."""
    when, clock = moment["local"].split()
    shown = str(clock[:5] if clock.endswith(":00") else clock)
    return shown if when == day["trade_date"] else f"{when} {shown}"


def _at(moment: Row) -> str:
    return str(moment["local"][:16])
