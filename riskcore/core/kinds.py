"""The words of events and state: every kind, state, hub and side, each spelled once.

The words are stored as they stand here, so a word never changes and never goes; a new one may come. The type checker
knows them all, and a misspelled comparison or field does not pass it.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeGuard, TypeVar, get_args

if TYPE_CHECKING:
    Words = TypeVar("Words")
    Word = Annotated[Words, "text at run time"]
else:

    class Word:
        """The type of a stored field: of `Word[Hub]` the type checker sees the words, a reader of bytes sees text.

        The hash chain says whether stored bytes are intact. A journal stays readable when a word is added later.
        """

        def __class_getitem__(cls, words: Any) -> type[str]:
            return str


# Who a fact comes from; the core derives everything else.
Source = Literal["broker", "market", "clock", "operator", "gateway", "core"]
SOURCES: tuple[Source, ...] = get_args(Source)

Hub = Literal["user", "market"]
HUBS: tuple[Hub, ...] = get_args(Hub)
USER_HUB: Hub = "user"
MARKET_HUB: Hub = "market"

ConnectionState = Literal["connected", "lost", "stale"]
CONNECTION_STATES: tuple[ConnectionState, ...] = get_args(ConnectionState)
CONNECTED: ConnectionState = "connected"
LOST: ConnectionState = "lost"
STALE: ConnectionState = "stale"

# Commands, in the order in which those of one event are recorded: lock first, then cancel, then close (RULES.md 3.4).
LockoutCommand = Literal["ClearLockout", "SetLockout"]
RuleObligation = Literal[
    "CancelOrders",
    "CancelOrder",
    "CloseAllPositions",
    "ClosePosition",
    "ReducePosition",
    "PlaceStop",
    "ModifyStop",
    "ModifyTarget",
]
FollowUp = Literal["ConfirmRights", "ConfirmFlat", "FitOrder"]
# What holds until the broker's events show it met.
ObligationKind = Literal[RuleObligation, FollowUp]
CommandKind = Literal[LockoutCommand, ObligationKind, "Alert"]
OBLIGATION_KINDS: tuple[ObligationKind, ...] = get_args(ObligationKind)
COMMAND_KINDS: tuple[CommandKind, ...] = get_args(CommandKind)
# The commands INTERFACE.md 5 names: what was decided, without what carries it out.
DECISIONS: tuple[CommandKind, ...] = get_args(Literal[LockoutCommand, RuleObligation, "Alert"])
CLOSES: tuple[ObligationKind, ...] = ("CloseAllPositions", "ClosePosition")
CUTS: tuple[ObligationKind, ...] = (*CLOSES, "ReducePosition")
CANCELS: tuple[ObligationKind, ...] = ("CancelOrders", "CancelOrder")
STOPS: tuple[ObligationKind, ...] = ("PlaceStop", "ModifyStop")
MOVES: tuple[ObligationKind, ...] = ("ModifyStop", "ModifyTarget")
AlertLevel = Literal["info", "warning", "critical"]


def is_obligation(kind: CommandKind) -> TypeGuard[ObligationKind]:
    """Whether a command puts an obligation in force; the others act by being recorded."""
    return kind in OBLIGATION_KINDS


LockoutKind = Literal[
    "until_reset",
    "cooldown",
    "until_time",
    "until_session",
    "until_period",
    "symbol_permanent",
    "condition",
    "terminal",
]
LockoutEnd = Literal["expiry", "reset", "restored", "override", "config", "operator"]

# One call to the broker each (topstepx/API.md 2).
RequestKind = Literal[
    "takeSnapshot",
    "cancelOrder",
    "closeContract",
    "partialCloseContract",
    "placeStop",
    "modifyStop",
    "placeOrder",
    "modifyOrder",
]
CLOSING: tuple[RequestKind, ...] = ("closeContract", "partialCloseContract")
RequestState = Literal["planned", "attempted", "accepted", "unresolved"]
# What the trader may ask for (RULES.md 7).
OrderAction = Literal["place", "modify", "cancel", "close"]

TimerKind = Literal["lockout", "drift", "planner", "rule", "fault"]
