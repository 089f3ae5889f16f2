"""Happenings as `riskcore live` prints them: plain lines for people, one JSON object a line for programs.

Printing never stops the engine: when whoever reads has gone, the rest is not printed and guarding goes on.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from riskcore.cli.replay_text import command_words, short
from riskcore.engine.announce import happening

Row = dict[str, Any]
Words = Callable[[Mapping[str, Any]], str]
TYPE_WIDTH = 10
# Snapshots are asked for all the time; only what went wrong with one is worth a line.
_QUIET_KIND, _QUIET_OUTCOMES = "takeSnapshot", ("accepted", "confirmed", "superseded")
_SHOWN_APART = ("at", "type", "account", "account_name", "text")


def line_of(row: Mapping[str, Any]) -> str:
    """One happening as an aligned line: when, what kind, which account, and what."""
    who = f"{account_words(row)}  " if "account" in row else ""
    return f"{short(row['at']):<30}  {row['type']:<{TYPE_WIDTH}}  {who}{words_of(row)}"


def account_words(row: Mapping[str, Any]) -> str:
    """An account as people know it: by name, else by id."""
    return str(row.get("account_name") or row.get("account", ""))


def words_of(row: Mapping[str, Any]) -> str:
    """What happened, without time, kind and account; a happening of another shape is told by the fields it has."""
    try:
        return _WORDS.get(row["type"], _other)(row)
    except KeyError:
        return _other(row)


def is_worth_a_line(row: Mapping[str, Any]) -> bool:
    """Whether people want to read it; programs get everything.

    A lockout says better than its SetLockout what is in force, and snapshots come by themselves.
    """
    if row["type"] == "command":
        return row.get("kind") not in ("SetLockout", "ConfirmFlat")
    if row["type"] == "request":
        return row.get("kind") != _QUIET_KIND
    if row["type"] == "outcome":
        return row.get("kind") != _QUIET_KIND or row.get("outcome") not in _QUIET_OUTCOMES
    return True


# ---- words of each kind ------------------------------------------------------------------------------


def _breach(row: Mapping[str, Any]) -> str:
    figures = "  ".join(f"{name} {value}" for name, value in row["figures"].items())
    flags = f"  [{', '.join(row['flags'])}]" if row.get("flags") else ""
    return "  ".join(part for part in (f"{row['rule']} breached", row.get("contract"), figures) if part) + flags


def _command(row: Mapping[str, Any]) -> str:
    return command_words({"contract": None, "price": None, **row})


def _request(row: Mapping[str, Any]) -> str:
    about = [row.get("kind", row["id"]), row.get("side"), row.get("size"), row.get("contract"), row.get("price")]
    about += [f"order {row['order']}" if "order" in row else None]
    about += [f"attempt {row['attempt']}" if row.get("attempt", 1) > 1 else None]
    return " ".join(str(part) for part in about if part is not None)


def _outcome(row: Mapping[str, Any]) -> str:
    if row["outcome"] == "met":
        return f"met: {row['kind']}"
    if row["outcome"] == "declined":
        return f"declined: {row['reason']}"
    reason = f": {row['reason']}" if row.get("reason") else ""
    return f"{row['outcome']}: {_request(row)}{reason}"


def _lockout(row: Mapping[str, Any]) -> str:
    about = f"{row['scope']} by {row['rule']}"
    if row["change"] == "ended":
        return f"ended: {about} ({row['ended_by']})"
    until = f"until {short(row['expires_at'])}" if row.get("expires_at") else "until released"
    text = f": {row['text']}" if row.get("text") else ""
    return f"locked: {about}, {until}{text}"


def _connection(row: Mapping[str, Any]) -> str:
    return f"the {row['hub']} hub is {row['state']}" if "hub" in row else _other(row)


def _drift(row: Mapping[str, Any]) -> str:
    return f"{row['contract']}: {row['text']}" if "contract" in row else _other(row)


def _other(row: Mapping[str, Any]) -> str:
    """A happening of the engine itself (ready, halt): its text, then its other figures."""
    figures = [f"{name} {_value(value)}" for name, value in row.items() if name not in _SHOWN_APART]
    text = [str(row["text"])] if "text" in row else []
    return "  ".join(text + figures)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


_WORDS: dict[str, Words] = {
    "breach": _breach,
    "command": _command,
    "request": _request,
    "outcome": _outcome,
    "lockout": _lockout,
    "connection": _connection,
    "drift": _drift,
}


# ---- printing ----------------------------------------------------------------------------------------


class LinePrinter:
    """An Announcer that prints at once, a line a happening: plain, or JSON.

    `say` takes the fields of a happening as `announce.happenings` makes them; one without `at` happens now.
    """

    def __init__(self, now: Callable[[], int], *, as_json: bool = False, stream: TextIO | None = None) -> None:
        self._now = now
        self._as_json = as_json
        self._stream = stream
        self._mute = False

    def say(self, kind: str, /, **figures: Any) -> None:
        self.show(stamped(self._now, kind, figures))

    def show(self, row: Mapping[str, Any]) -> None:
        """Print one happening."""
        if self._mute or not (self._as_json or is_worth_a_line(row)):
            return
        text = json.dumps(row, ensure_ascii=False, default=str) if self._as_json else line_of(row)
        stream = self._stream or sys.stdout
        try:
            stream.write(f"{text}\n")
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads any more, or the terminal is gone. The engine guards on without it.
            self._mute = True


def stamped(now: Callable[[], int], kind: str, figures: Mapping[str, Any]) -> Row:
    """The fields of a happening with `at` and `type` in front."""
    if "at" in figures:
        return {"at": figures["at"], "type": kind, **figures}
    return happening(now(), kind, **figures)
