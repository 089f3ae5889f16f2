"""Fields of the broker's JSON, read exactly: numbers from their text, instants to the nanosecond.

`decode` keeps every number that is no plain integer as its text, so nothing passes through a float. The
readers below take a decoded object and a field name, accept the PascalCase spelling too, and raise Rejected
for what cannot be understood. Source: topstepx/API.md 3.6 and 4.3, RULES.md 1.2.
"""

import json
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any, TypeVar

from riskcore.core import quantities
from riskcore.core.quantities import SECOND_NS
from riskcore.core.raw_text import RAW_CHARACTERS as RAW_CHARACTERS
from riskcore.core.raw_text import WITHHELD as WITHHELD
from riskcore.core.raw_text import kept_text
from riskcore.schema.instants import read_instant

Object = dict[str, Any]
Value = TypeVar("Value")

_FIRST_NS = 946_684_800 * SECOND_NS  # 2000.
_END_NS = 4_102_444_800 * SECOND_NS  # 2100.
_LARGEST_INTEGER = 2**63 - 1
_LONGEST_INTEGER = 19
_LONGEST_TEXT = 1000


class Rejected(ValueError):
    """A payload says something that cannot be understood; the text is the reason."""


class TooDeep(ValueError):
    """JSON nested more deeply than it can be read."""


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as it was written: 49909.0, 1e3, NaN, or an integer too long to be one."""

    text: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """One line as JSON; `repeated` names a key that an object in it gives twice, of which the last counts."""

    value: Any
    repeated: str | None


class _Repeated(ValueError):
    """A key that an object gives twice."""


def _only_once(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Repeated(next(key for key in keys if keys.count(key) > 1))
    return found


def decode(raw: bytes) -> Decoded:
    """The JSON of one line with numbers kept exact. Raises ValueError for what is no JSON, TooDeep among them."""
    try:
        text = raw.decode("utf-8")
        try:
            return Decoded(_read(text), None)
        except _Repeated as error:
            return Decoded(_LENIENT.decode(text), str(error))
    except RecursionError:
        raise TooDeep("nested too deeply") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None


def _read(text: str) -> Any:
    """As the decoder does, without its search for blanks at both ends unless there are any: the broker sends none."""
    try:
        value, end = _STRICT.raw_decode(text)
    except json.JSONDecodeError:
        return _STRICT.decode(text)
    return value if end == len(text) else _STRICT.decode(text)


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= _LONGEST_INTEGER else Number(text)


_EXACT: Any = {"parse_float": Number, "parse_int": _integer, "parse_constant": Number, "strict": False}
_STRICT = json.JSONDecoder(object_pairs_hook=_only_once, **_EXACT)
_LENIENT = json.JSONDecoder(**_EXACT)


def encode(value: Any) -> str:
    """The text of a decoded value, numbers as they were written."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if type(value) is int:
        return str(value)
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        pairs = [f"{encode_basestring_ascii(key)}:{encode(item)}" for key, item in value.items()]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join([encode(item) for item in value]) + "]"
    return json.dumps(value)


def raw_text(value: Any) -> str:
    """The text of a payload for the record: cut at RAW_CHARACTERS, withheld when it may hold a login."""
    try:
        text = value if isinstance(value, str) else encode(value)
    except RecursionError:
        return "(nested too deeply to show)"
    return kept_text(text)


def field(source: Object, name: str) -> Any:
    """The value of a field in either spelling, None when absent. Raises Rejected when both are given."""
    pascal = name[0].upper() + name[1:]
    if pascal not in source:
        return source.get(name)
    if name in source:
        raise Rejected(f"{name} is given twice")
    return source[pascal]


def required(value: Value | None, name: str) -> Value:
    """`value` unless it is None. Raises Rejected naming the field."""
    if value is None:
        raise Rejected(f"{name} is missing")
    return value


def integer(source: Object, name: str) -> int | None:
    """A whole number; 15.0 is one, true and "15" are not. Raises Rejected."""
    value = field(source, name)
    if value is None:
        return None
    if type(value) is int:
        whole: int = value
        if abs(whole) > _LARGEST_INTEGER:
            raise Rejected(f"{name} is too large: {whole}")
        return whole
    whole, rest = divmod(_exact(value, name, quantities.PRICE_PLACES), quantities.PRICE_SCALE)
    if rest:
        raise Rejected(f"{name} is not a whole number: {_shown(value)}")
    return whole


def identifier(source: Object, name: str) -> int | None:
    """A broker id: above zero. Raises Rejected."""
    value = integer(source, name)
    if value is not None and value <= 0:
        raise Rejected(f"{name} is no id: {value}")
    return value


def magnitude(source: Object, name: str) -> int | None:
    """A number of contracts, never negative (API.md 3.3). Raises Rejected."""
    value = integer(source, name)
    if value is not None and value < 0:
        raise Rejected(f"{name} is negative: {value}")
    return value


def price(source: Object, name: str) -> int | None:
    """A price of 1e-9 points; zero and negative prices are real (RULES.md 1.2). Raises Rejected."""
    return _decimal(source, name, quantities.PRICE_PLACES)


def money(source: Object, name: str) -> int | None:
    """An amount of 1e-6 dollars. Raises Rejected."""
    return _decimal(source, name, quantities.MONEY_PLACES)


def _decimal(source: Object, name: str, places: int) -> int | None:
    value = field(source, name)
    return None if value is None else _exact(value, name, places)


def _exact(value: Any, name: str, places: int) -> int:
    if type(value) is int:
        text = str(value)
    elif isinstance(value, Number):
        text = value.text
    else:
        raise Rejected(f"{name} is not a number: {_shown(value)}")
    try:
        return quantities.exact(text, places)
    except ValueError as error:
        raise Rejected(f"{name}: {error}") from None


def text(source: Object, name: str) -> str | None:
    """A text without half characters (lone surrogates), which no file or database could hold. Raises Rejected."""
    value = field(source, name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected(f"{name} is not text: {_shown(value)}")
    if len(value) > _LONGEST_TEXT:
        raise Rejected(f"{name} is longer than {_LONGEST_TEXT} characters")
    return whole_text(value, name)


def whole_text(value: str, name: str) -> str:
    """`value` itself. Raises Rejected when it cannot be written as UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Rejected(f"{name} holds half a character") from None
    return value


def name_of(source: Object, name: str) -> str | None:
    """A text that names something, such as a contract id: None or not empty. Raises Rejected."""
    value = text(source, name)
    if value is not None and not value.strip():
        raise Rejected(f"{name} is empty")
    return value


def flag(source: Object, name: str) -> bool | None:
    """A boolean. Raises Rejected."""
    value = field(source, name)
    if value is not None and not isinstance(value, bool):
        raise Rejected(f"{name} is not true or false: {_shown(value)}")
    return value


def instant_of(source: Object, name: str) -> int | None:
    """An instant of the broker as nanoseconds since 1970. Raises Rejected."""
    value = text(source, name)
    if value is None:
        return None
    try:
        return instant(value)
    except ValueError as error:
        raise Rejected(f"{name}: {error}") from None


def instant(value: str) -> int:
    """RFC 3339 text with any number of fraction digits as nanoseconds, cut below them.

    Raises ValueError for other text, for an instant without an offset, and outside the years 2000 to 2099:
    no futures account of today has such a time, so it is an error of the sender.
    """
    at = read_instant(value)
    if not _FIRST_NS <= at < _END_NS:
        raise ValueError(f"absurd time: {value[:19]}{value[19:].lstrip('.0123456789')}")
    return at


def _shown(value: Any) -> str:
    return raw_text(value)[:40]
