"""The firm's programme as a person reads it."""

from typing import Any

from riskcore.audit.happening_words import short
from riskcore.audit.programme_status import CREATED_UNKNOWN
from riskcore.cli.screen.words import counted, dollars, duration
from riskcore.core.products import MICRO_UNITS_OF_A_MINI
from riskcore.core.programme.payout import BLOCKER_WORDS
from riskcore.core.programme.terms import READINGS

Row = dict[str, Any]


def show_text(result: Row) -> str:
    """The version, then for each programme of the profile its readings and figures."""
    lines = [f"Topstep programme, version {result['version']} ({result['age_days']} days old)"]
    if not result["programmes"]:
        lines += ["", "No account is in the programme: write [programme] in the settings, e.g."]
        lines.append("  riskcore config init --preset combine-50k")
    for one in result["programmes"]:
        lines += ["", *_programme_lines(one)]
    lines += ["", "Release days of the consumer price index (bls.gov): " + ", ".join(result["cpi_releases"])]
    return "\n".join(lines)


def _programme_lines(one: Row) -> list[str]:
    who = "Every account without its own" if one["account"] is None else f"Account {one['account']}"
    lines = [f"{who}: {one['stage']}, product {one['product']}, size {one['size']}"]
    lines.append(f"  enforced: {', '.join(one['enforce']) or 'nothing'}; the other parts only record")
    lines.append("  readings chosen:")
    for name, reading in one["readings"].items():
        default = " (default)" if reading == READINGS[name][0] else ""
        lines.append(f"    {name} = {reading}{default}")
    lines.append("  figures:")
    key, value = (max(len(row[name]) for row in one["figures"]) for name in ("key", "value"))
    for row in one["figures"]:
        lines.append(f"    {row['key'].ljust(key)}  {row['value'].rjust(min(value, 10))} {row['unit']}  {_told(row)}")
    return lines


def _told(row: Row) -> str:
    source = [str(row[name]) for name in ("article", "page") if name in row]
    told = [f"[{', '.join(source)}]"] if source else []
    told += [f"{name} {row[name]}" for name in ("from", "until") if name in row]
    told += [f"reading {row['reading']}"] if "reading" in row else []
    told += [row["note"]] if "note" in row else []
    return "; ".join(told)


def diff_text(result: Row) -> str:
    """What changed between two dates, and which pages changed without saying what."""
    lines = [f"Between {result['from']} and {result['to']} (figures of version {result['version']}):"]
    for change in result["changes"]:
        old, new = (_value(change[side]) for side in ("old", "new"))
        lines.append(f"  {change['key']}: {old} -> {new}")
    if not result["changes"]:
        lines.append("  no figure is known to have changed")
    if result["pages"]:
        pages = ", ".join(f"{row['article'] or 'Terms'} ({row['page']})" for row in result["pages"])
        lines.append(f"Pages dated in between; what changed on them is not known: {pages}")
    return "\n".join(lines)


def _value(row: Row | None) -> str:
    return "none" if row is None else f"{row['value']} {row['unit']} {_told(row)}".rstrip()


# ---- status ------------------------------------------------------------------------------------------


def status_text(result: Row) -> str:
    """Each account of the programme in words."""
    if not result["accounts"]:
        return f"profile {result['profile']}: no account is in the programme on {result['trade_date'] or 'any day'}"
    lines = [f"profile {result['profile']}, trading day {result['trade_date']}"]
    for row in result["accounts"]:
        lines += ["", *_account_lines(row)]
    return "\n".join(lines)


def _account_lines(row: Row) -> list[str]:
    known = row["programme"]
    name = f"  {row['name']}" if row["name"] else ""
    lines = [
        f"Account {row['id']}{name}: {known['stage']}, product {known['product']}, size {known['size']}"
        f" (figures of {known['version']})",
        f"  enforced   {', '.join(row['enforce']) or 'nothing'}",
    ]
    lines += [_money_line(row), *_floor_lines(row), *_target_lines(row), *_size_lines(known)]
    lines += [*_payout_lines(row), *_time_lines(row["flat_by"])]
    lines += [f"  conduct    {name.replace('_', ' ')}: {value}" for name, value in known["conduct"].items()]
    return lines


