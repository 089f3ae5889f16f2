"""A whole study: both courses over the sessions, and everything INTERFACE.md 6 promises about them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from replay.sessions import Progress, Warn, ignore
from replay.whatif.broker import Assumptions
from replay.whatif.course import Course
from replay.whatif.courses import Courses, Options, Plain, Policy
from replay.whatif.days import Sessions
from replay.whatif.market import DayFacts
from replay.whatif.result import Effects, effects_of
from replay.whatif.settings import Asked, difference, for_journal, for_recording
from riskcore.core.runner import Listener
from riskcore.errors import ConfigError
from riskcore.version import VERSION

SCHEMA = "riskcore.whatif/1"
POLICIES: tuple[Policy, ...] = ("follow", "freeze", "stop")
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
    restrict: tuple[str, ...] = ()
    skip_bad_lines: bool = False
    strict: bool = False
    command: str = ""
    warn: Warn = ignore
    progress: Progress = ignore

    def checked(self) -> "Study":
        """The study itself. Raises ConfigError for options that make no sense."""
        if self.policy not in POLICIES:
            raise ConfigError(f"--policy {self.policy}: there is {', '.join(POLICIES)}")
        if not 0 <= self.latency_ms <= LONGEST_LATENCY_MS:
            raise ConfigError(f"--latency-ms {self.latency_ms}: must lie between 0 and {LONGEST_LATENCY_MS}")
        if not 0 <= self.slippage_ticks <= MOST_SLIPPAGE_TICKS:
            raise ConfigError(f"--slippage-ticks {self.slippage_ticks}: must lie between 0 and {MOST_SLIPPAGE_TICKS}")
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

    def days(self) -> Iterator[DayFacts]:
        for day in self.sessions.days():
            if not self.recorded:
                opened = day.opened.body.settings if day.opened is not None else None  # type: ignore[union-attr]
                self.recorded = opened if opened is not None else self.setting.baseline
            yield day

    def run(
        self,
        options: Options,
        settings_of: Callable[[Plain], Plain] | None = None,
        listeners: tuple[Listener, ...] = (),
    ) -> Courses:
        """Both courses under these options."""
        changed = settings_of or self.setting.settings_of
        baseline = Course(self.setting.baseline, self.study.restrict, enforces=self.setting.acts)
        first = self.setting.baseline if self.setting.acts else changed(self.setting.baseline)
        counter = Course(first, self.study.restrict, listeners=listeners, keep_quotes=bool(listeners))
        courses = Courses(baseline, counter, options, changed)
        courses.run(self.days())
        return courses


def runs_of(study: Study) -> Runs:
    """The sessions and settings of a study. Raises ConfigError, InputError."""
    if not study.sessions:
        raise ConfigError("give one session file or more")
    form = Sessions(study.sessions, {}, study.skip_bad_lines).form()
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


def options_of(study: Study, quote_age_ns: int) -> Options:
    assumptions = Assumptions(study.latency_ms * 1_000_000, study.slippage_ticks, "point", quote_age_ns)
    policy: Policy = next(one for one in POLICIES if one == study.policy)
    return Options(policy, assumptions, study.independent_days)


def whatif(study: Study, listeners: Sequence[Listener] = ()) -> dict[str, Any]:
    """The result of INTERFACE.md 6. Raises ConfigError, InputError, Corrupt."""
    runs = runs_of(study.checked())
    options = options_of(study, 10_000_000_000)
    courses = runs.run(options, listeners=tuple(listeners))
    effects = effects_of(courses)
    return {
        "schema": SCHEMA,
        "policy": study.policy,
        "baseline": {"accounts": courses.baseline.rows()},
        "counterfactual": {"accounts": courses.counterfactual.rows()},
        "divergence": effects.divergences,
        "effect": {**effects.row(), "by_rule": [], "by_day": [day.row() for day in effects.days]},
        "range": None,
        "tilt": [],
        "closest": [],
        "assumptions": {
            "latency_ms": study.latency_ms,
            "slippage_ticks": study.slippage_ticks,
            "policy": study.policy,
            "independent_days": study.independent_days,
            "bar_path": "point",
            "stop_slippage_ticks": 1,
            "size_impact": "not modelled",
        },
        "stamp": {
            "sessions": [{"path": row["path"], "sha256": row["sha256"]} for row in runs.sessions.rows],
            "settings_diff": difference(runs.recorded, runs.setting.settings_of(runs.recorded)),
            "version": VERSION,
            "command": study.command,
        },
    }


__all__ = ["SCHEMA", "Effects", "Runs", "Setting", "Study", "replace", "runs_of", "whatif"]
