"""What every alert says beside its facts: what is still allowed, until when, and what to do. All of it stands here.

A rule says what happened, with the number at its limit; those words are part of what is stored and stay as they are.
Each rule names its advice (`Rule.advice`); the rest follows from what is in force (riskcore/audit/alert_words.py).
"""

from dataclasses import dataclass

from riskcore.core.issuers import GUARD_ID, OPERATOR_ID, PLANNER_ID


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do while a limit is near, and once it is reached. Whole sentences, for the trader."""

    near: str
    reached: str


ANY_LIMIT = Advice(
    "Trade smaller, or stop until there is more room.",
    "Wait until the limit is out of force; look at riskcore status for what is left of it.",
)
SIZE = Advice(
    "Open no more contracts before you have closed some.",
    "Leave the smaller position as it is; check the size in your order ticket before the next entry.",
)
DAY_LOSS = Advice(
    "Trade smaller, or stop trading; check that every open position has a stop.",
    "Stop trading: what is open is closed for you. Do not reopen it in another program.",
)
OPEN_LOSS = Advice(
    "Reduce the position or move its stop closer before it is closed for you.",
    "Let the close finish; wait for a new reason before you enter again.",
)
OPEN_PROFIT = Advice(
    "Decide whether to take the profit yourself, or let it be taken.",
    "Let the close finish: the profit is being taken.",
)
DAY_PROFIT = Advice(
    "Think of stopping: close to the target a loss costs more than another win gains.",
    "Stop for today, the profit is made; an open winner may run under its stop where nothing closes it.",
)
PACE = Advice(
    "Slow down: wait for your next real setup.",
    "Wait for the end of the pause; manage what is open and enter nothing.",
)
LOSING = Advice(
    "Take a break before the next trade; do not trade larger to win it back.",
    "Step away until the pause ends; do not trade larger to win it back.",
)
STOP = Advice(
    "Place a stop for the whole position now.",
    "Enter with a stop or a bracket next time, so that no position is ever without one.",
)
HOURS = Advice(
    "Close what you hold, and cancel entry orders that may still fill.",
    "Enter nothing before the allowed hours begin again.",
)
RIGHTS = Advice(
    "Look at your account on the platform.",
    "Ask the firm why the account may not trade; nothing here can give the rights back.",
)
PRODUCTS = Advice(
    "Trade another product.",
    "Trade another product, or take this one off the blocked list for the next day.",
)
MANAGEMENT = Advice(
    "Check the stop of the position on the platform.",
    "Check the stop of the position on the platform.",
)
SIGHT = Advice(
    "Check your connection, and watch your positions on the platform until it is back.",
    "Watch your positions on the platform until the connection is back.",
)
MARKS = Advice(
    "Check the price on the platform: open results are not known exactly until a new quote comes.",
    "Check the price on the platform: open results are not known exactly until a new quote comes.",
)
COSTS = Advice(
    "Compare the fees of the last trades with your statement.",
    "Compare the fees of the last trades with your statement.",
)
FIRM_LOSS = Advice(
    "Close or reduce now: the firm closes the account at its Maximum Loss Limit.",
    "Do not open anything; look at riskcore status for the room to the Maximum Loss Limit.",
)
OPPOSITE = Advice(
    "Hold each product in one direction, in all your accounts.",
    "Hold each product in one direction, in all your accounts; look for a copier that trades the other way.",
)
NEWS = Advice(
    "Open nothing before the release is over; what you hold may stay.",
    "Open nothing before the release is over; what you hold may stay.",
)
TARGET = Advice(
    "Look at the platform before you trade on: what one day may make is part of the target.",
    "Look at the platform before you trade on: what one day may make is part of the target.",
)
CONDUCT = Advice(
    "Compare what you did with the firm's rules of conduct.",
    "Compare what you did with the firm's rules of conduct.",
)
PAYOUT = Advice(
    "Look at the payout page of the platform: what it offers and has paid is what counts.",
    "Look at the payout page of the platform: what it offers and has paid is what counts.",
)
BALANCES = Advice(
    "Compare the balance and the floor with your dashboard.",
    "Compare the balance and the floor with your dashboard.",
)
# Of those who issue alerts and are no rules, by their ids (core/issuers.py).
OF_ISSUERS = {
    GUARD_ID: Advice(
        "Enter nothing while the lockout lasts.",
        "Enter nothing while the lockout lasts, and switch off any bot or copier that does.",
    ),
    PLANNER_ID: Advice(
        "Look at the position on the platform, and close it there if it is still open.",
        "Look at the position on the platform, and close it there if it is still open.",
    ),
    OPERATOR_ID: Advice("Nothing: you asked for it.", "Nothing: you asked for it."),
}

CLOSING = "riskcore is closing what must be closed; your stops keep working until it is flat."
REDUCING = "Closing and reducing stay possible, your stops keep working."


def allowed_words(locked: tuple[str, ...], closing: bool, shadow: bool = False) -> str:
    """What the account may still do. `locked` are the products that are locked, or "account" for all of it."""
    if shadow:
        return "Everything: the rule runs in shadow and only records."
    if locked:
        where = "" if "account" in locked else f" in {', '.join(locked)}"
        nothing = f"Nothing may be opened or added{where}."
        return f"{nothing} {CLOSING}" if closing else f"{nothing} {REDUCING}"
    return f"New trades are allowed. {CLOSING}" if closing else f"New trades are allowed within your limits. {REDUCING}"
