"""The card of a what-if."""

import sys
from io import BytesIO

import pytest

from replay.whatif.card import HEIGHT, WIDTH, _Pen, card_png
from replay.whatif.report_style import DARK
from replay.whatif.report_words import MINUS
from replay.whatif.share import share
from riskcore.errors import ConfigError
from riskcore.schema.rows import Row
from tests.replay.whatif.sample_result import sample
from tests.replay.whatif.test_report import RESULTS

every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS.keys())


def colours(png: bytes) -> set[str]:
    """Every colour that is on the card without a shade of another."""
    from PIL import Image

    image = Image.open(BytesIO(png))
    assert image.size == (WIDTH, HEIGHT)
    counted = image.getcolors(WIDTH * HEIGHT) or []
    return {f"#{red:02x}{green:02x}{blue:02x}" for number, (red, green, blue) in counted if number > 20}


@every_result
def test_every_result_has_a_card(result: Row) -> None:
    pytest.importorskip("PIL")
    png = card_png(result)
    assert png.startswith(b"\x89PNG")
    assert len(png) < 400_000
    assert {DARK["page"], DARK["ink"], DARK["muted"]} <= colours(png)


def test_the_same_result_gives_the_same_bytes() -> None:
    pytest.importorskip("PIL")
    assert card_png(sample(9)) == card_png(sample(9))
    assert card_png(sample(9)) != card_png(share(sample(9)))


@pytest.mark.parametrize(("effect", "tone", "other"), [("5", "better", "worse"), ("-5", "worse", "better")])
def test_the_effect_is_green_or_red(effect: str, tone: str, other: str) -> None:
    pytest.importorskip("PIL")
    result = sample(2)
    result["effect"]["net_pnl"] = effect
    for row in result["effect"]["by_day"]:
        row["net_pnl"] = effect
    # The sums of better and worse days are in their colours too, small: the large figure decides.
    assert count(card_png(result), tone) > 4 * count(card_png(result), other)


def count(png: bytes, colour: str) -> int:
    from PIL import Image

    image = Image.open(BytesIO(png)).convert("RGB")
    red, green, blue = (int(DARK[colour][place : place + 2], 16) for place in (1, 3, 5))
    return sum(number for number, found in image.getcolors(WIDTH * HEIGHT) or [] if found == (red, green, blue))


def test_a_minus_is_drawn() -> None:
    """The built-in font has none: it must neither be left out nor become a box."""
    pytest.importorskip("PIL")
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (400, 200))
    end = _Pen(ImageDraw.Draw(image)).text(10, 80, MINUS, 60, "worse")
    left, top, right, bottom = image.getbbox() or (0, 0, 0, 0)
    assert 10 * 2 <= left < right <= end * 2
    assert right - left > 4 * (bottom - top)
    # In the middle of the digits beside it, whose feet are at 80.
    assert 40 * 2 < top < bottom < 76 * 2


def test_a_letter_that_the_font_lacks_becomes_a_question_mark() -> None:
    pytest.importorskip("PIL")

    def with_key(key: str) -> bytes:
        result = sample(2)
        result["stamp"]["settings_diff"] = [{"key": key, "baseline": None, "counterfactual": 5}]
        return card_png(result)

    assert with_key("größe") == with_key("gr??e")
    assert with_key("groesse") != with_key("gr??e")


def test_without_pillow_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ConfigError, match=r'pip install "riskcore\[report\]"'):
        card_png(sample(1))
