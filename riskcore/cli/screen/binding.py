"""What is always in sight: the limit that binds, what is left until it, the largest safe size, and what is locked."""

from decimal import Decimal
from typing import Any

from rich.text import Text

from riskcore.cli.screen.picture import Picture
from riskcore.cli.screen.words import counted, dollars, duration, root_of_contract
from riskcore.core.kinds import CLOSES
from riskcore.core.names import ACCOUNT, root_of_scope
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules.base import BREACHED, NEAR, OK, PROFIT, SECONDS, WARN
from riskcore.core.rules.wording import allowed_words
from riskcore.schema.instants import read_instant

Row = dict[str, Any]
RANK = (BREACHED, NEAR, WARN, OK)
STATE_STYLES = {BREACHED: "bold red", NEAR: "yellow", WARN: "yellow", OK: "green"}
_JOINED = "; "


def binding_lines(picture: Picture) -> list[Text]:
    """Two sentences, whatever the view: the limit and the size, then what is locked and what is allowed."""
    if picture.status is None:
        return [Text("nothing was recorded yet", "dim")]
    if not picture.accounts:
        return [Text("no account is judged yet", "dim")]
    account = binding_account(picture.accounts)
    text = Text()
    if len(picture.accounts) > 1:
        text.append(f"{account['name'] or account['id']}: ", "bold")
    _limit(text, account, picture)
    _sizes(text, account)
    return [text, _locks(picture)]


def binding_account(accounts: list[Row]) -> Row:
    """The account whose first limit binds most; the engine has put the binding limit first in each."""
    return min(accounts, key=lambda one: _pressure(_first(one)))


def _first(account: Row) -> Row | None:
    return next((one for one in account["limits"] if one["state"] in RANK and one["kind"] != PROFIT), None)


def _pressure(limit: Row | None) -> tuple[int, Decimal]:
    if limit is None:
        return len(RANK), Decimal(0)
    return RANK.index(limit["state"]), -Decimal(limit["used"] or 0)


def _limit(text: Text, account: Row, picture: Picture) -> None:
    first = _first(account)
    if first is None:
        text.append("no limit binds: none is measured")
        return
    text.append(f"{first['state']} ", STATE_STYLES[first["state"]])
    text.append(_named(first), "bold")
    left = left_words(first, picture)
    text.append(f": {left}" if left else "", STATE_STYLES[first["state"]] if first["state"] != OK else "")
    money = next((one for one in account["limits"] if _is_money(one)), None)
    # A count may bind first; what may still be lost stands beside it.
    if money is not None and money is not first:
        text.append(f"{_JOINED}{_named(money)}: {left_words(money, picture)}")


def _is_money(limit: Row) -> bool:
    return limit["unit"] == "$" and limit["left"] is not None and limit["kind"] != PROFIT and limit["state"] in RANK


def _named(limit: Row) -> str:
    root = root_of_contract(limit["contract"])
    return " ".join(part for part in (limit["rule"], root, limit["name"]) if part)


def left_words(limit: Row, picture: Picture) -> str:
    """What is left until a limit: $145.10 (72 ticks) left; 2 trades left; 4:59 left."""
    if limit["left"] is None:
        if limit["until"] is None:
            return ""
        return f"{duration(seconds_to(limit['until'], picture.now))} left"
    if limit["kind"] == SECONDS:
        return f"{duration(int(Decimal(limit['left'])))} left"
    if limit["unit"] == "$":
        ticks = limit.get("ticks")
        about = "" if ticks is None else f" ({counted(ticks, 'tick')})"
        return f"${dollars(limit['left'])}{about} left"
    unit = limit["unit"] if limit["unit"] not in limit["name"] else ""
    if limit["left"] == "1":
        unit = unit.removesuffix("es") if unit.endswith("sses") else unit.removesuffix("s")
    return " ".join(part for part in (limit["left"], unit, "left") if part)


def seconds_to(instant: str, now: int) -> int:
    """Whole seconds until an instant in UTC text, rounded up, never below 0."""
    return max(-((now - read_instant(instant)) // SECOND_NS), 0)


def _sizes(text: Text, account: Row) -> None:
    rows = account.get("safe_size", ())
    sizes = [f"{root_of_contract(one['contract'])} {_size(one)}" for one in rows]
    text.append(f"{_JOINED}safe size {', '.join(sizes) if sizes else 'unknown, no quote'}")


def _size(row: Row) -> str:
    if row["size"] is not None:
        return str(row["size"])
    # The sentence of the row tells the two apart in which there is no number.
    return "unlimited" if row["text"].startswith("no rule bounds") else "needs a stop"


def _locks(picture: Picture) -> Text:
    locks = [(account, one) for account in picture.accounts for one in account["lockouts"]]
    several = len(picture.accounts) > 1
    text = Text()
    if not locks:
        text.append("not locked", "green")
        text.append(f". {allowed_here(picture.accounts)}")
        return text
    account, last = max(locks, key=lambda one: (one[1]["expires_at"] is None, one[1]["expires_at"] or ""))
    text.append("LOCKED", "bold red")
    if several:
        text.append(f" {account['name'] or account['id']}", "bold red")
        locked = len({one["id"] for one, _ in locks})
        text.append(f" and {counted(locked - 1, 'other account')}" if locked > 1 else "", "bold red")
    text.append(f" {lock_words(last, picture)}", "bold red")
    text.append(f". {allowed_here([account])}")
    return text


def lock_words(lockout: Row, picture: Picture) -> str:
    """By which rule and for how long: by RULE-003 until 17:00:00, 6:59:12 left."""
    root = root_of_scope(lockout["scope"])
    by = f"{f'in {root} ' if root else ''}by {lockout['rule']}"
    if lockout["expires_at"] is None:
        return f"{by} until it is lifted"
    return f"{by} until {picture.local(lockout['expires_at'])}, {duration(lockout['seconds_left'])} left"


def allowed_here(accounts: list[Row]) -> str:
    """What is still allowed, in the words that the alerts use."""
    locks = [one for account in accounts for one in account["lockouts"]]
    scopes = tuple(dict.fromkeys(root_of_scope(one["scope"]) or ACCOUNT for one in locks))
    unmet = [one["kind"] for account in accounts for one in account["obligations"]]
    return allowed_words(scopes, any(kind in (*CLOSES, "ReducePosition") for kind in unmet))
