"""One line of a wire recording, or one live message, as facts. Source: INTERFACE.md 4, topstepx/API.md.

Each fact gets the natural key that names it in every output. What cannot be understood becomes WireRejected
with its raw text and changes nothing; a bad row in a list rejects that row only.
"""

from dataclasses import replace

from adapters.topstepx import fields
from adapters.topstepx.fields import Object, Rejected
from adapters.topstepx.hub import Reading, hub_reading
from adapters.topstepx.operator_lines import operator_word, word_of
from adapters.topstepx.rest import Summary, call, is_login, path_of, rest_reading
from riskcore.core.events import (
    AccountObserved,
    BarObserved,
    Body,
    CallObserved,
    ClockTicked,
    ConnectionChanged,
    ContractDescribed,
    DepthObserved,
    Event,
    MarketTraded,
    NoteRecorded,
    OrderObserved,
    OrdersListed,
    PayoutRecorded,
    PositionObserved,
    PositionsListed,
    ProgrammeReset,
    QuoteObserved,
    TradeRecorded,
    TradesListed,
    TradeVoided,
    WireRejected,
)
from riskcore.core.kinds import CONNECTION_STATES, HUBS
from riskcore.core.raw_text import WITHHELD, unreadable
from riskcore.schema.fact_lines import KIND, read_fact

KINDS = ("hub", "rest", "connection", "clock", "operator", KIND)
OWN_KINDS = frozenset(("clock", "operator", KIND))  # Lines that no broker sent.
_OK = 200


def normalise(line: Object, at: int) -> list[Event]:
    """The facts of one decoded line (fields.decode) received at `at`, in the order they are to be handled.

    Each fact has `at`, except a bar that has not ended yet: it has the instant at which it is known
    (RULES.md 1.5), and whoever reads ahead holds it until then. Never raises: a mistake of riskcore costs this line.
    """
    try:
        return _facts(line, at)
    except Exception as error:
        return [_event(WireRejected(unreadable(error), _raw_line(line)), at, market=False)]


def _facts(line: Object, at: int) -> list[Event]:
    try:
        if "hub" in line:
            bodies = _read_rows(hub_reading(line["hub"], line.get("target"), line.get("arguments")))
        elif "rest" in line:
            bodies = _rest(line, at)
        elif "connection" in line:
            bodies = _connection(line)
        elif "operator" in line:
            bodies = [operator_word(line)]
        elif line.get("clock") is True:
            bodies = [ClockTicked()]
        elif KIND in line:
            return [_fact(line, at)]
        else:
            raise Rejected("no known kind of line")
    except Rejected as error:
        bodies = [WireRejected(str(error), _raw_line(line))]
    market = line.get("hub") == "market"
    return [_event(body, at, market) for body in bodies]


def rejected(reason: str, raw: str, at: int) -> Event:
    """A line that is no message at all, for the record."""
    return _event(WireRejected(reason, fields.raw_text(raw)), at, market=False)


def _raw_line(line: Object) -> str:
    rest = line.get("rest")
    return WITHHELD if isinstance(rest, str) and is_login(rest) else fields.raw_text(line)


def _read_rows(reading: Reading) -> list[Body]:
    listed, read = reading
    bodies: list[Body] = []
    for row in listed:
        try:
            bodies.append(read(row))
        except Rejected as error:
            bodies.append(WireRejected(str(error), fields.raw_text(row)))
    return bodies


def _rest(line: Object, at: int) -> list[Body]:
    path = path_of(line["rest"])
    request, status, response = line.get("request"), line.get("status"), line.get("response")
    if type(status) is not int or not 0 <= status <= 999:
        raise Rejected("status is not an HTTP status")
    observed = call(path, request, status, response)
    answer = rest_reading(path, request, response) if status == _OK else None
    if answer is None:
        return [observed]
    asked_at = fields.instant_of(line, "asked_at")
    bodies = _together(*answer) or [observed]
    return bodies if asked_at is None else [_asked(body, min(asked_at, at)) for body in bodies]


def _asked(body: Body, asked_at: int) -> Body:
    """What the broker answered was true when it was asked; what was pushed since is newer."""
    if isinstance(body, AccountObserved | OrdersListed | PositionsListed | TradesListed):
        return replace(body, asked_at=asked_at)
    return body


def _together(reading: Reading, summary: Summary) -> list[Body]:
    """All rows and what they say together; a list with an unreadable row says nothing as a whole."""
    bodies = _read_rows(reading)
    return bodies if any(isinstance(body, WireRejected) for body in bodies) else summary(bodies)


def _connection(line: Object) -> list[Body]:
    hub, state = line["connection"], line.get("state")
    if hub not in HUBS or state not in CONNECTION_STATES:
        raise Rejected("connection must be user or market, state one of " + ", ".join(CONNECTION_STATES))
    return [ConnectionChanged(hub, state)]


def _fact(line: Object, at: int) -> Event:
    """What no broker said, as our own recordings have it. Raises Rejected."""
    try:
        return read_fact(line, fields.encode(line.get("data")).encode(), at)
    except ValueError as error:
        raise Rejected(str(error)) from None


def _event(body: Body, at: int, market: bool) -> Event:
    """The envelope of a fact."""
    match body:
        case QuoteObserved():
            return Event(at, "market", f"quote:{body.contract}@{at}", body)
        case MarketTraded():
            return Event(at, "market", f"print:{body.contract}@{at}", body)
        case DepthObserved():
            return Event(at, "market", f"depth:{body.contract}@{at}", body)
        case BarObserved():
            known_at = max(at, body.opens_at + body.unit_ns)
            return Event(known_at, "market", f"bar:{body.contract}:{body.unit_ns}:{body.opens_at}", body)
        case ClockTicked():
            return Event(at, "clock", f"clock@{at}", body)
        case PayoutRecorded() | ProgrammeReset() | NoteRecorded():
            return Event(at, "operator", f"{word_of(body)}:{body.account}@{at}", body)
        case _:
            return Event(at, "market" if market else "broker", _broker_key(body, at), body)


def _broker_key(body: Body, at: int) -> str:
    match body:
        case AccountObserved():
            return f"account:{body.account}@{at}"
        case ContractDescribed():
            return f"contract:{body.contract.id}"
        case OrderObserved():
            return f"order:{body.order_id}@{at}"
        case PositionObserved():
            return f"position:{body.account}:{body.contract}@{at}"
        case TradeRecorded() | TradeVoided():
            return f"trade:{body.trade_id}"
        case PositionsListed():
            return f"positions:{body.account}@{at}"
        case OrdersListed():
            return f"orders:{body.account}@{at}"
        case TradesListed():
            return f"trades:{body.account}@{at}"
        case ConnectionChanged():
            return f"connection:{body.hub}@{at}"
        case CallObserved():
            return f"call:{body.path}@{at}"
        case WireRejected():
            return f"rejected@{at}"
        case _:
            raise AssertionError(f"no fact of the wire: {type(body).__name__}")
