"""[programme] and [accounts."…".programme] as plain data: the fields as written, and the terms they come to.

An account's table is merged over the profile's field by field (PROGRAMME.md 2). A product fixes the size, so a table
that names a product without a size does not inherit the profile's.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from riskcore.core.programme.terms import plain_terms
from riskcore.errors import ConfigError
from riskcore.settings.kinds import merge_tables, read_table
from riskcore.settings.programme_figures import age_warning, cpi_releases
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


def programmes_of(plain: Mapping[str, Any]) -> list[tuple[str | None, dict[str, Any]]]:
    """The programme of the profile (None), then those of accounts that have their own."""
    profile = [] if plain.get("programme") is None else [(None, plain["programme"])]
    return [*profile, *plain.get("programme_accounts", {}).items()]


def with_stored_terms(stored: Raw, read: dict[str, Any]) -> dict[str, Any]:
    """Settings read again from stored ones: a programme that is the same keeps the figures it was judged by then."""
    profile = _stored_if_same(stored.get("programme"), read["programme"])
    own = {
        account: _stored_if_same(stored.get("programme_accounts", {}).get(account), programme)
        for account, programme in read.get("programme_accounts", {}).items()
    }
    return {**read, "programme": profile, **({"programme_accounts": own} if own else {})}


def _stored_if_same(stored: Raw | None, read: dict[str, Any] | None) -> dict[str, Any] | None:
    if stored is None or read is None or "terms" not in stored:
        return read
    same = all(stored[name] == value for name, value in read.items() if name != "terms" and name in stored)
    return {**read, "terms": stored["terms"]} if same else read


def start_warnings(plain: Mapping[str, Any], today: date) -> list[str]:
    """What to say at start of the figures that judge the accounts: their age, and a year without release days."""
    if not programmes_of(plain):
        return []
    found = [] if (old := age_warning(today)) is None else [old]
    years = sorted({int(day[:4]) for day in cpi_releases()})
    if today.year not in years:
        found.append(f"the release days of {today.year} are not known: the CPI window (news) is not judged")
    return found


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
