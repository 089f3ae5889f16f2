"""What a review says in words, on the terminal and on the page."""

from replay.review.review import OTHER_SETTINGS, WITHOUT_RULES
from replay.whatif.report_words import Amounts
from riskcore.core.quantities import money
from riskcore.schema.rows import Row

_AMOUNTS = Amounts()
STALE, BARS = "stale_marks", "from_bars"
_FLAGS = {
    STALE: "marks were missing for a while, so more may have happened",
    BARS: "from bars, not from quotes",
}
_QUESTIONS = {WITHOUT_RULES: "without any rule", OTHER_SETTINGS: "under the other settings"}


def flag_text(flag: str) -> str:
    """What a flag of a round trip means."""
    return _FLAGS.get(flag, flag)


def state_words(review: Row) -> str:
    """Whether the day is over."""
    if review["hash"]["of"] == "recording":
        return "recorded"
    return "closed" if review["day"]["closed"] else "still open: these are the figures so far"


def hash_words(review: Row) -> str:
    """Which hash stands for the day."""
    if review["hash"]["of"] == "recording":
        return "SHA-256 of the recording"
    return "closing hash" if review["day"]["closed"] else "hash of the last event so far"


def trips_words(rows: list[Row]) -> str:
    """How many round trips, how many won and lost, and the sum in R of those whose risk is known."""
    if not rows:
        return "No round trip."
    ended = [money(row["net_pnl"]) for row in rows if row["exited_at"] is not None]
    parts = [f"{len(rows)} {'round trip' if len(rows) == 1 else 'round trips'}"]
    parts += [f"{sum(one > 0 for one in ended)} won", f"{sum(one < 0 for one in ended)} lost"]
    if len(ended) < len(rows):
        parts.append(f"{len(rows) - len(ended)} still open")
    unmeasured = sum(row["risk"] is None for row in rows)
    if unmeasured:
        parts.append(f"{unmeasured} without a stop")
    return ", ".join(parts) + "."


def prevented_words(review: Row) -> str:
    """What the rules saved or cost, in one sentence."""
    found, result = review["prevented"], review["whatif"]
    if result is None:
        return "There is nothing to compare: no rule is on, or nothing was traded."
    if found is None:
        return f"Under the other settings the day would have come out {_signed(result['effect']['net_pnl'])} different."
    net = money(found["net_pnl"])
    would = "" if review["question"] == WITHOUT_RULES else " would have"
    if not net:
        return f"The rules{would} changed no result."
    did = ("have saved" if would else "saved") if net > 0 else ("have cost" if would else "cost")
    span = found["range"]
    ends = "" if span is None else f", range {_signed(span[0])} to {_signed(span[1])}"
    parts = f"exact {_signed(found['exact'])}, simulated {_signed(found['simulated'])}{ends}"
    return f"The rules{' would' if would else ''} {did} {_AMOUNTS.plain(abs(net))} ({parts})."


def question_words(review: Row) -> str:
    """What the what-if of the day asks."""
    return _QUESTIONS.get(review["question"], "with these rules acting")


def r_words(row: Row) -> str:
    """R, or why there is none."""
    if row["r"] is not None:
        return f"{row['r']} R" if row["risk_from"] == "stop" else f"{row['r']} R ({row['risk_from']})"
    return "still open" if row["risk"] is not None else str(row["risk_from"])


def excursion_words(row: Row, which: str) -> str:
    """MAE or MFE in dollars and ticks, or that it is unknown."""
    if row[which] is None:
        return "unknown"
    return f"{row[which]} ({tick_words(row, which)})"


def tick_words(row: Row, which: str) -> str:
    """The same in ticks: -1 tick, 0.5 ticks."""
    ticks = str(row[f"{which}_ticks"])
    return f"{ticks} {'tick' if ticks in ('1', '-1') else 'ticks'}"


def _signed(text: str) -> str:
    return _AMOUNTS.signed(money(text))
