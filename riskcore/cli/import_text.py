"""The result of an import as a person reads it."""

from typing import Any

Row = dict[str, Any]


def result_text(result: Row) -> str:
    """Days and accounts with their sums, then every closing fill whose P&L the prices do not give."""
    if not result["days"]:
        return "No fills and no orders in these files; nothing was written."
    lines = [
        f"{'day':<10} {'account':>11} {'fills':>5} {'trips':>5} {'from prices':>12} {'broker':>12} {'fees':>9}"
        f" {'comm.':>8} {'net':>12}  {'recording':<16} lacks"
    ]
    notes: list[str] = []
    for day in result["days"]:
        about = f"  {day['recording']:<16} {', '.join(day['lacks'])}"
        for account in day["accounts"]:
            lines.append(_sums(day["trade_date"], account) + about)
            notes += _notes(day["trade_date"], account)
        if not day["accounts"]:
            lines.append(f"{day['trade_date']:<10} {'no fills':>11} {'':>67}{about}")
    closing = sum(account["closing_fills"] for day in result["days"] for account in day["accounts"])
    lines += ["", *notes]
    differing = result["differences"]
    lines.append(
        f"{differing} of {closing} closing fills differ from the P&L of their prices."
        if differing
        else f"The prices give the broker's P&L of all {closing} closing fills that could be recomputed."
    )
    return "\n".join(lines)


def _sums(trade_date: str, row: Row) -> str:
    return (
        f"{trade_date:<10} {row['id']:>11} {row['fills']:>5} {row['round_trips']:>5} {row['recomputed_pnl']:>12}"
        f" {row['gross_pnl']:>12} {row['fees']:>9} {row['commissions']:>8} {row['net_pnl']:>12}"
    )


def _notes(trade_date: str, row: Row) -> list[str]:
    lines = [
        f"{trade_date}  fill {one['trade']} of {one['contract']}: broker {one['recorded']}, prices {one['recomputed']}"
        for one in row["differences"]
    ]
    lines += [
        f"{trade_date}  fill {one['trade']} of {one['contract']}: not recomputed: {one['reason']}"
        for one in row["not_recomputed"]
    ]
    if row["commissions_unknown"]:
        lines.append(
            f"{trade_date}  account {row['id']}: commissions of {row['commissions_unknown']} fills are not in the files"
        )
    return lines
