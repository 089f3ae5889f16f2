"""Settings that a sweep decided on, kept in a journal before later days are opened (WHATIF.md 7).

Only days that nobody had seen can judge a choice. The journal proves what was chosen, and when: a decision is a note
among its events, in their hash chain. Days behind the last one that a decision was made on then judge it.
"""

import json
import re
from dataclasses import dataclass

from replay.sweep.cache import hash_of
from replay.sweep.honesty import EMBARGO_DAYS
from replay.sweep.sweep import Setting, Table
from replay.sweep.winners import Row, effects_by_day, error_text, middle_of
from riskcore.core.quantities import money_text

_HASH_DIGITS = 16
_NOTE = re.compile(
    r"A sweep decided on (?P<setting>\{.*\}) from (?P<days>\d+) days up to (?P<last_day>\d{4}-\d\d-\d\d) "
    rf"\(settings (?P<settings>[0-9a-f]{{{_HASH_DIGITS}}}), recordings (?P<recordings>[0-9a-f]{{{_HASH_DIGITS}}})\)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen, on which days, with hashes of all its settings and of the recordings it was chosen on."""

    setting: dict[str, str]
    days: int
    last_day: str
    settings_hash: str
    recordings_hash: str

    @property
    def note(self) -> str:
        """The text that a journal keeps."""
        return (
            f"A sweep decided on {json.dumps(self.setting, ensure_ascii=False)} from {self.days} days up to "
            f"{self.last_day} (settings {self.settings_hash}, recordings {self.recordings_hash})"
        )

    def row(self) -> Row:
        return {
            "setting": self.setting,
            "days": self.days,
            "last_day": self.last_day,
            "settings_hash": self.settings_hash,
            "recordings_hash": self.recordings_hash,
        }


def decision_of(table: Table) -> Decision | None:
    """The recommended setting; None where nothing is recommended."""
    middle, dates = middle_of(table), table.trade_dates
    if middle is None:
        return None
    recordings = hash_of([row["sha256"] for row in table.sessions])
    return Decision(dict(middle.values), len(dates), dates[-1], middle.digest[:_HASH_DIGITS], recordings[:_HASH_DIGITS])


def decision_in(note: str) -> Decision | None:
    """The decision that a note keeps; None for every other note."""
    found = _NOTE.fullmatch(note)
    if found is None:
        return None
    setting = json.loads(found["setting"])
    return Decision(setting, int(found["days"]), found["last_day"], found["settings"], found["recordings"])


def judged(decision: Decision, at: str, table: Table) -> Row:
    """A decision of the instant `at` with what it came to on the days behind its own, but for the first of them.

    `judged` is None where the table cannot tell. Days no later than `at` were there to be seen when it was made.
    """
    setting = next((one for one in table.settings if _is_meant(one, decision)), None)
    dates = [date for date in table.trade_dates if date > decision.last_day][EMBARGO_DAYS:]
    if setting is None or not dates:
        return {"at": at, **decision.row(), "judged": None}
    by_date = dict(zip(table.trade_dates, effects_by_day(setting, table.trade_dates), strict=True))
    effects = [by_date[date] for date in dates]
    found = {
        "first_day": dates[0],
        "days": len(dates),
        "days_unseen": sum(date > at[:10] for date in dates),
        "net_pnl": money_text(sum(effects)),
        "standard_error": error_text(effects),
    }
    return {"at": at, **decision.row(), "judged": found}


def _is_meant(setting: Setting, decision: Decision) -> bool:
    return dict(setting.values) == decision.setting and setting.digest.startswith(decision.settings_hash)
