"""Plain settings as the text of a riskcore.toml; reading it gives the same settings."""

from collections.abc import Mapping
from typing import Any

from riskcore.core.groups.group import Group
from riskcore.core.programme.strictness import judged
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import by_name
from riskcore.core.rules.base import SOURCE
from riskcore.settings.kinds import toml_lines
from riskcore.settings.programme_table import ProgrammeTable
from riskcore.settings.tables import NANOSECONDS, RENAMED, ApiTable, ProfileTable, RuleSwitches
from riskcore.settings.writers import quoted, toml_key


def settings_toml(
    plain: Mapping[str, Any], keep_payloads: str | None = None, api: Mapping[str, Any] | None = None
) -> str:
    """Plain settings as riskcore.toml, amounts as traders write them; reading it gives the same settings."""
    profile = dict(plain["profile"])
    if keep_payloads is not None:
        profile["keep_payloads"] = keep_payloads
    for name, plain_name in NANOSECONDS.items():
        profile[name] = profile.pop(plain_name) // SECOND_NS
    for name, plain_name in RENAMED.items():
        profile[name] = profile.pop(plain_name)
    blocks = [["[profile]", *toml_lines(ProfileTable, profile)]]
    if api is not None:
        blocks.append(["[api]", *toml_lines(ApiTable, dict(api))])
    blocks.extend(_programme_block(plain.get("programme"), "programme"))
    blocks.extend(["[[group]]", *toml_lines(Group, group)] for group in plain.get("groups", ()))
    blocks.extend(_rule_blocks(plain["rules"], "rules"))
    for account, rules in plain["accounts"].items():
        blocks.extend(_rule_blocks(rules, f"accounts.{toml_key(account)}.rules"))
    for account, programme in plain.get("programme_accounts", {}).items():
        blocks.extend(_programme_block(programme, f"accounts.{toml_key(account)}.programme"))
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _programme_block(programme: Mapping[str, Any] | None, path: str) -> list[list[str]]:
    """A programme that an older version stored and did not judge is left out."""
    plain = judged(programme)
    return [] if plain is None else [[f"[{path}]", *toml_lines(ProgrammeTable, plain)]]


def _rule_blocks(rules: Mapping[str, list[dict[str, Any]]], path: str) -> list[list[str]]:
    blocks = []
    for name, instances in rules.items():
        where = f"{path}.{toml_key(name)}"
        header = f"[{where}]" if len(instances) == 1 else f"[[{where}]]"
        for plain in instances:
            source = plain.get(SOURCE, "")
            own = toml_lines(by_name(name, source).params, plain)
            judged_by = [f"{SOURCE} = {quoted(source)}"] if source else []
            blocks.append([header, *toml_lines(RuleSwitches, plain), *own, *judged_by])
    return blocks
