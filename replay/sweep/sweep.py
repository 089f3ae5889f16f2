"""A grid of settings over recorded days: the outcome of each for every account and day (INTERFACE.md 6, WHATIF.md 7).

The record is read and judged once; what a setting makes of a piece of it is worked out by workers, and kept as soon as
it is there. So a sweep that was ended, however it was ended, goes on where it was, and comes to the same table.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from replay.odds.recorded import loss_as_recorded
from replay.sessions import Warn, ignore
from replay.sweep.cache import Cache, Rows, code_hash, file_hashes, hash_of
from replay.sweep.grid import Grid, Values, grid_of
from replay.sweep.pieces import Piece, pieces_of, ways_of
from replay.sweep.pools import Pool, cluster, local_workers
from replay.sweep.progress import Clock, duration
from replay.sweep.settings import Changed
from replay.sweep.suggestions import Approaches
from replay.sweep.work import Task, work
from replay.whatif.courses import Courses
from replay.whatif.settings import Asked, for_recording
from replay.whatif.study import Runs, Study, runs_of
from riskcore.errors import InputError
from riskcore.settings.config import Settings, SettingsFile, find_file, settings_of
from riskcore.version import VERSION

# Raised whenever the same settings may come to other rows than before.
FORMAT = 1
# Settings of one task. One by one, few enough that little is lost with a worker; in one pass, as many as can share
# courses, unless there are too few days for all workers.
SETTINGS_A_TASK, SHARING_A_TASK = 8, 1_000
FEWEST_SHARING = 50
# More settings than this are only run when somebody says so.
MOST_UNASKED = 2_000
FEW_DAYS = 20
Measure = Callable[[Courses], None]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was asked for. `study.asked` holds what all settings share; `agree` hears what a large grid costs."""

    study: Study
    grid: tuple[str, ...]
    cache: Path
    workers: int = 1
    address: str | None = None
    agree: Callable[[str], None] = ignore
    every_setting: bool = False  # Each by itself: the plain way, which the one pass is held against.
    for_odds: bool = False  # The Maximum Loss Limit acts only where it did in the record.


@dataclass(slots=True)
class Setting:
    """One point of the grid: its values, how settings come of them, and its rows once they are there."""

    values: Values
    asked: Asked
    baseline: dict[str, Any]
    changed: Changed
    digest: str
    pieces: dict[tuple[str, ...], Rows] = field(default_factory=dict)  # By trade dates.

    def rows(self) -> Rows:
        """By account and day."""
        rows = [row for found in self.pieces.values() for row in found]
        return sorted(rows, key=lambda row: (row.account, row.trade_date))


@dataclass(slots=True)
class Table:
    """What a sweep found: each setting with its rows, in the order of the grid."""

    grid: Grid
    settings: list[Setting]
    sessions: list[dict[str, Any]] = field(default_factory=list)
    known: int = 0  # Pieces under a setting that were found in the cache.
    worked_out: int = 0
    approaches: Approaches | None = None  # How far the recorded days went towards the limits of the grid.

    @property
    def trade_dates(self) -> list[str]:
        """The days that the settings have rows of."""
        return sorted({row.trade_date for setting in self.settings for row in setting.rows()})


def sweep(asked: Sweep) -> Table:
    """The outcome of every setting. Raises ConfigError, InputError, Corrupt."""
    once = Once(asked.study.warn)
    study = replace(asked.study, independent_days=True, quick=True, warn=once.warn).checked()
    grid = grid_of(asked.grid, study.asked.sets)
    first = study.asked.having(next(iter(grid)))
    journal = runs_of(replace(study, asked=first)).setting.acts
    if not journal or study.asked.config_given:
        study = replace(study, asked=study.asked.read_once())
        first = study.asked.having(next(iter(grid)))
    if len(grid) > MOST_UNASKED:
        asked.agree(_cost(replace(study, asked=first), grid, asked.workers, journal=journal))
    changes = partial(_setting, study, warn=once.warn, journal=journal, for_odds=asked.for_odds)
    table = Table(grid, [changes(values) for values in grid])
    table.approaches = None if asked.for_odds else Approaches.of(study, grid)
    # Over fewer files there are hardly days enough for anything to be said; a journal's settings come with its days.
    measured = None if journal or len(study.sessions) < FEW_DAYS else table.approaches
    hashes = _hashes(study)
    with _pool(asked) as pool:
        for group in _groups(table.settings):
            shared = replace(asked, study=replace(study, asked=group[0].asked))
            measure, measured = None if measured is None else measured.along, None
            _Group(shared, group, Cache(asked.cache, once.warn), table, hashes).run(pool, measure)
    gc.collect()  # Of the days that were read, whose courses hold on to each other, before the table takes their room.
    if _hashes(study) != hashes:
        raise InputError("a session file changed while it was read; sweep recordings that are complete")
    return table


class Once:
    """Passes each sentence on once: every setting has the same to say."""

    def __init__(self, warn: Warn) -> None:
        self._warn, self._told = warn, dict[str, None]()

    def warn(self, text: str) -> None:
        if text not in self._told:
            self._told[text] = None
            self._warn(text)


def _pool(asked: Sweep) -> AbstractContextManager[Pool]:
    return local_workers(asked.workers) if asked.address is None else cluster(asked.address)


# ---- settings ----------------------------------------------------------------------------------------


