"""The outcome of a what-if in one sentence with its range, for the terminal, the report and the card."""

import re

from replay.whatif.report_figures import Figures, total
from replay.whatif.report_words import counted, setting_of, value_words
from riskcore.schema.rows import Row

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?%?")
# The field that names a rule's limit: when a rule is switched on, its other fields are only how.
_LIMITS = ("loss limit", "profit target", "limit")
_MOST_NAMED = 3


def headline(figures: Figures) -> tuple[str, str]:
    """What was changed, in a few words, and about which rules."""
    changes = figures.result["stamp"]["settings_diff"]
    if not changes:
        return "The same settings", "Both courses were judged by the same settings."
    named = _main_changes(changes)
    about = "; ".join(dict.fromkeys(_about(one["key"]) for one in named or changes))
    if not named:
        added = _rules_added(changes)
        return f"{counted(added, 'rule')} switched on" if added else counted(len(changes), "other setting"), about
    return ", ".join(_change_words(one, len(named) > 1) for one in named), about


def _change_words(change: Row, several: bool) -> str:
    """What a change sets; its rule is named where there are several."""
    setting = setting_of(change["key"])
    field = change["key"]
    if setting is not None:
        field = f"{setting[0]} {setting[2]}" if several else setting[2].capitalize()
    before = "" if change["baseline"] is None else f" instead of {value_words(change['baseline'])}"
    return f"{field} {value_words(change['counterfactual'])}{before}"


def verdict(figures: Figures) -> str:
    """Over how many days, which change, how many better and worse, net, and within which range."""
    amounts, helped, hurt = figures.amounts, figures.helped, figures.hurt
    span = f"Over {counted(len(figures.dates), 'day')}"
    accounts = len({day.account for day in figures.days})
    if accounts > 1:
        span += f" in {accounts} accounts"
    subject = _subject(figures.result["stamp"]["settings_diff"])
    changed = len(helped) + len(hurt)
    if not changed:
        sentences = [f"{span} {subject} would have changed no result"]
        if figures.equal:
            sentences.append(f"It acted on {counted(len(figures.equal), 'day')} that ended the same")
        sentences.append(_range(figures, "Range "))
        return " ".join(f"{sentence}." for sentence in sentences if sentence)
    of_what = counted(changed, "account day") if accounts > 1 else str(changed)
    text = (
        f"{span} {subject} would have changed {of_what}: {len(helped)} better {amounts.short(total(helped))}, "
        f"{len(hurt)} worse {amounts.short(total(hurt))}; net {amounts.short(figures.effect)}"
    )
    return f"{text}{_range(figures, ', range ')}."


def doubts(figures: Figures) -> list[str]:
    """What a reader has to know beside the verdict, most important first."""
    amounts, found = figures.amounts, []
    if figures.open_baseline != figures.open_counterfactual:
        found.append(
            f"Positions are still open at the end: {amounts.signed(figures.open_baseline)} as recorded, "
            f"{amounts.signed(figures.open_counterfactual)} with these settings. The net does not count them."
        )
    if figures.cruellest is not None and figures.kindest is not None and figures.cruellest < 0 < figures.kindest:
        found.append("The range includes zero: these days do not show whether the change helps or hurts.")
    if figures.result["range"] is None:
        found.append("No range and no shares were worked out (--quick).")
    return found


def _range(figures: Figures, before: str) -> str:
    if figures.cruellest is None or figures.kindest is None:
        return ""
    if figures.cruellest == figures.kindest == figures.effect == 0:
        return ""
    return f"{before}{figures.amounts.short(figures.cruellest)} … {figures.amounts.short(figures.kindest)}"


def _subject(changes: list[Row]) -> str:
    """Who would have changed the days: a loss limit of 400 (RULE-003)."""
    if not changes:
        return "the same settings"
    named = _main_changes(changes)
    if not named:
        added = _rules_added(changes)
        if added:
            return "this rule" if added == 1 else f"these {added} rules"
        return "this change" if len(changes) == 1 else f"these {len(changes)} settings"
    *first, last = [_thing(one) for one in named]
    return f"{', '.join(first)} and {last}" if first else last


def _thing(change: Row) -> str:
    setting, value = setting_of(change["key"]), value_words(change["counterfactual"])
    if setting is not None and change["counterfactual"] in (None, "off"):
        return f"being without a {setting[2]} ({setting[0]})"
    if setting is None or not _NUMBER.fullmatch(value):
        return f"{change['key']} = {value}"
    rule, _, field = setting
    return f"{'an' if field[0] in 'aeiou' else 'a'} {field} of {value} ({rule})"


def _main_changes(changes: list[Row]) -> list[Row]:
    """One change for each table that names it: its only one, or the limit of a rule that was switched on or off.

    Empty when a table has none, or when there are too many for one sentence.
    """
    tables: dict[str, list[Row]] = {}
    for change in changes:
        tables.setdefault(_table(change["key"]), []).append(change)
    found = [_main_change(of_table) for of_table in tables.values()]
    named = [one for one in found if one is not None]
    return named if len(named) == len(found) <= _MOST_NAMED else []


def _main_change(changes: list[Row]) -> Row | None:
    if len(changes) == 1:
        return changes[0]
    settings = [(one, setting_of(one["key"])) for one in changes]
    limits = [one for one, setting in settings if setting is not None and setting[2] in _LIMITS]
    switched = any(all(one[course] is None for one in changes) for course in ("baseline", "counterfactual"))
    return limits[0] if switched and len(limits) == 1 else None


def _rules_added(changes: list[Row]) -> int:
    """How many tables were switched on, when that is all that changed: nobody counts the fields of a new rule."""
    keys = [one["key"].split(".") for one in changes]
    if any(key[0] != "rules" for key in keys) or any(one["baseline"] is not None for one in changes):
        return 0
    return len({tuple(key[: 3 if key[2].isdigit() else 2]) for key in keys})


def _table(key: str) -> str:
    """The rule's table that a key belongs to, its place in the array included."""
    return key.rpartition(".")[0]


def _about(key: str) -> str:
    setting = setting_of(key)
    return f"{setting[1]} ({setting[0]})" if setting else key
