"""The pages of the documentation: those beside README.md and everything under docs/."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted(DOCS.rglob("*.md"))]
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block of a page; `info` is what stands behind the opening fence."""

    page: Path
    line: int
    info: str
    text: str


def fences(page: Path, info: str | None = None) -> list[Fence]:
    """The fenced blocks of a page, all or those with one `info`."""
    text = page.read_text(encoding="utf-8")
    found = [
        Fence(page, text[: match.start()].count("\n") + 1, match.group(1).strip(), match.group(2))
        for match in _FENCE.finditer(text)
    ]
    return [one for one in found if info is None or one.info == info]


def without_fences(page: Path) -> str:
    """The prose of a page."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def write_files(page: Path, folder: Path) -> None:
    """The files that a page shows, in a folder: every fence that says file=NAME."""
    for fence in fences(page):
        if " file=" in fence.info:
            path = folder / fence.info.partition(" file=")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, encoding="utf-8", newline="\n")
