"""Recorded days through the rules, and through others. Source: INTERFACE.md 5, 6 and 11, WHATIF.md."""

from collections.abc import Sequence
from os import fspath

from replay.replay_run import run_replay
from replay.whatif.settings import Asked
from replay.whatif.study import Study
from replay.whatif.study import whatif as run_study
from riskcore.api.arguments import Accounts, AnyPath, files, texts
from riskcore.api.results import ReplayResult, WhatifResult, replay_result, whatif_result
from riskcore.settings.config import Given
from riskcore.store.server_url import without_password


def replay(
    paths: AnyPath | Sequence[AnyPath],
    settings: Given = None,
    *,
    sets: str | Sequence[str] = (),
    accounts: Accounts = (),
    store: AnyPath | None = None,
    skip_bad_lines: bool = False,
    strict: bool = False,
) -> ReplayResult:
    """Run recorded days through the rules, as `riskcore replay` does.

    `paths`: session files of either form, oldest first. `settings`: those of `load_settings`, or a path; by default the
    file that the command would find, else the defaults. A journal export is judged by the settings that it carries and
    takes neither `settings` nor `sets`. `sets`: overrides, as `--set` takes them. `accounts`: judge only these, by name
    or id. `store`: also keep the run as a journal in this new file.

    Raises ConfigError (settings, a journal export given some), InputError (a file that cannot be read), Corrupt.
    """
    warnings: list[str] = []
    row = run_replay(
        files(paths),
        config_path=settings,
        sets=texts(sets),
        config_given=settings is not None,
        restrict=texts(accounts),
        store=None if store is None else without_password(fspath(store)),
        skip_bad_lines=skip_bad_lines,
        strict=strict,
        warn=warnings.append,
    )
    return replay_result(row, warnings)


def whatif(
    paths: AnyPath | Sequence[AnyPath],
    settings: Given = None,
    *,
    sets: str | Sequence[str] = (),
    baseline: Given = None,
    accounts: Accounts = (),
    policy: str = "follow",
    latency_ms: int = 250,
    slippage_ticks: int = 2,
    independent_days: bool = False,
    quick: bool = False,
    bars: AnyPath | Sequence[AnyPath] = (),
    skip_bad_lines: bool = False,
    strict: bool = False,
) -> WhatifResult:
    """Say what the same days would have come to under other settings, as `riskcore whatif` does.

    `baseline`: the settings that acted while a wire recording was made; without it nothing did. `policy`: what the
    trader does after an action, `follow`, `freeze` or `stop`. `quick`: no range and no shares by rule, many times as
    fast. `bars`: history bars that mark and price what the recording has no quotes for.

    Raises ConfigError, InputError, Corrupt.
    """
    warnings: list[str] = []
    study = Study(
        sessions=tuple(files(paths)),
        asked=Asked(settings, texts(sets), settings is not None, baseline),
        policy=policy,
        latency_ms=latency_ms,
        slippage_ticks=slippage_ticks,
        independent_days=independent_days,
        quick=quick,
        bars=tuple(files(bars)),
        restrict=texts(accounts),
        skip_bad_lines=skip_bad_lines,
        strict=strict,
        command="riskcore.whatif",
        warn=warnings.append,
    )
    return whatif_result(run_study(study), warnings)
