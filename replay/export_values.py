"""Single values of the platform's CSV exports: numbers, instants, contract names. Source: INTERFACE.md 8."""

import re
from collections.abc import Iterable

from adapters.topstepx.fields import instant
from riskcore.core.products import PRODUCTS

MONTH_FIRST, DAY_FIRST = "month-first", "day-first"
_SLASHED = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}),? +([0-9]{1,2}):([0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?) *([AaPp][Mm])? *"
    r"([+-][0-9]{2}:?[0-9]{2}|[Zz])",
    re.ASCII,
)
_SLASHED_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/[0-9]{4}\b", re.ASCII)
_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(.*)", re.ASCII)
_GENERAL = re.compile(r"(.*[0-9]) *([+-][0-9]{2}):?([0-9]{2})", re.ASCII)
_CURRENCY = re.compile(r"US\$|USD|[$€£¥'\u2019\s]", re.IGNORECASE)
_GROUPED = {
    ".": re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", re.ASCII),
    ",": re.compile(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]*)?", re.ASCII),
}
_OTHER_MARK = {".": ",", ",": "."}
_NAME = re.compile(r"/?([A-Z0-9]+)([FGHJKMNQUVXZ])([0-9]{1,2})", re.ASCII)
_CODE_OF_ROOT = {root: code for code, root, *_ in PRODUCTS}


def _bare(text: str) -> str:
    """Digits, marks and signs alone."""
    return _CURRENCY.sub("", text.replace("\N{MINUS SIGN}", "-"))


def decimal_mark(texts: Iterable[str]) -> str:
    """Which mark the numbers of a file have before their decimals: a point unless they show that it is a comma.

    1,234 and 1.234 show nothing; 30180,5 and 1.234,50 show a comma, 0.5 and 1,234.50 a point. Raises ValueError
    when a file shows both.
    """
    shown: dict[str, str] = {}
    for text in texts:
        digits = _bare(text).strip("()+-")
        for mark, other in _OTHER_MARK.items():
            if mark not in digits or (_GROUPED[other].fullmatch(digits) and other not in digits):
                continue
            if other not in digits or digits.rindex(mark) > digits.rindex(other):
                shown.setdefault(mark, text)
    if len(shown) > 1:
        raise ValueError(
            f"decimals are written both with a point ({shown['.'][:40]!r}) and with a comma ({shown[','][:40]!r})"
        )
    return next(iter(shown), ".")


def number_text(text: str, mark: str = ".") -> str:
    """A number of the export as plain decimal text: $1,234.50 and "(25.00)" become 1234.50 and -25.00.

    `mark` stands before the decimals. Raises ValueError for the other mark where it groups no thousands: 1,5
    could be one and a half or a typing error.
    """
    plain = _bare(text)
    negative = plain.startswith("(") and plain.endswith(")")
    if negative:
        plain = plain[1:-1]
    sign = plain[:1] if plain[:1] in ("+", "-") else ""
    digits = plain[len(sign) :]
    if _GROUPED[mark].fullmatch(digits):
        digits = digits.replace(_OTHER_MARK[mark], "")
    if mark == ",":
        digits = digits.replace(".", "?").replace(",", ".")
    if not digits or not (digits[0].isdigit() or digits[0] == ".") or (negative and sign):
        raise ValueError(f"not a number: {text[:40]!r}")
    return ("-" if negative else sign) + ("0" if digits[0] == "." else "") + digits


def date_order(texts: Iterable[str]) -> tuple[str | None, str | None]:
    """Whether dates with slashes are month first or day first, and one that could be read both ways.

    The order is None where no date shows it: only a number above 12 is known to be a day. Raises ValueError when
    the dates show both.
    """
    shown: dict[str, str] = {}
    open_to_both = None
    for text in texts:
        match = _SLASHED_DATE.match(text)
        if match is None:
            continue
        first, second = int(match[1]), int(match[2])
        if first > 12:
            shown.setdefault(DAY_FIRST, text)
        if second > 12:
            shown.setdefault(MONTH_FIRST, text)
        if open_to_both is None and max(first, second) <= 12 and first != second:
            open_to_both = text
    if len(shown) > 1:
        raise ValueError(
            f"dates are written both month first ({shown[MONTH_FIRST][:40]!r}) and day first "
            f"({shown[DAY_FIRST][:40]!r}); write all of them one way"
        )
    return next(iter(shown), None), open_to_both


def export_instant(text: str, order: str = MONTH_FIRST) -> int:
    """An instant of the export in nanoseconds: with slashes in the order given, 21.07.2025 or year first.

    Any offset. Raises ValueError, also for a time without one.
    """
    match = _SLASHED.fullmatch(text)
    if match is not None:
        first, second, year, hour, rest, half, offset = match.groups()
        month, day = (second, first) if order == DAY_FIRST else (first, second)
        hours = int(hour)
        if half:
            if not 1 <= hours <= 12:
                raise ValueError(f"no such time: {text[:40]!r}")
            hours = hours % 12 + (12 if half.lower() == "pm" else 0)
        if offset not in "Zz" and ":" not in offset:
            offset = f"{offset[:3]}:{offset[3:]}"
        seconds = "" if ":" in rest else ":00"
        return instant(f"{year}-{int(month):02d}-{int(day):02d}T{hours:02d}:{rest}{seconds}{offset}")
    dotted = _DOTTED.fullmatch(text)
    if dotted is not None:
        text = f"{dotted[3]}-{int(dotted[2]):02d}-{int(dotted[1]):02d}{dotted[4]}"
    general = _GENERAL.fullmatch(text)
    return instant(f"{general[1].rstrip()}{general[2]}:{general[3]}" if general else text)


def contract_id(name: str, year: int) -> str:
    """The broker's contract id of an export's name: MNQU5, NQU5 and MNQU25 of a trade in 2025.

    A year of one digit is the first one with it that is not before the trade. An id of the broker stays as it is,
    the short F.US.MNQ too. Raises ValueError.
    """
    text = name.strip().upper()
    if text.startswith(("CON.", "F.US.")):
        return text
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f"no contract name with month and year such as MNQU5: {name[:40]!r}")
    root, month, digits = match.groups()
    expiry = int(digits) if len(digits) == 2 else (year + (int(digits) - year) % 10) % 100
    code = _CODE_OF_ROOT.get(root) or root  # An unknown root is its own code, and some exports write the code.
    return f"CON.F.US.{code}.{month}{expiry:02d}"
