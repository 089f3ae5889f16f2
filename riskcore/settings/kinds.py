"""The kinds of settings and whole tables of them: read with every default filled in, written as TOML."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from riskcore.core.rules.base import default_of
from riskcore.errors import ConfigError
from riskcore.settings import readers, writers
from riskcore.settings.place import Faults, Place, range_text, refuse_unknown

OFF = "off"


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind is read from a raw TOML value and written from a plain one.

    `key` makes the kind a map, which an override merges key by key (INTERFACE.md 3): it gives the form in which two
    spellings of one key are the same.
    """

    read: Callable[[Any, Place], Any]
    write: Callable[[Any], str]
    key: Callable[[str], str] | None = None


KINDS = {
    "bool": Kind(readers.read_bool, writers.bool_text),
    "int": Kind(readers.read_int, str),
    "money": Kind(readers.read_money, writers.money_text),
    "fraction": Kind(readers.read_fraction, writers.fraction_text),
    "fractions": Kind(readers.list_of(readers.read_fraction, ascending=True), writers.list_of(writers.fraction_text)),
    "choice": Kind(readers.read_choice, writers.quoted),
    "choices": Kind(readers.list_of(readers.read_choice), writers.list_of(writers.quoted)),
    "choice_or_number": Kind(readers.read_text, writers.quoted),
    "choice_or_money": Kind(readers.read_choice_or_money, writers.choice_or(writers.money_text)),
    "choice_or_fraction": Kind(readers.read_choice_or_fraction, writers.choice_or(writers.fraction_text)),
    "text": Kind(readers.read_text, writers.quoted),
    "name": Kind(readers.read_name, writers.quoted),
    "zone": Kind(readers.read_zone, writers.quoted),
    "accounts": Kind(readers.read_accounts, writers.accounts_text),
    "clock": Kind(readers.read_clock, writers.clock_text),
    "roots": Kind(readers.list_of(readers.read_root), writers.list_of(writers.quoted)),
    "root_sizes": Kind(readers.read_root_sizes, writers.map_of(str), key=str.upper),
    "date": Kind(readers.read_date, writers.quoted),
    "readings": Kind(readers.read_readings, writers.map_of(writers.quoted), key=str),
    "dates": Kind(readers.list_of(readers.read_date), writers.list_of(writers.quoted)),
    "date_times": Kind(readers.read_date_times, writers.map_of(writers.clock_text), key=str),
    "seconds_list": Kind(readers.list_of(readers.read_int), writers.list_of(str)),
    "windows": Kind(readers.read_windows, writers.windows_text),
    "root_windows": Kind(readers.read_root_windows, writers.map_of(writers.windows_text), key=str.upper),
    "loss_tiers": Kind(readers.read_loss_tiers, writers.tiers_text),
    "cooldowns": Kind(readers.read_cooldowns, writers.map_of(str), key=str),
}


def plain_of(value: Any) -> Any:
    """A default as plain data: tuples become lists."""
    if isinstance(value, (tuple, list)):
        return [plain_of(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain_of(item) for key, item in value.items()}
    return value


def read_table(table: type[Any], raw: Mapping[str, Any], path: str, warnings: list[str]) -> dict[str, Any]:
    """The plain values of a table declared by a dataclass of `spec` fields, defaults filled in.

    Raises ConfigError for an unknown key, a wrong type or a value out of range, and for what the dataclass
    itself refuses (ValueError in its __post_init__).
    """
    known = {parameter.name: parameter for parameter in fields(table)}
    faults = Faults()
    with faults.noted():
        refuse_unknown(raw, known, path)
    plain = {}
    for name, parameter in known.items():
        place = Place(f"{path}.{name}", parameter.metadata, warnings)
        with faults.noted():
            if name in raw:
                plain[name] = _read_given(raw[name], plain_of(default_of(parameter)), place)
            elif parameter.metadata["required"]:
                raise ConfigError(f"{place.path} is missing: it must be {range_text(parameter.metadata)}")
            else:
                plain[name] = plain_of(default_of(parameter))
    faults.report()
    try:
        table(**plain)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    return plain


def _read_given(value: Any, default: Any, place: Place) -> Any:
    kind: str = place.spec["kind"]
    nested: Any = place.spec["table"]
    if place.spec["optional"] and isinstance(value, str) and value == OFF:
        return None
    if kind == "table":
        return read_table(nested, readers.entries(value, place), place.path, place.warnings)
    if kind == "tables":
        return [
            read_table(nested, readers.entries(item, place.inside(index)), f"{place.path}.{index}", place.warnings)
            for index, item in enumerate(readers.items(value, place))
        ]
    read = KINDS[kind].read(value, place)
    return {**(default or {}), **read} if kind == "cooldowns" else read


def merge_tables(table: type[Any], base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """A raw table with the fields of a raw override put over it; nested tables field by field, maps key by key."""
    specs = {parameter.name: parameter.metadata for parameter in fields(table)}
    merged = dict(base)
    for name, value in override.items():
        known = merged.get(name)
        if name in specs and isinstance(known, dict) and isinstance(value, dict):
            merged[name] = _merged_field(specs[name], known, value)
        else:
            merged[name] = value
    return merged


def _merged_field(spec: Mapping[str, Any], known: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    if spec["kind"] == "table":
        return merge_tables(spec["table"], known, value)
    key_of = KINDS[spec["kind"]].key if spec["kind"] in KINDS else None
    if key_of is None:
        return dict(value)
    given = [key_of(key) for key in value]
    return {**{key: item for key, item in known.items() if key_of(key) not in given}, **value}


def toml_value(spec: Mapping[str, Any], value: Any) -> str:
    """One plain value as TOML text."""
    if value is None:
        return writers.quoted(OFF)
    if spec["kind"] == "table":
        return writers.inline(_nested_texts(spec["table"], value))
    if spec["kind"] == "tables":
        return writers.array(writers.inline(_nested_texts(spec["table"], item)) for item in value)
    return KINDS[spec["kind"]].write(value)


def _nested_texts(table: type[Any], plain: Mapping[str, Any]) -> dict[str, str]:
    return {
        parameter.name: toml_value(parameter.metadata, plain[parameter.name])
        for parameter in fields(table)
        if parameter.name in plain
    }


def toml_lines(table: type[Any], plain: Mapping[str, Any]) -> list[str]:
    """A plain table as lines `name = value`, in the order its fields are declared."""
    return [f"{name} = {text}" for name, text in _nested_texts(table, plain).items()]
