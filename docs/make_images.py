"""Makes the pictures of the README and of docs from the day `daily-loss`: python -m docs.make_images

It needs a Chromium for the page. Look at the pictures before you commit them: nothing compares them.
"""

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from riskcore.cli.screen.controls import Controls
from riskcore.cli.screen.dashboard import Dashboard
from riskcore.cli.screen.picture import OVERVIEW
from tests.adapters.web.conftest import asked
from tests.adapters.web.pages import opened, size
from tests.adapters.web.serving import day_under_way
from tests.cli.screen.recorded_days import Moment, picture_of, watched

IMAGES = Path(__file__).resolve().parent / "images"
PAGE, TERMINAL = IMAGES / "page-overview.png", IMAGES / "terminal-overview.svg"
PAGE_WIDTH, PAGE_HEIGHT = 1000, 760
COLUMNS, LINES = 112, 24
HOLDING = Moment("holding", "quiet-day", "2026-11-19T15:22:30Z", (OVERVIEW,))
# Fonts from another server: the reader's own monospace does as well, and nothing is asked of anybody.
_FOREIGN_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def make_page(folder: Path) -> None:
    """The overview as a browser shows it."""
    for name in ("day", "browser"):
        (folder / name).mkdir()
    with asked(*day_under_way(folder / "day")) as service, opened(service.control, folder / "browser") as page:
        size(page, PAGE_WIDTH, height=PAGE_HEIGHT)
        page.screenshot(PAGE)


def make_terminal(folder: Path) -> None:
    """The screen of `riskcore live`, as text that stays text."""
    console = Console(width=COLUMNS, height=LINES, record=True, file=io.StringIO(), color_system="truecolor")
    with watched(HOLDING, folder) as source:
        console.print(Dashboard(picture_of(source, OVERVIEW), Controls(quits=True, view=OVERVIEW)))
    drawn = _FOREIGN_FONTS.sub("", console.export_svg(title="riskcore live", unique_id="riskcore"))
    TERMINAL.write_text(drawn.replace("Fira Code", "ui-monospace"), encoding="utf-8", newline="\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_page(Path(folder))
        make_terminal(Path(folder))


if __name__ == "__main__":
    main()
