"""A change of settings tried on the last days of the journal, before anything is written (`config try`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from replay.sessions import Progress, Warn, ignore
from replay.whatif.report_figures import figures_of
from replay.whatif.settings import Asked
from replay.whatif.study import Study, whatif
from replay.whatif.verdict import verdict
from riskcore.audit.following import open_journal
from riskcore.errors import CannotWrite, ConfigError
from riskcore.schema.export import ExportWriter

DAYS = 60


@dataclass(frozen=True, slots=True)
class Journal:
    """Whose days: the journal in `store` (None: the default one), and the settings file that names the profile."""

    store: str | None = None
    profile: str | None = None
    config_path: Path | None = None


def trial(
    journal: Journal,
    assignments: Sequence[str],
    *,
    days: int = DAYS,
    accounts: tuple[str, ...] = (),
    quick: bool = False,
    warn: Warn = ignore,
    progress: Progress = ignore,
    step: Warn = ignore,
) -> dict[str, Any]:
    """What the change would have made of the journal's last days: each under its own settings, and with the change.

    Raises ConfigError, InputError, StoreError, CannotWrite.
    """
    with TemporaryDirectory(prefix="riskcore-") as folder:
        path = Path(folder) / "journal.jsonl"
        tried = _export(journal, path, days)
        study = Study(
            (path,),
            Asked(sets=tuple(assignments)),
            quick=quick,
            restrict=accounts,
            warn=warn,
            progress=progress,
            step=step,
        )
        result = whatif(study)
    effect = result["effect"]
    return {
        "changes": result["stamp"]["settings_diff"],
        "days": {"first": tried[0], "last": tried[-1], "count": len(tried), **effect["days"]},
        "verdict": verdict(figures_of(result)),
        "effect": {name: effect[name] for name in ("net_pnl", "exact", "simulated", "open_pnl")},
        "range": result["range"],
        "by_day": effect["by_day"],
        "further_runs": result["stamp"]["further_runs"],
    }


def _export(journal: Journal, path: Path, count: int) -> list[str]:
    """The last days of the journal as an export."""
    with open_journal(journal.store, journal.profile, journal.config_path) as (opened, stored):
        days = stored[-count:]
        if not days:
            raise ConfigError(f"profile {opened.profile}: the journal holds no day to try a change on")
        try:
            with path.open("wb") as file:
                writer = ExportWriter(file.write)
                opened.export(days, writer)
                writer.close()
        except OSError as error:
            raise CannotWrite(f"{path.parent}: cannot be written: {error.strerror or error}") from None
    return days
