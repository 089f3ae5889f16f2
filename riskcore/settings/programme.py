"""[programme] and [accounts."…".programme] as plain data: the fields as written, and the terms they come to.

An account's table is merged over the profile's field by field (PROGRAMME.md 2). A product fixes the size, so a table
that names a product without a size does not inherit the profile's.
"""

from collections.abc import Mapping
from typing import Any

from riskcore.core.programme.terms import plain_terms
from riskcore.errors import ConfigError
from riskcore.settings.kinds import merge_tables, read_table
from riskcore.settings.programme_table import REPLACED, ProgrammeTable
from riskcore.settings.programme_terms import SIZES, fixed_size, terms_for

Raw = Mapping[str, Any]


def read_programme(raw: Raw, path: str, warnings: list[str]) -> dict[str, Any]:
    """The plain programme of a raw table. Raises ConfigError, also where fields contradict one another."""
    for old, new in REPLACED.items():
        if old in raw:
            raise ConfigError(
                f"{path}.{old}: is no longer a setting; write {new}, the minutes before the deadline "
                "(flat_by, a product's own close, an early close)"
            )
    plain = read_table(ProgrammeTable, raw, path, warnings)
    size = fixed_size(plain["product"])
    if size is not None and "size" not in raw:
        plain["size"] = size
    _refuse_contradictions(plain, path, size)
    return {**plain, "terms": plain_terms(terms_for(plain, warnings, path))}


def merged_programme(base: Raw | None, override: Raw) -> dict[str, Any]:
    """The raw table of an account over the profile's."""
    inherited = dict(base or {})
    if "product" in override and "size" not in override:
        inherited.pop("size", None)
    return merge_tables(ProgrammeTable, inherited, override)


def _refuse_contradictions(plain: Mapping[str, Any], path: str, size: str | None) -> None:
    stage, product = plain["stage"], plain["product"]
    challenge = product.startswith("challenge_")
    if (stage == "challenge") is not challenge:
        raise ConfigError(f"{path}: stage = {stage!r} and product = {product!r} do not fit: a challenge has both")
    if stage in ("pro", "practice") and product != "standard":
        raise ConfigError(f"{path}: stage = {stage!r} and product = {product!r} do not fit: {stage} is standard only")
    if size is not None and plain["size"] != size:
        raise ConfigError(f"{path}.size = {plain['size']!r}: {product} is {size}; leave size out")
    if product == "standard" and plain["size"] not in SIZES:
        raise ConfigError(f"{path}.size = {plain['size']!r}: standard accounts are {', '.join(SIZES)}")
