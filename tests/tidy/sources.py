"""The shipped Python files, parsed once."""

import ast
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from pathlib import Path

from riskcore.settings.purity import imported

ROOT = Path(__file__).parents[2]
PACKAGES = ("riskcore", "adapters", "replay")


@lru_cache(maxsize=1)
def shipped() -> dict[str, Path]:
    """Every shipped module by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def nodes(module: ast.Module) -> list[ast.AST]:
    """Every node of a module. Several tests look at all of them, and the walk costs more than what they do."""
    return list(ast.walk(module))


imports = cache(imported)


def forget() -> None:
    """Let the trees go: the garbage collector would look through them for the rest of the run."""
    for cached in (tree, nodes, imports):
        cached.cache_clear()


def offenders(check: Callable[[ast.Module], Iterable[tuple[int, str]]], paths: Iterable[Path]) -> list[str]:
    """What `check` finds in these files, as `file:line: text`, all of it rather than the first."""
    return [f"{path.relative_to(ROOT).as_posix()}:{line}: {text}" for path in paths for line, text in check(tree(path))]


def inside(name: str, room: str) -> bool:
    return name == room or name.startswith(f"{room}.")
