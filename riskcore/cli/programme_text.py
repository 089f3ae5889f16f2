"""The firm's programme as a person reads it."""

from typing import Any

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
