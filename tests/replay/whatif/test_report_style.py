"""The report's colours can be told apart: WCAG 2.2 AA, light and dark."""

import re

import pytest

from replay.whatif.report_style import DARK, LIGHT, MARKS_ON, TEXT_ON, style_sheet
from tests.replay.whatif.contrast import ratio

PALETTES = pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])


def test_the_measure_is_that_of_the_standard() -> None:
    assert ratio("#000000", "#ffffff") == 21
    assert round(ratio("#767676", "#ffffff"), 2) == 4.54
    assert round(ratio("#777777", "#ffffff"), 2) == 4.48


@PALETTES
def test_text_can_be_read(palette: dict[str, str]) -> None:
    for ink, ground in TEXT_ON:
        assert ratio(palette[ink], palette[ground]) >= 4.5, f"{ink} on {ground}"


@PALETTES
def test_marks_can_be_seen(palette: dict[str, str]) -> None:
    for mark, ground in MARKS_ON:
        assert ratio(palette[mark], palette[ground]) >= 3, f"{mark} on {ground}"


def test_no_colour_is_outside_the_palettes() -> None:
    known = {*LIGHT.values(), *DARK.values(), "#fff"}
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", style_sheet())) == known
    assert LIGHT.keys() == DARK.keys()
    assert set(re.findall(r"var\(--([a-z]+)\)", style_sheet())) <= LIGHT.keys()
