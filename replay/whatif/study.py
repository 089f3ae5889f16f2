"""A whole study: both courses over the sessions, and everything INTERFACE.md 6 promises about them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from replay.imports.bars import Bars
from replay.result import remarks
from replay.sessions import Progress, Warn, ignore
from replay.whatif.broker import STOP_SLIPPAGE_TICKS, Assumptions
from replay.whatif.closest import Closest, closest_rows
from replay.whatif.course import Course
from replay.whatif.courses import Courses, Options, Plain, Policy
from replay.whatif.days import Sessions
from replay.whatif.entries import Entries
from replay.whatif.export import exporting
from replay.whatif.input_remarks import OffGrid, missing_days
from replay.whatif.market import DayFacts
from replay.whatif.more_bars import with_bars
from replay.whatif.result import Effects, effects_of
from replay.whatif.settings import (
    PROFILE,
    Asked,
    Table,
    difference,
    for_journal,
    for_recording,
    tables_between,
    tables_on,
    with_rules,
    without_rules,
)
from replay.whatif.shares import Values, by_rule
from replay.whatif.spread import POLICIES, spread
from replay.whatif.tilt import Locks, tilt
from replay.whatif.unchanged_days import UnchangedDays
from riskcore.core.events import TradingDayOpened
from riskcore.core.quantities import SECOND_NS, money, money_text
from riskcore.core.rules import by_name
from riskcore.core.runner import Listener
from riskcore.errors import ConfigError, InputError
from riskcore.version import VERSION

SCHEMA = "riskcore.whatif/1"
# Facts that are kept for further runs: about 60 bytes each.
MOST_PLACES_KEPT = 400_000
LONGEST_LATENCY_MS = 60_000
MOST_SLIPPAGE_TICKS = 1_000
NOTHING_ASKED = Asked()


@dataclass(frozen=True, slots=True)
class Study:
    """What was asked for."""

    sessions: tuple[Path, ...]
    asked: Asked = NOTHING_ASKED
    policy: str = "follow"
    latency_ms: int = 250
    slippage_ticks: int = 2
    independent_days: bool = False
    quick: bool = False
    bars: tuple[Path, ...] = ()
    export: Path | None = None
    restrict: tuple[str, ...] = ()
    skip_bad_lines: bool = False
    strict: bool = False
    command: str = ""
    warn: Warn = ignore
    progress: Progress = ignore
    step: Warn = ignore  # Hears of each further run.
    days: tuple[str, ...] = ()  # Only these trading days have a say in the result; by default all.
    every_day: bool = False  # Also those that cannot change are worked out in each run: the plain way.

    def checked(self) -> "Study":
        """The study itself. Raises ConfigError for options that make no sense, InputError."""
        if self.policy not in POLICIES:
            raise ConfigError(f"--policy {self.policy}: there is {', '.join(POLICIES)}")
        for option, value, most in (
            ("--latency-ms", self.latency_ms, LONGEST_LATENCY_MS),
            ("--slippage-ticks", self.slippage_ticks, MOST_SLIPPAGE_TICKS),
        ):
            if not isinstance(value, int):
                raise ConfigError(f"{option} {value}: must be a whole number")
            if not 0 <= value <= most:
                raise ConfigError(f"{option} {value}: must lie between 0 and {most}")
        for path in self.bars:
            if not path.exists():
                raise InputError(f"--bars {path}: cannot be read: No such file or directory")
        return self


@dataclass(slots=True)
class Setting:
    """The settings of both courses: those of the baseline for a wire recording, and how the others come of them."""

    baseline: Plain
    settings_of: Callable[[Plain], Plain]
    acts: bool  # Whether a recorded engine's own requests are in the sessions.


@dataclass(slots=True)
class Runs:
    """Runs courses over the sessions of one study, again and again under other settings."""

    study: Study
    sessions: Sessions
    setting: Setting
    recorded: Plain = field(default_factory=dict)  # The settings of the first recorded day.
    bars: bool = False  # Whether the sessions have any.
    rows: list[dict[str, Any]] = field(default_factory=list)
    unchanged: UnchangedDays = field(default_factory=UnchangedDays)
    _kept: list[DayFacts] = field(default_factory=list)
    _again: Iterator[DayFacts] | None = None

    def days(self) -> Iterator[DayFacts]:
        """The days of the sessions. A further run gets outlines of those it may not need, or that take much room."""
        if not self.unchanged.first:
            yield from (day.outline() if day.outlined else day for day in self._kept)
            return
        places = 0
        uncovered: list[str] = []
        for day in self._read(uncovered):
            self.bars |= day.has_bars
            if not self.recorded:
                body = day.opened.body if day.opened is not None else None
                self.recorded = body.settings if isinstance(body, TradingDayOpened) else self.setting.baseline
            places = self._let_go(places)
            self._kept.append(day)
            yield day
        self._let_go(places)
        for text in uncovered:
            self.study.warn(text)
        self.rows = self.sessions.rows
        # What there is to say about the files has been said.
        self.sessions = replace(self.sessions, warn=ignore, progress=ignore)

    def _read(self, uncovered: list[str]) -> Iterator[DayFacts]:
        found = (day for day in self.sessions.days() if self._wanted(day))
        if self.study.asked.watched:
            found = (watched(day) for day in found)
        return with_bars(found, Bars(self.study.bars), uncovered) if self.study.bars else found

    def _wanted(self, day: DayFacts) -> bool:
        """Whether a day is run: one of a journal opens with its own state, one of a recording needs those before it."""
        days, trade_date = self.study.days, day.day.trade_date
        return not days or (trade_date in days if self.setting.acts else trade_date <= max(days))

    def _let_go(self, places: int) -> int:
        """Keep the facts of the day before the last one only where they will be needed; returns what is kept now."""
        for index in range(max(len(self._kept) - 2, 0), max(len(self._kept) - 1, 0)):
            day = self._kept[index]
            if day.day.trade_date in self.unchanged.known or places + len(day.ats) > MOST_PLACES_KEPT:
                self._kept[index] = day.outline()
            else:
                places += len(day.ats)
        return places

    def load(self, day: DayFacts) -> None:
        """Read the sessions again up to a day that is only outlined."""
        for again in range(2):
            if self._again is None:
                self._again = self._read([])
            for found in self._again:
                if found.day.trade_date == day.day.trade_date:
                    day.fill(found)
                    return
            assert not again, "the sessions still hold the day"
            self._again = None

    @property
    def quote_age_ns(self) -> int:
        """How old a side of the market may be before a fill on it is flagged (max_quote_age_seconds)."""
        profile = self.setting.baseline.get("profile", {})
        age: int = profile.get("max_quote_age_ns", 10 * SECOND_NS)
        return age

    def run(
        self,
        options: Options,
        settings_of: Callable[[Plain], Plain] | None = None,
        listeners: tuple[Listener, ...] = (),
        recorded: tuple[Listener, ...] = (),
        *,
        keep_quotes: bool = False,
        measured: bool = False,
    ) -> Courses:
        """Both courses under these options; `listeners` hear the counterfactual, `recorded` the baseline."""
        changed = settings_of or self.setting.settings_of
        baseline = Course(
            self.setting.baseline,
            self.study.restrict,
            enforces=self.setting.acts,
            keeps_settings=self.study.asked.watched,
            listeners=recorded,
        )
        first = self.setting.baseline if self.setting.acts else changed(self.setting.baseline)
        counter = Course(first, self.study.restrict, listeners=listeners, keep_quotes=keep_quotes)
        courses = Courses(baseline, counter, options, changed)
        if measured:
            courses.closest = (Closest(baseline, counter), Closest(counter, counter))
        if not self.study.every_day:
            courses.unchanged = self.unchanged
        courses.load = self.load
        courses.run(self.days())
        self._again = None
        if self.unchanged.first:
            self.unchanged.first = False
        else:
            self.unchanged.runs += 1
            self.study.step(f"range and shares: {self.unchanged.text()}")
        return courses


def watched(day: DayFacts) -> DayFacts:
    """A journaled day on which nothing was carried out: its baseline has no rule, and nothing decided before holds."""
    opened = day.opened
    if opened is not None and isinstance(opened.body, TradingDayOpened):
        body = opened.body
        accounts = tuple(replace(account, lockouts={}, obligations={}) for account in body.accounts)
        day.opened = replace(opened, body=replace(body, settings=without_rules(body.settings), accounts=accounts))
    return day


def runs_of(study: Study) -> Runs:
    """The sessions and settings of a study. Raises ConfigError, InputError."""
    if not study.sessions:
        raise ConfigError("give one session file or more")
    form = Sessions(study.sessions, {}, study.skip_bad_lines).form()
    if form == "journal" and study.bars:
        raise ConfigError("--bars: a journal export carries the market that its decisions were made on; leave it out")
    if form == "journal":
        setting = Setting({}, for_journal(study.asked), acts=True)
    else:
        baseline, changed, warnings = for_recording(study.asked)
        for text in warnings:
            study.warn(text)
        setting = Setting(baseline, lambda _: changed, acts=False)
    sessions = Sessions(
        study.sessions, setting.baseline, study.skip_bad_lines, study.strict, study.warn, study.progress
    )
    return Runs(study, sessions, setting)


def rule_name(table: Table) -> str:
    return table[0] if table == PROFILE else by_name(table[0]).id


def shares_of(runs: Runs, options: Options, known: Effects) -> tuple[list[Any], Any]:
    """The rows of by_rule and how they were found."""
    changed = runs.setting.settings_of(runs.recorded)
    tables = tables_between(runs.recorded, changed)

    def run(chosen: frozenset[Table]) -> Effects:
        def mixed(recorded: Plain) -> Plain:
            return with_rules(recorded, runs.setting.settings_of(recorded), chosen)

        return effects_of(runs.run(options, mixed), runs.study.days)

    before, after = (frozenset({*tables_on(settings), PROFILE}) for settings in (runs.recorded, changed))
    values = Values(run, before, after, {frozenset(tables): known})
    return by_rule(tables, values, rule_name)


def options_of(study: Study, quote_age_ns: int) -> Options:
    assumptions = Assumptions(study.latency_ms * 1_000_000, study.slippage_ticks, "point", quote_age_ns)
    policy: Policy = next(one for one in POLICIES if one == study.policy)
    return Options(policy, assumptions, study.independent_days)


def whatif(study: Study) -> dict[str, Any]:
    """The result of INTERFACE.md 6. Raises ConfigError, InputError, Corrupt, DiskFull."""
    runs = runs_of(study.checked())
    options, locks, entries, off_grid = options_of(study, runs.quote_age_ns), Locks(), Entries(), OffGrid()
    # Without rules nothing locks any more: the ledger is that of the rules that were on.
    locked_in = ((locks.listen,), ()) if study.asked.rules_off else ((), (locks.listen,))
    with exporting(study.export) as kept:
        courses = runs.run(
            options,
            None,
            (*locked_in[1], *kept),
            (*locked_in[0], entries.listen, off_grid.listen),
            keep_quotes=bool(kept),
            measured=True,
        )
    effects = effects_of(courses, study.days)
    if not effects.days and not any(course.book.accounts for course in (courses.baseline, courses.counterfactual)):
        study.warn("the sessions tell of no account, so there is nothing that other rules could change")
    odd = [*missing_days(courses.days), *off_grid.texts()]
    for text in [*odd, *remarks(courses.counterfactual.book, courses.counterfactual.runner.turn.rulebook)]:
        study.warn(text)
    rows, shared = ([], None) if study.quick else shares_of(runs, options, effects)
    found = None
    if not study.quick:
        found = spread(options, effects, lambda other: effects_of(runs.run(other), study.days), bars=runs.bars)
    return {
        "schema": SCHEMA,
        "policy": study.policy,
        "baseline": {"accounts": courses.baseline.rows()},
        "counterfactual": {"accounts": courses.counterfactual.rows()},
        "divergence": effects.divergences,
        "effect": {
            **effects.row(),
            "by_rule": rows,
            "shares": shared,
            "by_day": [day.row() for day in effects.days],
        },
        "range": found,
        "tilt": _of_days(tilt(locks.locks, entries.entries), study.days),
        "closest": _of_days(closest_rows(*courses.closest), study.days),
        "assumptions": _assumptions(study),
        "stamp": {
            "sessions": [{"path": row["path"], "sha256": row["sha256"]} for row in runs.rows],
            "settings_diff": difference(runs.recorded, runs.setting.settings_of(runs.recorded)),
            "timezone": runs.recorded.get("profile", {}).get("timezone", ""),
            "version": VERSION,
            "command": study.command,
            "further_runs": runs.unchanged.row(),
        },
    }


def _of_days(rows: list[dict[str, Any]], days: tuple[str, ...]) -> list[dict[str, Any]]:
    return [row for row in rows if not days or row["trade_date"] in days]


def _assumptions(study: Study) -> dict[str, Any]:
    return {
        "latency_ms": study.latency_ms,
        "slippage_ticks": study.slippage_ticks,
        "policy": study.policy,
        "independent_days": study.independent_days,
        "bar_path": "point",
        "stop_slippage_ticks": STOP_SLIPPAGE_TICKS,
        "size_impact": "not modelled",
    }


def compare(study: Study, files: tuple[Path, Path]) -> dict[str, Any]:
    """Two counterfactuals of one baseline, each with its effect, and the second's less the first's."""
    if study.asked.config_given:
        raise ConfigError("--compare names both settings files; leave out --config")
    results = [whatif(replace(study, asked=replace(study.asked, config=file, config_given=True))) for file in files]
    first, second = (result["effect"] for result in results)
    return {
        "schema": SCHEMA,
        "compare": [{"settings": file.name, **result} for file, result in zip(files, results, strict=True)],
        "difference": {
            name: money_text(money(second[name]) - money(first[name])) for name in ("net_pnl", "exact", "simulated")
        },
    }
