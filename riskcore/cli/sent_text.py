"""What was sent for a command, as a person reads it: each request with its answer, exit order, fills and slippage."""

from decimal import Decimal
from typing import Any

from riskcore.audit.happening_words import request_words, short

Row = dict[str, Any]
TOTALS = ("day_pnl", "equity")  # The figures that may be made of closed and open results.


def outcome_words(row: Row) -> str:
    """How a command came out; nothing for one that acts by being recorded."""
    if "outcome" not in row:
        return ""
    if row["outcome"] == "met":
        return f"met after {row['met_after_seconds']} s"
    return "superseded by a newer command" if row["outcome"] == "superseded" else "not met"


def request_lines(row: Row) -> list[str]:
    """The requests of a command, a line each, and below a close its exit orders with their fills."""
    lines = []
    for request in row["requests"]:
        lines.append(f"{request_words(request)}: {'; '.join([_outcome(request), *_times(request)])}")
        lines += [f"  {line}" for line in _exits(request)]
    return lines


def parts_words(parts: Row) -> str:
    """What a combined total is made of, in brackets; nothing for another figure."""
    if not parts:
        return ""
    closed = f"balance {parts['balance']}" if "balance" in parts else f"realised {parts['realized']}"
    return f" ({closed}, open {parts['unrealized']})"


def figures_words(row: Row) -> str:
    """The figures of a breach in one line, a combined total split."""
    parts = parts_words(row["parts"])
    return "  ".join(f"{name} {value}{parts if name in TOTALS else ''}" for name, value in row["figures"].items())


def after_words(seconds: str) -> str:
    """A latency as a person reads it; JSON has every digit."""
    value = Decimal(seconds)
    return f"{value * 1000:.1f} ms" if abs(value) < 1 else f"{value:.3f} s"


def _outcome(request: Row) -> str:
    reason = f" ({request['reason']})" if request["reason"] else ""
    return f"{request['outcome']}{reason if request['outcome'] == 'superseded' else ''}"


def _times(request: Row) -> list[str]:
    if request["sent_at"] is None:
        return [f"never sent, planned {short(request['planned_at'])}"]
    sent = f"sent {short(request['sent_at'])}, {after_words(request['sent_after_seconds'])} after the decision"
    if request["answered_at"] is None:
        return [sent, "no answer"]
    order = f" as order {request['broker_order']}" if request["broker_order"] is not None else ""
    after = after_words(request["answered_after_seconds"])
    failed = request["answer"] in ("refused", "unresolved") and request["reason"]
    return [
        sent,
        f"answer: {request['answer']}{order}, {after} later{' (' + request['reason'] + ')' if failed else ''}",
    ]


def _exits(request: Row) -> list[str]:
    """The exit orders of a close, their fills, and what those cost against the mark."""
    lines = [_fill(fill, request) for fill in request["fills"]]
    filled = [fill["order"] for fill in request["fills"]]
    lines += [f"exit order {order}: no fill" for order in request["exit_orders"] if order not in filled]
    if request["fills"] and request["exit_orders"]:
        lines.append(f"filled {after_words(request['filled_after_seconds'])} after it was sent; {_slippage(request)}")
    return lines


def _fill(fill: Row, request: Row) -> str:
    known = (*request["exit_orders"], request["broker_order"])
    order = f"exit order {fill['order']}" if fill["order"] in known else "an exit order that was not shown"
    return f"{order}: filled {fill['size']} at {fill['price']} (fill {fill['id']}, {short(fill['at'])})"


def _slippage(request: Row) -> str:
    ticks, mark = request["slippage_ticks"], request["mark"]
    if ticks is None:
        return "no slippage known: there was no mark at the decision"
    unit = "tick" if ticks in ("1", "-1") else "ticks"
    return f"slippage {ticks} {unit}, {request['slippage_usd']} dollars in all, against the mark {mark} at the decision"
