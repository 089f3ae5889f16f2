"""The justfile, .ci/run and CONTRIBUTING.md name the same tasks."""

import re

from tests.tidy.sources import ROOT

SCRIPT = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
RECIPES = (ROOT / "justfile").read_text(encoding="utf-8")


def tasks() -> set[str]:
    """The functions of .ci/run."""
    return set(re.findall(r"^(\w+)\(\) \{", SCRIPT, re.MULTILINE))


def test_every_task_of_ci_can_be_called_by_its_name() -> None:
    (names,) = re.findall(r"^    ([\w |]+)\) \"\$task\"", SCRIPT, re.MULTILINE)
    assert set(names.split(" | ")) == tasks()


def test_every_task_has_a_recipe_that_calls_it() -> None:
    recipes = dict(re.findall(r"^(\w+):\n    \.ci/run ?(\w*)$", RECIPES, re.MULTILINE))
    assert recipes == {"all": "", **{name: name for name in tasks()}}


def test_every_task_is_explained_to_contributors() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == tasks()
