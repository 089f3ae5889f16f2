"""What is reported of stored events: one happening per breach, command, request, outcome and notable change.

A happening is plain data, ready for JSON: `at` and `type` first, exact decimals as text (INTERFACE.md 7). `ready` and
`halt` come from the engine itself; every other kind is made here, from what is stored already.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskcore.audit.alert_words import alert_words, breach_words
from riskcore.audit.words import balance_drift_text, sight_text, target_text
from riskcore.core import events as e
from riskcore.core.names import command_kind, lockout_id, read_lockout_id, read_request_id
from riskcore.core.order_words import side_word
from riskcore.core.quantities import price_text
from riskcore.core.quarantine import told_text
from riskcore.core.state import Book, Request
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row, breach_row, command_row

NOTHING_KNOWN: Mapping[str, e.RequestPlanned | Request] = {}


def happening(at: int, kind: str, /, **figures: Any) -> Row:
    """One happening at an instant in nanoseconds; fields that do not apply are left out."""
    told = {name: value for name, value in figures.items() if value is not None}
    return {"at": utc_text(at), "type": kind, **told}


def happenings(
    events: Sequence[e.Event], book: Book, requests: Mapping[str, e.RequestPlanned | Request] = NOTHING_KNOWN
) -> list[Row]:
    """What to report of stored events, in their order. `book` is the state behind the last of them.

    `requests` are known from before: state forgets a request with its outcome.
    """
    told: list[Row] = []
    planned = dict(requests)
    for event in events:
        body = event.body
        if isinstance(body, e.RequestPlanned):
            planned[body.request] = body
        elif isinstance(body, _REQUESTS):
            told.append(_about_request(event, body, book, planned.get(body.request)))
        else:
            words = _WORDS.get(type(body))
            if words is not None:
                told.extend(words(event, body, book))
    return told


def _account(book: Book, account: int) -> Row:
    known = book.accounts.get(account)
    return {"account": account, "account_name": known.name if known is not None else None}


# ---- decisions ---------------------------------------------------------------------------------------


def _breach(event: e.Event, body: e.RuleBreached, book: Book) -> list[Row]:
    row = {**breach_row(event, body), **_account(book, body.account), **breach_words(book, body)}
    return [{**happening(event.at, "breach", **row)}]


def _command(event: e.Event, body: e.CommandIssued, book: Book) -> list[Row]:
    row = {**command_row(event, body), **_account(book, body.account)}
    if body.command.kind == "Alert":
        row.update(alert_words(book, body))
    told = [happening(event.at, "command", **row)]
    if body.command.kind == "SetLockout":
        told.append(_lockout_set(event, body, book))
    return told


def _lockout_set(event: e.Event, body: e.CommandIssued, book: Book) -> Row:
    """The lockout as it is in force now: setting one again keeps the later end (RULES.md 3.1)."""
    command = body.command
    name = lockout_id(command.scope, body.rule, command.lockout_key)
    account = book.accounts.get(body.account)
    in_force = account.lockouts.get(name) if account is not None else None
    expires_at = in_force.expires_at if in_force is not None else command.expires_at
    return happening(
        event.at,
        "lockout",
        change="set",
        id=name,
        **_account(book, body.account),
        scope=command.scope,
        rule=body.rule,
        kind=command.lockout_kind,
        expires_at=None if expires_at is None else utc_text(expires_at),
        text=command.text,
    )


def _lockout_ended(event: e.Event, body: e.LockoutEnded, book: Book) -> list[Row]:
    lockout = read_lockout_id(body.lockout)
    about = _account(book, body.account)
    return [
        happening(
            event.at,
            "lockout",
            change="ended",
            id=body.lockout,
            **about,
            scope=lockout.scope,
            rule=lockout.rule,
            ended_by=body.ended_by,
        )
    ]


# ---- requests and their outcomes ---------------------------------------------------------------------

_REQUESTS = (
    e.RequestAttempted,
    e.RequestAccepted,
    e.RequestRefused,
    e.RequestUnresolved,
    e.RequestConfirmed,
    e.RequestSuperseded,
)
_OUTCOMES = {
    e.RequestAccepted: "accepted",
    e.RequestRefused: "refused",
    e.RequestUnresolved: "unresolved",
    e.RequestConfirmed: "confirmed",
    e.RequestSuperseded: "superseded",
}


def _about_request(event: e.Event, body: Any, book: Book, planned: e.RequestPlanned | Request | None) -> Row:
    account = book.accounts.get(body.account)
    known = planned or (account.requests.get(body.request) if account is not None else None)
    about = _of_id(body.request) if known is None else _of_request(known)
    figures = {"id": body.request, **_account(book, body.account), **about}
    if isinstance(body, e.RequestAttempted):
        return happening(event.at, "request", **figures)
    figures["reason"] = getattr(body, "reason", "") or None
    figures["order"] = figures.get("order", getattr(body, "order_id", None))
    return happening(event.at, "outcome", outcome=_OUTCOMES[type(body)], **figures)


def _of_request(request: e.RequestPlanned | Request) -> Row:
    """What a request does, as its own fields say."""
    figures: Row = {
        "command": request.obligation or None,
        "kind": request.kind,
        "contract": request.contract,
        "order": request.order_id,
        "side": side_word(request.side),
        "size": request.size or None,
        "price": None if request.price is None else price_text(request.price),
        "attempt": request.attempt,
    }
    return {name: value for name, value in figures.items() if value is not None}


def _of_id(request_id: str) -> Row:
    """What a request that is over did, as far as its id says: state has forgotten it already."""
    name = read_request_id(request_id)
    if name is None:
        return {}
    figures = {"command": name.origin, "kind": name.kind, "contract": name.contract, "order": name.order_id}
    return {**{key: value for key, value in figures.items() if value is not None}, "attempt": name.attempt}


def _met(event: e.Event, body: e.ObligationMet, book: Book) -> list[Row]:
    kind = command_kind(body.obligation)
    about = _account(book, body.account)
    return [happening(event.at, "outcome", outcome="met", command=body.obligation, **about, kind=kind)]


def _declined(event: e.Event, body: e.OrderDeclined, book: Book) -> list[Row]:
    about = _account(book, body.account)
    return [happening(event.at, "outcome", outcome="declined", id=body.order, **about, reason=body.reason)]


# ---- sight of the broker -----------------------------------------------------------------------------


def _connection(event: e.Event, body: e.ConnectionChanged, book: Book) -> list[Row]:
    """That no hub was connected while no engine ran is in the journal (core/restart.py), and no news."""
    if event.source == "operator":
        return []
    return [happening(event.at, "connection", hub=body.hub, state=body.state)]


def _sight(event: e.Event, body: e.SightChanged, book: Book) -> list[Row]:
    return [happening(event.at, "drift", **_account(book, body.account), text=sight_text(body))]


def _drift(event: e.Event, body: e.DriftDetected, book: Book) -> list[Row]:
    text = f"fills say {body.fills_size}, the broker {body.broker_size}; the broker's figure counts"
    about = _account(book, body.account)
    sizes = {"fills_size": body.fills_size, "broker_size": body.broker_size}
    return [happening(event.at, "drift", **about, contract=body.contract, **sizes, text=text)]


def _balance_drift(event: e.Event, body: e.BalanceDrifted, book: Book) -> list[Row]:
    return [happening(event.at, "drift", **_account(book, body.account), text=balance_drift_text(body))]


def _target(event: e.Event, body: e.TargetReached, book: Book) -> list[Row]:
    return [happening(event.at, "target", **_account(book, body.account), text=target_text(body))]


def _gap(event: e.Event, body: e.GapRecorded, book: Book) -> list[Row]:
    return [happening(event.at, "drift", **_account(book, body.account), contract=body.contract, text=body.text)]


def _left_out(event: e.Event, body: e.FactQuarantined | e.TimerQuarantined, book: Book) -> list[Row]:
    text = told_text(event)
    about = {} if body.account is None else _account(book, body.account)
    return [] if text is None else [happening(event.at, "drift", **about, text=text)]


_WORDS: dict[type, Callable[[e.Event, Any, Book], list[Row]]] = {
    e.RuleBreached: _breach,
    e.CommandIssued: _command,
    e.LockoutEnded: _lockout_ended,
    e.ObligationMet: _met,
    e.OrderDeclined: _declined,
    e.ConnectionChanged: _connection,
    e.SightChanged: _sight,
    e.DriftDetected: _drift,
    e.BalanceDrifted: _balance_drift,
    e.TargetReached: _target,
    e.GapRecorded: _gap,
    e.FactQuarantined: _left_out,
    e.TimerQuarantined: _left_out,
}
