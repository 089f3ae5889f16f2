"""No module imports itself by way of others, not even for the type checker alone."""

from tests.tidy.sources import PACKAGES, ROOT, imports, shipped, tree


def imports_of(modules: dict[str, list[str]]) -> dict[str, list[str]]:
    """The known modules each module imports; a name imported from a module counts as that module."""
    found: dict[str, list[str]] = {}
    for name, targets in modules.items():
        known = []
        for target in targets:
            while target and target not in modules:
                target = target.rpartition(".")[0]
            if target and target != name:
                known.append(target)
        found[name] = sorted({*known})
    return found


def circles(graph: dict[str, list[str]]) -> list[list[str]]:
    """Every group of modules in which each one reaches itself."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(graph[name])
        reached[start] = seen
    groups = {tuple(sorted(one for one in seen if name in reached[one])) for name, seen in reached.items()}
    return [list(group) for group in sorted(groups) if group]


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = {name: [module for _, module in imports(tree(path))] for name, path in shipped().items()}
    assert circles(imports_of(modules)) == []


def test_a_circle_is_found() -> None:
    modules = {"a": ["a.b.c", "x"], "a.b": ["d.name"], "d": ["e"], "e": ["a.b"], "f": ["a"]}
    assert circles(imports_of(modules)) == [["a.b", "d", "e"]]


def test_every_package_says_that_it_is_typed() -> None:
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()] == []
