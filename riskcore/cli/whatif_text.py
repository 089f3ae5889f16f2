"""The result of a what-if as a person reads it."""

from collections.abc import Sequence
from typing import Any

from riskcore.cli.print_text import fitted

Row = dict[str, Any]
_WIDTHS = (("trade_date", -10), ("account", 10), ("baseline", 11), ("counterfactual", 14), ("net_pnl", 11))


def whatif_text(result: Row) -> str:
    """The verdict, then day by day, then what it rests on."""
    effect = result["effect"]
    lines = [_verdict(result), _parts(effect)]
    lines += _range(result["range"])
    lines += _open(effect["open_pnl"])
    lines += ["", *_by_day(effect["by_day"])]
    lines += _divergences(result["divergence"])
    lines += _rules(effect["by_rule"])
    lines += ["", _assumptions(result["assumptions"])]
    lines += _further_runs(result["stamp"]["further_runs"])
    return "\n".join(lines)


def _further_runs(row: Row) -> list[str]:
    if not row["runs"]:
        return []
    runs = "1 further run" if row["runs"] == 1 else f"{row['runs']} further runs"
    return [
        f"Range and shares took {runs} over these days; {row['skipped']} of {row['days']} days in them could not "
        "change and were skipped."
    ]


def compared_text(result: Row) -> str:
    """Both counterfactuals, and what the second is better by."""
    lines: list[str] = []
    for one in result["compare"]:
        lines += [f"== {one['settings']}", whatif_text(one), ""]
    first, second = (one["settings"] for one in result["compare"])
    lines.append(f"{second} less {first}: {signed(result['difference']['net_pnl'])}")
    return "\n".join(lines)


def signed(amount: str) -> str:
    """An amount with its sign, as text shows it."""
    return amount if amount.startswith("-") or amount == "0" else f"+{amount}"


def _verdict(result: Row) -> str:
    effect, days = result["effect"], result["effect"]["days"]
    count = len(effect["by_day"])
    changed = days["helped"] + days["hurt"]
    if not changed and not result["divergence"]:
        return f"Over {count} {_days(count)} nothing would have changed: effect {signed(effect['net_pnl'])}."
    better = f"{days['helped']} better {signed(_sum(effect, True))}"
    worse = f"{days['hurt']} worse {signed(_sum(effect, False))}"
    return (
        f"Over {count} {_days(count)} these rules would have changed {changed}: {better}, {worse}; "
        f"net {signed(effect['net_pnl'])}."
    )


def _days(count: int) -> str:
    return "day" if count == 1 else "days"


def _sum(effect: Row, better: bool) -> str:
    from riskcore.core.quantities import money, money_text

    amounts = [money(row["net_pnl"]) for row in effect["by_day"]]
    return money_text(sum(one for one in amounts if (one > 0) == better and one))


def _parts(effect: Row) -> str:
    return f"Exact, given the policy: {signed(effect['exact'])}. Simulated: {signed(effect['simulated'])}."


def _range(found: Row | None) -> list[str]:
    if found is None:
        return []
    return [f"Range {signed(found['cruellest'])} to {signed(found['kindest'])} over policies, latency and prices."]


def _open(open_pnl: Row) -> list[str]:
    if open_pnl["baseline"] == open_pnl["counterfactual"]:
        return []
    return [
        f"Still open at the end: {signed(open_pnl['baseline'])} as recorded, "
        f"{signed(open_pnl['counterfactual'])} under these rules."
    ]


def _by_day(rows: list[Row]) -> list[str]:
    titles = ("day", "account", "recorded", "under these", "effect", "")
    cells = [[str(row[name]) for name, _ in _WIDTHS[:-1]] + [signed(row["net_pnl"]), _notes(row)] for row in rows]
    return fitted([_aligned(titles), *map(_aligned, cells)], titles, cells)


def _aligned(cells: Sequence[str]) -> str:
    shown = [
        f"{cell:{'<' if width < 0 else '>'}{abs(width)}}" for cell, (_, width) in zip(cells, _WIDTHS, strict=False)
    ]
    return "  ".join([*shown, *cells[len(_WIDTHS) :]]).rstrip()


def _notes(row: Row) -> str:
    notes = list(row["flags"])
    if row["left_out_entries"]:
        entries = "entry" if row["left_out_entries"] == 1 else "entries"
        cost = "" if row["guard_cost"] is None else f", made and closed they cost {row['guard_cost']}"
        notes.insert(0, f"{row['left_out_entries']} {entries} left out{cost}")
    return "; ".join(notes)


def _divergences(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    lines = ["", "Where the courses part"]
    for row in rows:
        action = row["counterfactual_action"] or row["baseline_action"]
        what = "other open positions at the opening"
        if action is not None:
            only = "" if row["counterfactual_action"] is not None else " (only as recorded)"
            what = f"{action['kind']} by {action['rule']}{only}"
        lines.append(f"  {row['at']}  {row['account']}  {what}")
    return lines


def _rules(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    lines = ["Rule          share        without it   alone        helped  hurt"]
    titles, cells = ("rule", "share", "without it", "alone", "helped", "hurt", ""), []
    for row in rows:
        error = f"±{row['standard_error']}" if row["standard_error"] else ""
        amounts = [signed(row[name]) for name in ("net_pnl", "leave_one_out", "alone")]
        days = [str(row["days_helped"]), str(row["days_hurt"])]
        cells.append([row["rule"], *amounts, *days, error])
        counts = f"{days[0]:>6}  {days[1]:>4}{f' {error}' if error else ''}"
        lines.append("  ".join([f"{row['rule']:<12}", *(f"{amount:<11}" for amount in amounts), counts]))
    return ["", *fitted(lines, titles, cells)]


def _assumptions(row: Row) -> str:
    days = "each day from the record" if row["independent_days"] else "days carried on"
    return (
        f"Policy {row['policy']}, latency {row['latency_ms']} ms, slippage {row['slippage_ticks']} ticks, {days}. "
        "The size of an order moves no price here."
    )
