"""The days of recorded sessions, account by account: as recorded, and under the settings asked for.

Both come from one what-if with independent days, so there is no second truth about what other rules would have made
of a day. The Maximum Loss Limit acts in it as it did in the record: how much room is left differs from journey to
journey, so journeys test the floor themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from replay.odds.days import OddsDay
from replay.odds.history import History
from replay.odds.running import Inside, RunningEquity
from replay.result import remarks
from replay.whatif.course import Course
from replay.whatif.courses import Courses
from replay.whatif.input_remarks import missing_days
from replay.whatif.study import Runs, options_of
from riskcore.core.programme.terms import account_programme, account_terms
from riskcore.core.state import DayFigures
from riskcore.errors import ConfigError
from riskcore.schema.rows import is_shown

Plain = dict[str, Any]
NO_PROGRAMME = (
    "there is no [programme] to pass: write one (riskcore config init), or name it here: "
    "--set programme.stage=combine --set programme.size=50K"
)


def histories(runs: Runs, change: Callable[[Plain], Plain] = lambda programme: programme) -> list[History]:
    """Every account with a programme that had a fill. `change` alters each programme first. Raises ConfigError."""

    def settings_of(recorded: Plain) -> Plain:
        return _with_programmes(loss_as_recorded(runs.setting.settings_of(recorded), recorded), change)

    baseline, acts = runs.setting.baseline, runs.setting.acts
    if not acts and not _has_programme(runs.setting.settings_of(baseline)):
        raise ConfigError(NO_PROGRAMME)
    recorded = Course(baseline, runs.study.restrict, enforces=acts)
    under = Course(baseline if acts else settings_of(baseline), runs.study.restrict)
    options = replace(options_of(runs.study, runs.quote_age_ns), independent_days=True)
    followers = RunningEquity(recorded), RunningEquity(under)
    courses = Courses(recorded, under, options, settings_of, followers=followers)
    courses.load = runs.load
    courses.run(runs.days())
    for text in [*missing_days(courses.days), *remarks(under.book, under.runner.turn.rulebook)]:
        runs.study.warn(text)
    if under.book.accounts and not _has_programme(under.book.settings):
        raise ConfigError(NO_PROGRAMME)
    return _accounts(recorded, under, followers)


def _accounts(recorded: Course, under: Course, followers: tuple[RunningEquity, RunningEquity]) -> list[History]:
    found = []
    settings, rulebook = under.book.settings, under.runner.turn.rulebook
    for account in sorted(under.book.accounts.values(), key=lambda one: one.id):
        terms = account_terms(settings, account.id, account.name)
        if terms is None or not rulebook.judges(account):
            continue
        before, after = (course.collector.days.get(account.id, {}) for course in (recorded, under))
        dates = sorted(date for date, day in before.items() if is_shown(day) and day.fills)
        programme = dict(account_programme(settings, account.id, account.name))
        sides = [
            tuple(_day(follower, account.id, date, days.get(date)) for date in dates)
            for follower, days in zip(followers, (before, after), strict=True)
        ]
        if dates:
            found.append(History(account.id, account.name, terms, programme, *sides))
    return found


def _day(follower: RunningEquity, account: int, trade_date: str, figures: DayFigures | None) -> OddsDay:
    """One day; without figures the account did nothing on it."""
    figures = figures or DayFigures(trade_date)
    inside = follower.found.get((account, trade_date), Inside())
    net = figures.net_usd
    inside.realised(net)
    if trade_date not in follower.marked:
        inside.equity(min(net, figures.worst_usd))
    return OddsDay(
        net,
        inside.low_usd,
        inside.high_usd,
        min(inside.low_before_high_usd, 0),
        figures.fills > 0,
        trade_date,
        trade_date in follower.marked,
        inside.largest_units,
        figures.fees_usd + figures.commissions_usd,
    )


# ---- settings ----------------------------------------------------------------------------------------


def _has_programme(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("programme") or settings.get("programme_accounts"))


def _with_programmes(settings: Plain, change: Callable[[Plain], Plain]) -> Plain:
    """The settings with every programme changed."""
    changed = dict(settings)
    if settings.get("programme"):
        changed["programme"] = change(settings["programme"])
    if settings.get("programme_accounts"):
        changed["programme_accounts"] = {name: change(one) for name, one in settings["programme_accounts"].items()}
    return changed


def loss_as_recorded(settings: Plain, recorded: Plain) -> Plain:
    """The settings with a Maximum Loss Limit that acts only where it did in the record."""
    return _with_programmes(settings, lambda one: _as_recorded(one, _acts_on_loss(recorded)))


def _acts_on_loss(recorded: Plain) -> bool:
    """Whether the Maximum Loss Limit acted while the day was recorded."""
    programmes: Sequence[Plain] = [
        *([recorded["programme"]] if recorded.get("programme") else []),
        *(recorded.get("programme_accounts") or {}).values(),
    ]
    return any("mll" in one["enforce"] for one in programmes)


def _as_recorded(programme: Plain, acted: bool) -> Plain:
    """A programme whose Maximum Loss Limit acts only where it did in the record."""
    if acted or "mll" not in programme["enforce"]:
        return programme
    enforce = [part for part in programme["enforce"] if part != "mll"]
    terms = {**programme["terms"], "enforce": enforce} if "terms" in programme else {}
    return {**programme, "enforce": enforce, **({"terms": terms} if terms else {})}