def _setting(study: Study, values: Values, warn: Warn, *, journal: bool, for_odds: bool = False) -> Setting:
    """A point of the grid, checked as far as it can be without the record. Raises ConfigError."""
    asked = study.asked.having(values)
    if journal:
        plain = settings_of(asked.config, asked.sets).plain if asked.config_given else None
        changed, baseline = Changed(plain, asked.sets, for_odds), dict[str, Any]()
    else:
        baseline, plain, warnings = for_recording(asked)
        changed = Changed(loss_as_recorded(plain, baseline) if for_odds else plain)
        for text in warnings:
            warn(text)
    return Setting(values, asked, baseline, changed, hash_of([changed.plain, changed.sets, *[True] * changed.for_odds]))


def _groups(settings: list[Setting]) -> list[list[Setting]]:
    """Settings with the same baseline: without --baseline it has the profile of the setting."""
    found: dict[str, list[Setting]] = {}
    for setting in settings:
        found.setdefault(hash_of(setting.baseline), []).append(setting)
    return list(found.values())


def _cost(study: Study, grid: Grid, workers: int, *, journal: bool) -> str:
    """What a large grid costs, by its first setting over the first day."""
    setting = _setting(study, (), ignore, journal=journal)
    runs = runs_of(replace(study, progress=ignore))
    piece = next(pieces_of(runs), None)
    started = monotonic()
    if piece is not None:
        work(Task(0, piece, ways_of(runs), (setting.changed,), _folder(study)))
    files = len(study.sessions)
    seconds = (monotonic() - started) * files * len(grid) / workers
    return (
        f"{len(grid):,} settings over {files} session {'file' if files == 1 else 'files'}: about {len(grid) * files:,} "
        f"runs of a day, at most about {duration(seconds)} with {workers} at a time"
    )


def _folder(study: Study) -> Path | None:
    """Where a user's own rules are, for workers that have to read them again."""
    given = study.asked.config
    if isinstance(given, Settings):
        return None
    if isinstance(given, SettingsFile):
        found = given.path
    else:
        found = Path(given) if given is not None else find_file()
    return None if found is None else found.parent.absolute()


def _hashes(study: Study) -> tuple[list[str], list[str]]:
    """Of the session files and of the bars."""
    try:
        return file_hashes(study.sessions), file_hashes(study.bars)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror or error}") from None


# ---- running -----------------------------------------------------------------------------------------


class _Group:
    """All settings that share a baseline, over all pieces of the record."""

    def __init__(
        self, asked: Sweep, settings: list[Setting], cache: Cache, table: Table, hashes: tuple[list[str], list[str]]
    ) -> None:
        self.settings, self.cache, self.table, self.hashes = settings, cache, table, hashes
        self.study, self.every_setting = asked.study, asked.every_setting
        self.runs: Runs = runs_of(self.study)
        self.ways = ways_of(self.runs)
        self.clock = Clock(self.study.step, len(settings), len(self.study.sessions))
        self._names: dict[tuple[str, ...], str] = {}
        self._asked: dict[int, list[Setting]] = {}  # By the number of the task.

    def run(self, pool: Pool, measure: Measure | None) -> None:
        for task, results in pool.results(self._tasks(measure, pool.at_once)):
            dates = task.piece.trade_dates
            for setting, rows in zip(self._asked.pop(task.number), results, strict=True):
                self.cache.add(self._names[dates], setting.digest, rows)
                setting.pieces[dates] = rows
                self.table.worked_out += 1
            self.clock.done(len(results))
        self._keep_whole_ones()
        self.table.sessions = self.runs.rows

    def _tasks(self, measure: Measure | None, at_once: int) -> Iterator[Task]:
        number, folder = 0, _folder(self.study)
        for piece in pieces_of(self.runs, measure):
            dates = piece.trade_dates
            name = self._names[dates] = self._name(piece)
            known = self.cache.read(name)
            missing: dict[str, list[Setting]] = {}
            for setting in self.settings:
                if setting.digest in known:
                    setting.pieces[dates] = known[setting.digest]
                else:
                    missing.setdefault(setting.digest, []).append(setting)
            self.table.known += len(self.settings) - sum(map(len, missing.values()))
            waiting = [setting for alike in missing.values() for setting in alike]
            self.clock.piece(len(waiting))
            size = self._settings_a_task(len(waiting), at_once)
            for start in range(0, len(waiting), size):
                some = self._asked[number] = waiting[start : start + size]
                changes = tuple(setting.changed for setting in some)
                yield Task(number, piece, self.ways, changes, folder, every_setting=self.every_setting)
                number += 1

    def _settings_a_task(self, waiting: int, at_once: int) -> int:
        if self.every_setting:
            return SETTINGS_A_TASK
        # A file holds a day or more, so that with files enough no worker is idle.
        tasks = -(-at_once // len(self.study.sessions))
        return min(max(-(-waiting // tasks), FEWEST_SHARING), SHARING_A_TASK)

    def _name(self, piece: Piece) -> str:
        """The hash of everything that decides the rows of a piece but the setting."""
        sessions, bars = self.hashes
        options, assumptions = self.ways.options, self.ways.options.assumptions
        return hash_of(
            [
                [FORMAT, VERSION, code_hash(), self.every_setting],
                self.ways.baseline,
                [self.study.restrict, self.study.skip_bad_lines],
                [options.policy, assumptions.latency_ns, assumptions.slippage_ticks, assumptions.max_quote_age_ns],
                [sessions[: piece.files], bars],
                [piece.trade_dates, piece.next_date],
            ]
        )

    def _keep_whole_ones(self) -> None:
        """Of pieces that share a day the larger one counts: it was found later that its days go together."""
        found = list(self._names)
        for small in found:
            if any(set(small) < set(large) for large in found):
                for setting in self.settings:
                    setting.pieces.pop(small, None)
