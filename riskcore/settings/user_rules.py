"""Rules of the user's own: `[rules."my_rules:last_minutes"]` names a module and a rule in it.

The module is one file, beside the settings file or on the Python path. It is read, checked (purity.py) and only then
run, and every table rehearses a day twice. The hash of its text stands in the settings that a trading day carries, so
a rule that has changed since is noticed. Source: docs/guides/your-own-rule.md.
"""

import ast
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from hashlib import sha256
from json import dumps, loads
from pathlib import Path
from types import ModuleType
from typing import Any

from riskcore.core import rules
from riskcore.core.rules.base import SOURCE, SWITCHES, Rule
from riskcore.errors import ConfigError
from riskcore.settings.kinds import KINDS
from riskcore.settings.purity import foreign_imports, impurities
from riskcore.testing.rehearsal import Unrepeatable, check_repeatable

LARGEST_MODULE = 1_048_576
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_RULE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_ID = re.compile(r"[A-Z][A-Z0-9-]{0,31}", re.ASCII)
_WHERE = "beside the settings file and on the Python path"
# Where modules were found last: the folder of the settings file that was read last comes first.
_folders: list[Path] = []
_modules: dict[str, Path] = {}  # The file of each module that has been read.


def is_users(name: str) -> bool:
    """Whether the name of a rule table is that of a user's own rule."""
    return ":" in name


def look_in(folder: Path) -> None:
    """The folder of the settings file: modules are looked for here first."""
    if folder in _folders:
        _folders.remove(folder)
    _folders.insert(0, folder)


def load(name: str) -> Rule:
    """The rule of a table `module:rule`, as its module says it now. Raises ConfigError."""
    module_name, _, rule_name = name.partition(":")
    if not _MODULE.fullmatch(module_name) or keyword.iskeyword(module_name) or not _RULE.fullmatch(rule_name):
        raise ConfigError(f'{_path(name)}: write a rule of your own as rules."module:rule", one file and a rule in it')
    path = _find(module_name)
    if path is None:
        raise ConfigError(f"{_path(name)}: there is no {module_name}.py {_WHERE}")
    _modules[module_name] = path
    try:
        content = path.read_bytes()
        text = content.decode("utf-8") if len(content) <= LARGEST_MODULE else None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{_path(name)}: {path} cannot be read: {error}") from None
    if text is None:
        raise ConfigError(f"{_path(name)}: {path} is larger than {LARGEST_MODULE} bytes; this is not a module of rules")
    try:
        rule = _rule_of(str(path), module_name, text, rule_name)
        rules.put(rule)
    except ValueError as error:
        raise ConfigError(f"{_path(name)}: {error}") from None
    return rule


def files() -> list[Path]:
    """The files of the modules that have been read."""
    return list(_modules.values())


def find(name: str) -> Rule | None:
    """The user's rule that stored settings name; None for another name. Raises ConfigError when it is not there."""
    return load(name) if is_users(name) else None


def rehearse(rule: Rule, plain: Mapping[str, Any]) -> None:
    """Let a table judge a day twice. Raises ConfigError when the two differ, or when it fails."""
    error = _rehearsed(rule.name, rule.source, dumps({**plain, "enabled": True, "shadow": False}))
    if error:
        raise ConfigError(f"{_path(rule.name)}: {error}")


def changed_since(settings: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each user's rule that stored settings were judged by and that is another one now."""
    tables = [settings.get("rules", {}), *settings.get("accounts", {}).values()]
    named = {(name, plain.get(SOURCE, "")): None for one in tables for name in one for plain in one[name]}
    for name, source in named:
        if is_users(name) and rules.by_name(name, source).source != source:
            now = rules.by_name(name).source
            yield (
                f"{_path(name)}: the module has changed since this was judged ({source[:12]} then, {now[:12]} now): "
                "decisions may differ"
            )


rules.found_by(find)


# ---- the module --------------------------------------------------------------------------------------


def _path(name: str) -> str:
    return f'rules."{name[:80]}"'


def _find(module: str) -> Path | None:
    folders = [*_folders, *(Path(entry or ".") for entry in sys.path)]
    return next((path for path in (folder / f"{module}.py" for folder in folders) if path.is_file()), None)


@cache
def _rule_of(file: str, module_name: str, text: str, rule_name: str) -> Rule:
    """The rule in the text of a module. Raises ValueError with a sentence that says what is wrong and where."""
    source = sha256(text.encode()).hexdigest()
    module = _run(file, module_name, text, source)
    found = [value for value in vars(module).values() if isinstance(value, Rule) and value.name == rule_name]
    if not found:
        names = sorted({value.name for value in vars(module).values() if isinstance(value, Rule)})
        there = f"it has {', '.join(names)}" if names else "it has none: write RULE = Rule(...)"
        raise ValueError(f"{file} has no rule of the name {rule_name}; {there}")
    _check(found[0])
    return replace(found[0], name=f"{module_name}:{rule_name}", source=source)


@cache
def _run(file: str, module_name: str, text: str, source: str) -> ModuleType:
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError) as error:
        place = f"{file}:{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else file
        raise ValueError(f"{place}: not Python: {error.args[0] if error.args else error}") from None
    impure = sorted({*impurities(tree), *foreign_imports(tree, "riskcore.core")})
    if impure:
        line, what = impure[0]
        raise ValueError(f"{file}:{line}: {what}: a rule decides by what it is shown, with whole numbers, and no more")
    module = ModuleType(f"user_rules_{module_name}_{source[:12]}")
    module.__file__ = file
    sys.modules[module.__name__] = module
    try:
        exec(compile(tree, file, "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[module.__name__]
        raise ValueError(f"{file} fails when it is read: {type(error).__name__}: {error}") from None
    return module


def _check(rule: Rule) -> None:
    """What riskcore relies on in every rule. Raises ValueError."""
    if not _ID.fullmatch(rule.id):
        raise ValueError(f"the id {rule.id[:40]!r} must be capital letters, digits and '-', such as RULE-900")
    if not is_dataclass(rule.params):
        raise ValueError("params must be a frozen dataclass whose fields are made by spec(...)")
    for parameter in fields(rule.params):
        kind, nested = parameter.metadata.get("kind"), parameter.metadata.get("table")
        if kind not in KINDS and not (kind in ("table", "tables") and nested is not None):
            raise ValueError(f"the field {parameter.name} must be made by spec(...) with one of the kinds it knows")
        if parameter.name in (*SWITCHES, SOURCE):
            raise ValueError(f"a field cannot be called {parameter.name}: every table has one of that name")


@cache
def _rehearsed(name: str, source: str, plain: str) -> str:
    """What is wrong with a table of a rule; empty when nothing is."""
    try:
        check_repeatable(rules.by_name(name, source), [loads(plain)])
    except Unrepeatable as error:
        return str(error)
    return ""
