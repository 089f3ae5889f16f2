"""Facts with stand-ins in the place of ids, names, tags and texts, field by field.

Every text field of an event is named here: what is not is refused, so that a field that comes later hides nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from replay.redact.stand_ins import PROFILE, StandIns
from replay.whatif.share import declared_kind
from riskcore.core import events as e
from riskcore.core.issuers import OPERATOR_ID
from riskcore.core.rules.base import SOURCE
from riskcore.core.state import Account, Lockout, OldTrade

IDS = frozenset(("account", "trade_id", "order_id", "parent_id", "linked_id", "order_ids", "id", "old_ids"))
KEYED_BY_ID = frozenset(("orders", "trades", "old_trades", "guarded", "order_fills"))
# Words of riskcore, of the market and of the calendar.
KEPT = frozenset(
    (
        *("contract", "root", "kind", "rule", "rule_key", "hub", "state", "scope", "lockout_key", "lockout_kind"),
        *("level", "trade_date", "next_date", "timezone", "zones", "holiday", "version", "lacks", "flags", "action"),
        *("ended_by", "positions", "marks", "connections", "connection_since", "held", "days", "fact"),
    )
)
FREE = frozenset(("reason", "text", "error", "error_message"))  # Of facts; those of derived events are composed.
REMOVED = "(removed)"
COMPOSED = frozenset(
    (
        *("id", "key", "breach", "request", "obligation", "obligations", "requests", "target", "figures", "lockout"),
        *("lockouts", "attempts", "exit_of", "order"),
    )
)
_PATH = re.compile(r"/?[A-Za-z]+(/[A-Za-z0-9]+)*")
_REMEMBERED_ID = re.compile(r"(?:^|[._])(?:order|trade)(?:_id)?$")
_LONG = re.compile(r"(?<![0-9@])[0-9]{5,}(?![0-9])")
_IN_NAMES = re.compile(r"(?<![0-9@])[0-9]{8,13}(?![0-9])")  # Longer than a date, shorter than an instant.
SMALLEST_SURE = 1_000_000  # A number below may be anything else.
_WORD = re.compile(r"[a-z0-9_]{1,24}", re.ASCII)  # A choice, such as a rule of the user's own may have.


class Unnamed(Exception):
    """A text field that this file does not know."""


class Redaction:
    """Maps events of one session; with `collecting` it only notes the ids and names that there are."""

    def __init__(self, stand_ins: StandIns) -> None:
        self.stand_ins = stand_ins
        self.collecting = False
        self._of_core = False

    def event(self, event: e.Event) -> e.Event:
        """The event with stand-ins."""
        if isinstance(event.body, e.QuoteObserved | e.QuotesObserved):
            return event
        self._of_core = event.derived
        body = self._value(event.body, "")
        return replace(event, key=self._composed(event.key), cause=self._composed(event.cause), body=body)

    def settings(self, plain: Mapping[str, Any]) -> dict[str, Any]:
        """Settings with the accounts of the stand-ins; rules and figures stay."""
        found: dict[str, Any] = self._setting(plain, ())
        return found

    # ---- values --------------------------------------------------------------------------------------

    def _value(self, value: Any, name: str) -> Any:
        if isinstance(value, OldTrade):
            return value._replace(order_id=self._value(value.order_id, "order_id"))
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        if isinstance(value, tuple | list):
            return type(value)(self._value(one, name) for one in value)
        if isinstance(value, dict) and name == "memory":
            return {self._named(key): self._remembered(key, one) for key, one in value.items()}
        if isinstance(value, dict):
            return {self._key(key, name): self._value(one, _inside(name)) for key, one in value.items()}
        if isinstance(value, str):
            return self._string(value, name)
        if isinstance(value, int) and not isinstance(value, bool) and name in IDS:
            return self._id(value)
        return value

    def _record(self, value: Any) -> Any:
        changed: dict[str, Any] = {}
        for one in fields(value):
            before = getattr(value, one.name)
            changed[one.name] = self._field(value, one.name, before)
        return type(value)(**changed)

    def _field(self, record: Any, name: str, value: Any) -> Any:
        if isinstance(record, e.TradingDayOpened | e.ConfigChanged) and name == "settings":
            return self.settings(value)
        if isinstance(record, e.TradingDayOpened) and name == "profile":
            self.stand_ins.profiles[value] = PROFILE
            return PROFILE
        if isinstance(record, e.TradingDayOpened) and name == "previous_hash":
            return ""
        if isinstance(record, e.FactQuarantined) and name == "data":
            return {}
        if isinstance(record, e.DepthObserved) and name == "rows":
            return "[]"
        if isinstance(record, e.WireRejected):
            return REMOVED
        if isinstance(record, e.CallObserved) and name == "path":
            return self._path(value)
        if isinstance(record, Account | e.AccountObserved) and name == "name" and value is not None:
            return self._account(value)
        if name == "tag" and value is not None:
            return value if self.collecting else self.stand_ins.tag(value)
        if isinstance(record, Lockout) and name == "reason" and record.rule != OPERATOR_ID:
            return self._composed(value)  # In words of riskcore.
        return self._value(value, name)

    def _string(self, text: str, name: str) -> str:
        if name in COMPOSED:
            return self._composed(text)
        if name in KEPT:
            return text
        if name in FREE and self._of_core:
            return self._composed(text)
        if name in FREE:
            return text if self.collecting else self.stand_ins.text(text)
        raise Unnamed(name)

    def _key(self, key: Any, name: str) -> Any:
        if isinstance(key, int):
            return self._id(key) if name in KEYED_BY_ID else key
        if name in ("episodes", "counters"):
            return self._named(key)
        return self._string(key, name)

    def _id(self, value: int) -> int:
        if self.collecting:
            self.stand_ins.collect_id(value)
            return value
        return self.stand_ins.id(value)

    def _named(self, key: str) -> str:
        """A name under which a rule remembers something: a number in it may be an id wherever it stands."""
        if self.collecting:
            for found in _IN_NAMES.findall(key):
                self.stand_ins.collect_id(int(found))
        key = self._composed(key)
        return key if self.collecting else _LONG.sub(lambda found: self.stand_ins.number(found[0]), key)

    def _remembered(self, key: str, value: int) -> int:
        """What a rule remembers is a number of any kind: the id of an order is one that is called so, or is known."""
        if _REMEMBERED_ID.search(key):
            return self._id(value)
        return self.stand_ins.id(value) if value in self.stand_ins.ids and value >= SMALLEST_SURE else value

    def _composed(self, text: str) -> str:
        if self.collecting:
            self.stand_ins.collect_text(text)
            return text
        return self.stand_ins.composed(text)

    def _account(self, name: str) -> str:
        if self.collecting and name.isdecimal():
            self.stand_ins.collect_id(int(name))
            return name
        return self.stand_ins.account(name)

    def _path(self, path: str) -> str:
        """The path of a call of the broker's API; anything else may be a text of somebody's."""
        if self.collecting or _PATH.fullmatch(path):
            return path
        return self.stand_ins.text(path)

    # ---- settings ------------------------------------------------------------------------------------

    def _setting(self, value: Any, path: tuple[str, ...]) -> Any:
        name = path[-1] if path else ""
        if isinstance(value, Mapping):
            by_account = name in ("accounts", "programme_accounts") and len(path) == 1
            return {
                (self._account(key) if by_account else key): self._setting(one, (*path, "" if by_account else key))
                for key, one in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._setting(one, path) for one in value]
        if not isinstance(value, str):
            return value
        if name == "accounts":
            return value if value == "all" else self._account(value)
        if path == ("profile", "name"):
            self.stand_ins.profiles[value] = PROFILE
            return PROFILE
        if self.collecting or _is_open(path, value):
            return value
        return self.stand_ins.text(value)


def _is_open(path: tuple[str, ...], value: str) -> bool:
    """Whether a text of the settings is a word, a time, a figure or a product, and nothing that somebody made up."""
    name = path[-1]
    if path[0] in ("profile", "programme", "programme_accounts"):
        return True
    if path[0] in ("rules", "accounts"):
        kind = declared_kind(("rules", *path[1 if path[0] == "rules" else 2 :]))
        return kind != "text" if kind is not None else name == SOURCE or _WORD.fullmatch(value) is not None
    return name != "name"


def _inside(name: str) -> str:
    """What the values of a mapping are: those of `figures` are composed, those of the rest say themselves."""
    return name if name in ("figures", "connections", "zones") else ""
