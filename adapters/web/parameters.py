"""The query and the body of a request, checked field by field: what is not known is refused."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, unquote

from adapters.web.access import Refusal

Values = dict[str, Any]
_LONGEST = 1000
_WORDS: dict[type, str] = {str: "text", int: "a whole number", bool: "true or false"}


def query(target: str, allowed: Mapping[str, Callable[[str, str], Any]], repeated: tuple[str, ...] = ()) -> Values:
    """The parameters of a target. Those in `repeated` become a tuple, which is empty without any. Raises Refusal."""
    try:
        pairs = parse_qsl(
            target.partition("?")[2], keep_blank_values=True, strict_parsing="?" in target, errors="strict"
        )
    except ValueError:
        raise Refusal("value", "the query is not made of name=value") from None
    found: Values = dict.fromkeys(repeated, ())
    for name, text in pairs:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise Refusal("value", f"unknown parameter {name[:40]!r}; known: {known}")
        value = allowed[name](name, text)
        if name in repeated:
            found[name] += (value,)
        elif name in found:
            raise Refusal("value", f"{name} is given twice")
        else:
            found[name] = value
    return found


def body(content: bytes, fields: Mapping[str, type | tuple[type, ...]], needed: tuple[str, ...] = ()) -> Values:
    """The object of a body; null is as good as left out. Raises Refusal."""
    try:
        given = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refusal("value", "the body is no JSON object whose fields are named once") from None
    if not isinstance(given, dict):
        raise Refusal("value", "the body is no JSON object")
    found: Values = {}
    for name, value in given.items():
        if name not in fields:
            raise Refusal("value", f"unknown field {name[:40]!r}; known: {', '.join(sorted(fields))}")
        if value is None:
            continue
        kinds = fields[name]
        allowed = kinds if isinstance(kinds, tuple) else (kinds,)
        if type(value) not in allowed:
            raise Refusal("value", f"{name} must be {' or '.join(_WORDS[one] for one in allowed)}")
        if isinstance(value, str) and (len(value) > _LONGEST or not _sayable(value)):
            raise Refusal("value", f"{name} is too long, or no text that can be stored")
        found[name] = str(value) if name == "account" else value
    missing = [name for name in needed if name not in found]
    if missing:
        raise Refusal("value", f"{missing[0]} is missing")
    return found


def _once(pairs: list[tuple[str, Any]]) -> Values:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is named twice")
    return found


def _sayable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def text(name: str, given: str) -> str:
    """A text that is not empty."""
    if not given or len(given) > _LONGEST:
        raise Refusal("value", f"{name} is empty or too long")
    return given


def whole(low: int, high: int) -> Callable[[str, str], int]:
    """A whole number within bounds."""

    def read(name: str, given: str) -> int:
        if not (given.isascii() and given.isdigit() and len(given) <= len(str(high)) and low <= int(given) <= high):
            raise Refusal("value", f"{name} is a whole number from {low} to {high}")
        return int(given)

    return read


def truth(name: str, given: str) -> bool:
    """Whether something is wanted."""
    if given not in ("true", "false"):
        raise Refusal("value", f"{name} is true or false")
    return given == "true"


def day(name: str, given: str) -> str:
    """A trading day."""
    try:
        is_day = date.fromisoformat(given).isoformat() == given
    except ValueError:
        is_day = False
    if not is_day:
        raise Refusal("value", f"{name} is a day such as 2026-11-20")
    return given


def decoded(part: str) -> str:
    """One percent-encoded part of a path. Raises Refusal."""
    try:
        found = unquote(part, errors="strict")
    except UnicodeDecodeError:
        raise Refusal("value", "the id is not UTF-8, percent-encoded") from None
    return found
