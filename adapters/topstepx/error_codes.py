"""What an answer of the broker means: accepted, refused or unresolved, in a sentence a trader understands.

refused: the broker proved that it did nothing. unresolved: unknown, a snapshot decides. Source: API.md 2.5,
DESIGN.md "Requests to the broker". Choices: a code that the broker's documents do not list proves nothing, so it
is unresolved; "not found" of a cancel or a close means that there is nothing left to do, so it counts as done.
"""

from dataclasses import dataclass
from typing import Any, Literal

from adapters.topstepx import fields, wire
from adapters.topstepx.rest import is_login
from adapters.topstepx.wire import Envelope
from riskcore.engine.ports import Outcome

Kind = Literal["accepted", "refused", "unresolved"]

OK, TOO_MANY = 200, 429
_DID_NOTHING = {
    400: "it could not read the request",
    401: "the login is no longer valid",
    403: "this login may not do that",
}
_LONGEST_WORDS = 200
TAG_IN_USE = "custom tag already in use"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One error code of one endpoint."""

    name: str
    kind: Kind
    sentence: str


def _refused(name: str, sentence: str) -> Meaning:
    return Meaning(name, "refused", sentence)


def _unresolved(name: str, sentence: str) -> Meaning:
    return Meaning(name, "unresolved", sentence)


_NO_ACCOUNT = _refused("AccountNotFound", "the broker does not know this account, or the login may not trade it")
_NO_CONTRACT = _refused("ContractNotFound", "the broker does not know this contract")
_INACTIVE = _refused("ContractNotActive", "this contract month is not open for trading; only the active month is")
_PENDING = _unresolved("OrderPending", "the broker is still working on the order; it may or may not have happened")
_UNKNOWN = _unresolved("UnknownError", "the broker reports an unknown error; it may or may not have happened")
_NO_ORDER = _refused("OrderNotFound", "the broker no longer has this order")
_ORDER_BUSY = _unresolved("Pending", "the order is being changed at this moment; it may or may not have happened")
_REJECTED = _refused("OrderRejected", "the order was rejected")
_ACCOUNT_REJECTED = _refused(
    "AccountRejected", "this account may not do that through the API (live or follower account)"
)
_FLAT = Meaning("PositionNotFound", "accepted", "the position no longer exists: nothing is left to close")
_MARKET_SHUT = "the order was rejected; without a reason this means that the market is closed or has no price"

CODES: dict[str, dict[int, Meaning]] = {
    wire.OrderPlace.PATH: {
        1: _NO_ACCOUNT,
        2: _REJECTED,
        3: _refused("InsufficientFunds", "there is not enough money in the account"),
        4: _refused("AccountViolation", "the account has broken a rule of the firm and may not trade"),
        5: _refused("OutsideTradingHours", "the market is closed for orders at this time"),
        6: _PENDING,
        7: _UNKNOWN,
        8: _NO_CONTRACT,
        9: _INACTIVE,
        10: _ACCOUNT_REJECTED,
    },
    wire.OrderModify.PATH: {
        1: _NO_ACCOUNT,
        2: _NO_ORDER,
        3: _refused("Rejected", "the change was rejected"),
        4: _ORDER_BUSY,
        5: _UNKNOWN,
        6: _ACCOUNT_REJECTED,
        7: _NO_CONTRACT,
    },
    wire.OrderCancel.PATH: {
        1: _NO_ACCOUNT,
        2: Meaning("OrderNotFound", "accepted", "the order no longer exists: nothing is left to cancel"),
        3: _refused("Rejected", "the cancellation was rejected"),
        4: _ORDER_BUSY,
        5: _UNKNOWN,
        6: _ACCOUNT_REJECTED,
    },
    wire.CloseContract.PATH: {
        1: _NO_ACCOUNT,
        2: _FLAT,
        3: _NO_CONTRACT,
        4: _INACTIVE,
        5: _refused("OrderRejected", _MARKET_SHUT),
        6: _PENDING,
        7: _UNKNOWN,
        8: _ACCOUNT_REJECTED,
    },
    wire.PartialCloseContract.PATH: {
        1: _NO_ACCOUNT,
        2: _FLAT,
        3: _NO_CONTRACT,
        4: _INACTIVE,
        5: _refused("InvalidCloseSize", "the position is not that large"),
        6: _refused("OrderRejected", _MARKET_SHUT),
        7: _PENDING,
        8: _UNKNOWN,
        9: _ACCOUNT_REJECTED,
    },
    wire.RetrieveBars.PATH: {
        1: _NO_CONTRACT,
        2: _refused("UnitInvalid", "the broker has no bars of this unit"),
        3: _refused("UnitNumberInvalid", "the broker has no bars of this length"),
        4: _refused("LimitInvalid", "the broker returns at most 20000 bars at once"),
    },
    wire.ContractSearchById.PATH: {1: _NO_CONTRACT},
    wire.OrderSearch.PATH: {1: _NO_ACCOUNT},
    wire.OrderSearchOpen.PATH: {1: _NO_ACCOUNT},
    wire.OrderQuery.PATH: {1: _NO_ACCOUNT},
    wire.OrderSearchById.PATH: {1: _NO_ORDER},
    wire.PositionSearchOpen.PATH: {1: _NO_ACCOUNT},
    wire.TradeSearch.PATH: {1: _NO_ACCOUNT},
    wire.LoginKey.PATH: {
        1: _refused("UserNotFound", "the broker does not know this user name; it is the platform login, no e-mail"),
        2: _refused("PasswordVerificationFailed", "the API key is wrong"),
        3: _refused("InvalidCredentials", "user name or API key is wrong"),
        4: _refused("AppNotFound", "the broker does not know this kind of login"),
        5: _refused("AppVerificationFailed", "the broker does not accept this kind of login"),
        6: _refused("InvalidDevice", "the broker does not accept this device"),
        7: _refused("AgreementsNotSigned", "agreements are waiting to be signed: log in to the platform and sign them"),
        8: _UNKNOWN,
        9: _refused("ApiSubscriptionNotFound", "there is no API subscription: buy it and link it to this user"),
        10: _refused("ApiKeyAuthenticationDisabled", "logging in by API key is switched off for this user"),
    },
    wire.Validate.PATH: {
        1: _refused("InvalidSession", "the session is not valid"),
        2: _refused("SessionNotFound", "the broker does not know the session"),
        3: _refused("ExpiredToken", "the token has expired"),
        4: _UNKNOWN,
    },
    wire.Logout.PATH: {1: _refused("InvalidSession", "the session is not valid"), 2: _UNKNOWN},
}

# A repeated close or cancel does no harm, so a 429 to one is a plain refusal.
_HARMLESS = (wire.CloseContract.PATH, wire.OrderCancel.PATH)


def judge(path: str, status: int, response: Any) -> Outcome:
    """What an answer to `path` means; `response` is its decoded body, None when it was no JSON."""
    if status == OK:
        return _judge_envelope(path, response)
    said = "" if is_login(path) else _words(_problem(response))
    if status in _DID_NOTHING:
        return Outcome("refused", f"refused by the broker: {_DID_NOTHING[status]} (HTTP {status}){said}")
    if status == TOO_MANY:
        kind: Kind = "refused" if path in _HARMLESS else "unresolved"
        return Outcome(kind, "the broker accepts no further calls at the moment (HTTP 429)")
    return Outcome("unresolved", f"the broker's server answered HTTP {status}: whether it happened is unknown{said}")


def _judge_envelope(path: str, response: Any) -> Outcome:
    found = wire.envelope(response)
    if found is None:
        return Outcome("unresolved", "the answer was not the broker's: whether it happened is unknown")
    code = found.error_code
    if found.good:
        return Outcome("accepted", "", found.order_id)
    if found.success:
        return Outcome("unresolved", f"the broker reports success and error {code} at once", found.order_id)
    meaning = CODES.get(path, {}).get(code or 0)
    if meaning is None:
        shown = "no error code" if not code else f"error code {code}, which riskcore does not know"
        return Outcome(
            "unresolved", f"the broker reports a failure with {shown}{_message(path, found)}", found.order_id
        )
    if meaning.kind == "accepted":
        return Outcome("accepted", meaning.sentence, found.order_id)
    return Outcome(meaning.kind, f"{meaning.sentence} ({meaning.name}){_message(path, found)}", found.order_id)


def tag_in_use(response: Any) -> bool:
    """Whether an order was refused because its tag has been used already: an earlier attempt may have arrived."""
    found = wire.envelope(response)
    return found is not None and not found.success and TAG_IN_USE in (found.error_message or "").lower()


def _message(path: str, found: Envelope) -> str:
    """What the broker wrote; of a login nothing, because it may repeat what was sent."""
    return "" if is_login(path) else _words(found.error_message)


def _words(message: str | None) -> str:
    """The broker's own words at the end of a sentence, cut, and withheld when they may hold a secret."""
    text = " ".join((message or "").split())
    return f': "{fields.raw_text(text)[:_LONGEST_WORDS]}"' if text else ""


def _problem(response: Any) -> str | None:
    """What a ProblemDetails body says (API.md 1)."""
    if not isinstance(response, dict):
        return None
    said = response.get("detail") or response.get("title") or response.get("errorMessage")
    return said if isinstance(said, str) else None
