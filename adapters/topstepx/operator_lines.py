"""What the operator says in a wire recording: payouts, resets and notes (INTERFACE.md 4, PROGRAMME.md 6)."""

from datetime import date

from adapters.topstepx import fields
from adapters.topstepx.fields import Object, Rejected
from riskcore.core.events import NoteRecorded, PayoutRecorded, ProgrammeReset
from riskcore.core.quantities import money

Word = PayoutRecorded | ProgrammeReset | NoteRecorded
WORDS: dict[str, type[Word]] = {"payout": PayoutRecorded, "reset": ProgrammeReset, "note": NoteRecorded}


def operator_word(line: Object) -> Word:
    """The fact of an operator line. Amounts are texts; `on` is a trade date. Raises Rejected."""
    kind = line.get("operator")
    account = fields.required(fields.identifier(line, "account"), "account")
    if kind == "payout":
        amount = fields.required(_amount(line, "amount"), "amount")
        if amount <= 0:
            raise Rejected("amount must be above zero")
        return PayoutRecorded(account, amount, _trade_date(line, "on"))
    if kind == "reset":
        reason = fields.required(fields.name_of(line, "reason"), "reason")
        return ProgrammeReset(account, reason, _amount(line, "balance"), _amount(line, "floor"))
    if kind == "note":
        return NoteRecorded(account, fields.required(fields.name_of(line, "text"), "text"))
    raise Rejected("operator must be one of " + ", ".join(WORDS))


def word_of(body: Word) -> str:
    """How the line of a fact begins."""
    return next(word for word, kind in WORDS.items() if isinstance(body, kind))


def _amount(line: Object, name: str) -> int | None:
    value = line.get(name)
    if not isinstance(value, str):
        return fields.money(line, name)
    try:
        return money(value)
    except ValueError as error:
        raise Rejected(f"{name}: {error}") from None


def _trade_date(line: Object, name: str) -> str | None:
    value = fields.name_of(line, name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Rejected(f"{name} is no date: {value[:20]}") from None