def _money_line(row: Row) -> str:
    known = row["programme"]
    limit = "none" if row["daily_loss_limit"] is None else dollars(row["daily_loss_limit"])
    opened = "unknown" if known["opening_balance"] is None else dollars(known["opening_balance"])
    balance = "unknown" if known["balance"] is None else dollars(known["balance"])
    text = f"  balance    {balance}, opened the day with {opened}; today {dollars(row['day_net'])} net"
    return f"{text}, daily loss limit {limit}"


def _floor_lines(row: Row) -> list[str]:
    known = row["programme"]
    if known["floor"] is None:
        return ["  floor      unknown: no balance was reported, or the firm names none; floor_override gives one"]
    text = f"  floor      {dollars(known['floor'])} ({known['floor_source'] or 'unknown source'})"
    if row["room"] is not None:
        uncertain = f" ({', '.join(row['mark_flags'])})" if row["mark_flags"] else ""
        text += f", room {dollars(row['room'])}{uncertain} of equity {dollars(row['equity'])}"
    if row["floor_reached_at"] is not None:
        ended = f"reached {short(row['floor_reached_at'])}: the firm ends the account there"
        return [text, f"  ended      the floor was {ended}; riskcore programme reset lifts the lockout"]
    if known["buffer"] is not None:
        text += f"; entries stop at a room of {dollars(known['buffer'])}, at half of it everything is closed"
    return [text]


def _target_lines(row: Row) -> list[str]:
    known = row["programme"]
    if known["target"] is None:
        return []
    if known["passed"] is not None:
        return [f"  target     passed on {known['passed']}"]
    profit = "unknown" if known["profit"] is None else dollars(known["profit"])
    best = "none yet" if known["best_day"] is None else dollars(known["best_day"])
    lines = [f"  target     {dollars(known['effective_target'])} (bought: {dollars(known['target'])}), profit {profit}"]
    allowed = "" if row["allowed_best_day"] is None else f", one day may make {dollars(row['allowed_best_day'])}"
    lines.append(f"  best day   {best}{allowed}; {_one_more_dollar(row['one_more_dollar'])}")
    if CREATED_UNKNOWN in row["notices"]:
        lines.append("             created is not set: that is the share of an account bought now")
    return lines


def _one_more_dollar(cost: str) -> str:
    if cost == "0":
        return "one more dollar today costs nothing of the target"
    return f"one more dollar today raises the target by {dollars(cost)}"


def _size_lines(known: Row) -> list[str]:
    now, then = (_lots(known[name]) for name in ("size_cap_units", "next_size_cap_units"))
    lines = [f"  size       {now} now, {then} in the next session if the day closed now"]
    if known["product_caps"]:
        caps = ", ".join(f"{root} {count}" for root, count in known["product_caps"].items())
        lines.append(f"  products   {caps} contracts at most")
    return lines


def _lots(units: int | None) -> str:
    if units is None:
        return "no known cap"
    minis, rest = divmod(units, MICRO_UNITS_OF_A_MINI)
    return f"{units} micros or {minis} minis" if rest == 0 or minis else f"{units} micros"


def _payout_lines(row: Row) -> list[str]:
    payout = row["programme"]["payout"]
    if payout is None:
        return []
    days = f"{counted(payout['winning_days'], 'winning day')}, {counted(payout['traded_days'], 'day')} with a trade"
    since = f"since {payout['window_from']}{'' if payout['window_known'] else ', where our records begin'}"
    if payout["eligible"]:
        return [f"  payout     up to {dollars(payout['max'])} may be asked for now; {days} {since}"]
    why = ", ".join(BLOCKER_WORDS[code] for code in payout["blockers"])
    lines = [f"  payout     not yet: {why}; {days} {since}"]
    if row["next_payout_day"] is not None:
        lines.append(f"             at the earliest on {row['next_payout_day']}, up to {dollars(payout['max'])} by now")
    return lines


def _time_lines(times: Row | None) -> list[str]:
    if times is None:
        return ["  time       no session today"]
    steps = (("last_entry", "last entry"), ("flatten", "flatten"), ("hard", "hard"), ("deadline", "flat by"))
    told = []
    for name, word in steps:
        left = times[name]["seconds_left"]
        told.append(f"{word} {f'in {duration(left)}' if left else 'over'}")
    return [f"  time       {', '.join(told)}"]
