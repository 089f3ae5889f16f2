"""The evening review as one JSON-ready object: schema riskcore.review/1.

What the rules prevented is a what-if of the day (WHATIF.md). Where an engine enforced them, it asks what the day would
have come to without any rule; of a recording or a dry run, in which nothing acted, what it would have come to with
them.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from replay.review.day import Reviewed, read_day
from replay.sessions import Progress, Warn, ignore
from replay.source import Source
from replay.whatif.settings import Asked, for_journal, without_rules
from replay.whatif.study import Study, whatif
from riskcore.audit.report import audit_report, chosen_accounts
from riskcore.core.quantities import money, money_text
from riskcore.schema.rows import Row
from riskcore.settings.config import Settings

SCHEMA = "riskcore.review/1"
WITHOUT_RULES, WITH_RULES, OTHER_SETTINGS = "without_rules", "with_rules", "other_settings"
_FROM_AUDIT = (
    "accounts",
    "closest",
    "breaches",
    "commands",
    "lockouts",
    "overrides",
    "missed_enforcement",
    "over_enforcement",
    "flattens",
    "notes",
    "faults",
    "gaps",
    "drifts",
    "left_out",
    "settings",
)


@dataclass(frozen=True, slots=True)
class Review:
    """What was asked for. `source` names at most one day; of a journal `source.sets` are the settings to try."""

    source: Source
    accounts: tuple[str, ...] = ()
    quick: bool = False
    bars: tuple[Path, ...] = ()
    command: str = ""
    warn: Warn = ignore
    progress: Progress = ignore
    step: Warn = ignore


def review(asked: Review) -> Row:
    """The review of one day. Raises ConfigError for a day that is not there, Corrupt for a broken chain, InputError."""
    with TemporaryDirectory(prefix="riskcore-") as folder:
        wire = asked.source.kind() == "wire"
        # Decisions of a journal are taken as they stand; other settings only count for the what-if.
        source = asked.source if wire else replace(asked.source, sets=())
        reviewed, closing, source = read_day(source, Path(folder), warn=asked.warn, progress=asked.progress)
        report = audit_report(reviewed.log, asked.accounts)
        question, result = _whatif(asked, reviewed, source, wire)
    return {
        "schema": SCHEMA,
        "timezone": reviewed.opened.day.timezone,
        "day": {**report["days"][0], "closed": reviewed.closed, "enforced": _enforced(reviewed)},
        "hash": closing,
        "round_trips": reviewed.trips.rows(chosen_accounts(reviewed.log, asked.accounts)),
        **{name: report[name] for name in _FROM_AUDIT},
        "question": question,
        "prevented": None if result is None else _prevented(question, result),
        "whatif": result,
    }


def _enforced(reviewed: Reviewed) -> bool:
    """Whether an engine carried out at any time of the day what was decided."""
    return reviewed.opened.enforces or reviewed.log.book.enforces


def _whatif(asked: Review, reviewed: Reviewed, source: Source, wire: bool) -> tuple[str, Row | None]:
    """Which what-if the day gets, and its result; none for a day without a fill or a rule."""
    given, recorded = asked.source, reviewed.opened.settings
    settings = Asked(given.config_path, given.sets, given.config_given)
    watched = not wire and not _enforced(reviewed)
    other = not wire and bool(given.sets or given.config_given)
    question = WITH_RULES if wire or watched else OTHER_SETTINGS if other else WITHOUT_RULES
    if watched:
        settings = Asked(Settings(for_journal(settings)(recorded)), config_given=True, watched=True)
    elif question == WITHOUT_RULES:
        settings = Asked(rules_off=True)
    if not reviewed.traded or not (other or recorded != without_rules(recorded)):
        return question, None
    study = Study(
        source.sessions,
        settings,
        independent_days=True,
        quick=asked.quick,
        bars=asked.bars,
        restrict=asked.accounts,
        skip_bad_lines=given.skip_bad_lines,
        strict=given.strict,
        command=asked.command,
        step=asked.step,
        days=(reviewed.trade_date,),
    )
    return question, whatif(study)


def _prevented(question: str, result: Row) -> Row | None:
    """What the rules saved: positive where the day would have been worse without them. None for other settings."""
    if question == OTHER_SETTINGS:
        return None
    sign = -1 if question == WITHOUT_RULES else 1
    effect, span = result["effect"], result["range"]

    def signed(text: str | None) -> str | None:
        return None if text is None else money_text(sign * money(text))

    ends = None if span is None else sorted(sign * money(span[name]) for name in ("cruellest", "kindest"))
    return {
        **{name: signed(effect[name]) for name in ("net_pnl", "exact", "simulated")},
        "range": None if ends is None else [money_text(end) for end in ends],
        "by_rule": [
            {"rule": row["rule"], "table": row.get("table"), "net_pnl": signed(row["net_pnl"])}
            for row in effect["by_rule"]
        ],
    }
