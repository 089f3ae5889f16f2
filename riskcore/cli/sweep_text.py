"""The result of a sweep as a person reads it."""

from typing import Any

from replay.sweep.words import chance_of, verdict_lines
from riskcore.cli.print_text import aligned, fitted
from riskcore.cli.whatif_text import signed

Row = dict[str, Any]
_TITLES = ("effect", "exact", "simulated", "helped", "hurt", "breaches", "worst day")


def sweep_text(result: Row) -> str:
    """One line a setting, in the order of the grid."""
    keys = [axis["key"] for axis in result["grid"]]
    days, settings = result["days"], result["settings"]
    lines = [
        f"{len(settings):,} {'setting' if len(settings) == 1 else 'settings'} over {days} "
        f"{'day' if days == 1 else 'days'}, each day from the record.",
        "",
    ]
    accounts = result["odds"]["accounts"] if "odds" in result else []
    chances = ["pass" if len(accounts) == 1 else f"pass {one['account']}" for one in accounts]
    table = [[*(key.rpartition(".")[2] for key in keys), *_TITLES, *chances]]
    for row in settings:
        worst = row["worst_day"]
        table.append(
            [
                *(row["setting"][key] for key in keys),
                *(signed(row["effect"][name]) for name in ("net_pnl", "exact", "simulated")),
                *(str(row["days"][name]) for name in ("helped", "hurt")),
                str(row["breaches"]),
                "" if worst is None else f"{signed(worst['net_pnl'])} {worst['trade_date']}",
                *(chance_of(row, one["account"]) for one in accounts),
            ]
        )
    titles, *rows = table
    lines += fitted(aligned(table), titles, [[f"{titles[0]} {first}", *others] for first, *others in rows])
    assumed = result["assumptions"]
    lines += [
        "",
        *verdict_lines(result, signed),
        "",
        f"Policy {assumed['policy']}, latency {assumed['latency_ms']} ms, slippage {assumed['slippage_ticks']} ticks. "
        "The size of an order moves no price here.",
    ]
    return "\n".join(lines)
