"""How the natural keys of the operator's words begin."""

from riskcore.core.events import (
    Fact,
    FlattenRequested,
    LockRequested,
    NoteRecorded,
    OperatorOverride,
    OrderRequested,
    PayoutRecorded,
    ProgrammeReset,
)

_ABOUT: dict[type, str] = {
    OrderRequested: "order",
    LockRequested: "lock",
    FlattenRequested: "flatten",
    OperatorOverride: "override",
    PayoutRecorded: "payout",
    ProgrammeReset: "reset",
    NoteRecorded: "note",
}


def about(word: Fact) -> str:
    """What a word of the operator is about."""
    return _ABOUT[type(word)]
