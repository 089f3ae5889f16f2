"""Exact quantities: prices, money and sizes are integers with a named scale.

A price is an integer of 1e-9 points, money is an integer of 1e-6 US dollars, a size is an integer number
of contracts, an instant is an integer of nanoseconds since 1970-01-01T00:00:00Z. Nothing here is a float,
and no decimal context is involved: text goes in, integers come out, and the other way round.
Source: DESIGN.md "Money and time", RULES.md 1.2.
"""

import re

PRICE_PLACES = 9
MONEY_PLACES = 6
FRACTION_PLACES = 6
PRICE_SCALE: int = 10**PRICE_PLACES
MONEY_SCALE: int = 10**MONEY_PLACES
FRACTION_SCALE: int = 10**FRACTION_PLACES
CENT: int = MONEY_SCALE // 100
MICROSECOND_NS = 1_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS

# Larger numbers than these never come from a futures account; they are typing or transmission errors.
LARGEST_DIGITS = 15
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII)


def exact(text: str, places: int) -> int:
    """The decimal number `text` as an integer of 10**-places, rounded half to even beyond them.

    Only broker averages have more digits than the scale (weighted means), so rounding never touches a
    traded price or a booked amount. Raises ValueError for anything that is not a finite decimal number
    or has more than LARGEST_DIGITS digits before the point.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"not a decimal number: {text[:40]!r}")
    sign, whole, fraction, exponent = match.groups()
    fraction = fraction or ""
    shift = places - len(fraction) + int(exponent or "0")
    digits = int((whole + fraction)[:60]) if len(whole) + len(fraction) <= 60 else None
    if digits is None or shift > 60:
        raise ValueError(f"number too long: {text[:40]!r}")
    value = digits * 10**shift if shift >= 0 else _half_even(digits, 10**-shift)
    if value >= 10 ** (LARGEST_DIGITS + places):
        raise ValueError(f"number too large: {text[:40]!r}")
    return -value if sign == "-" else value


def _half_even(number: int, divisor: int) -> int:
    quotient, remainder = divmod(number, divisor)
    if remainder * 2 > divisor or (remainder * 2 == divisor and quotient % 2 == 1):
        quotient += 1
    return quotient


def price(text: str) -> int:
    """A price in points as an integer of 1e-9 points. Raises ValueError."""
    return exact(text, PRICE_PLACES)


def money(text: str) -> int:
    """An amount of dollars as an integer of 1e-6 dollars. Raises ValueError."""
    return exact(text, MONEY_PLACES)


def fraction(text: str) -> int:
    """A ratio such as 0.5 as an integer of 1e-6. Raises ValueError."""
    return exact(text, FRACTION_PLACES)


def decimal_text(value: int, places: int, shown: int = 0) -> str:
    """`value` of 10**-places as the shortest exact decimal with at least `shown` digits after the point."""
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, rest = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    rest = rest.ljust(shown, "0")
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"


def price_text(value: int) -> str:
    """A price as text: 21000.25."""
    return decimal_text(value, PRICE_PLACES)


def limit_text(value: int) -> str:
    """A configured amount as a trader writes it: 500, 500.5."""
    return decimal_text(value, MONEY_PLACES)


def money_text(value: int) -> str:
    """A booked amount as a statement shows it: -501.66, -4.50, and a plain 0."""
    return decimal_text(value, MONEY_PLACES, 2) if value else "0"


def fraction_text(value: int) -> str:
    """A ratio as text: 0.5."""
    return decimal_text(value, FRACTION_PLACES)


def share_text(value: int) -> str:
    """A ratio in the words of a sentence: 70 %."""
    return f"{fraction_text(value * 100)} %"


def move_value(points: int, tick_size: int, tick_value: int) -> int:
    """Money of a move of `points` (1e-9 points times contracts), cut towards zero below 1e-6 dollars.

    Cutting towards zero keeps every comparison with a limit exact: a limit is a whole number of 1e-6
    dollars, so an amount reaches it exactly when the cut amount does. Source: RULES.md 1.2.
    """
    product = points * tick_value
    return product // tick_size if product >= 0 else -(-product // tick_size)
