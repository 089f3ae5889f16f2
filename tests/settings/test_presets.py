"""Every preset loads without an error or a warning, and says what each value means."""

import pytest

from riskcore.core.programme.terms import terms_of
from riskcore.core.quantities import MONEY_SCALE
from riskcore.settings.config import read_settings
from riskcore.settings.presets import OF_PROGRAMME, PRESETS, preset_text


def test_the_presets() -> None:
    names = "combine-50k combine-100k combine-150k xfa-50k xfa-100k xfa-150k topstepx-like beginner"
    assert list(PRESETS) == names.split()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_loads_without_a_warning_and_explains_its_values(name: str) -> None:
    text = preset_text(name)
    settings = read_settings(text)
    assert settings.warnings == []
    assert settings.plain["profile"]["name"] == name
    assert "{" not in text.replace("{ ", "")
    assert all(len(line) <= 120 for line in text.splitlines())
    for line in text.splitlines():
        if line.startswith("["):
            assert line == "[profile]" or "#" in line, line


@pytest.mark.parametrize("name", OF_PROGRAMME)
def test_a_preset_of_the_programme_has_its_terms(name: str) -> None:
    stage, size = OF_PROGRAMME[name]
    plain = read_settings(preset_text(name)).plain
    terms = terms_of(plain["programme"]["terms"])
    assert (terms.stage, terms.size) == (stage, size)
    assert terms.enforce == ("mll", "dll", "size", "hours")
    minis = {"50K": 5, "100K": 10, "150K": 15} if stage == "combine" else {"50K": 2, "100K": 3, "150K": 3}
    assert plain["rules"]["max_contracts"][0]["limit"] == minis[size]
    own = {"50K": 500, "100K": 1_000, "150K": 1_500}[size]
    assert plain["rules"]["daily_realized_loss"][0]["loss_limit"] == own * MONEY_SCALE


def test_a_combine_names_its_best_day() -> None:
    assert "# One day may make 3300.00 of the profit (55 % of the target)" in preset_text("combine-100k")
    assert "One day may make" not in preset_text("xfa-50k")


def test_the_platform_counts_orders_and_not_their_fills() -> None:
    """In with five and out with two, two and one is four trades there, however each of them fills (RULES.md 5, 006)."""
    [limit] = read_settings(preset_text("topstepx-like")).plain["rules"]["trade_frequency_limit"]
    assert (limit["count_unit"], limit["breach_when"]) == ("order", "reached")


def test_a_preset_of_the_programme_says_between_what_the_floor_lies() -> None:
    assert "from 48000 up to 50000:" in preset_text("combine-50k")
    assert "from -4500 up to 0:" in preset_text("xfa-150k")
