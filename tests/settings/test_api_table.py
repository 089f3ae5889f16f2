"""[api]: who may look decides nothing, so it is no part of the settings that are judged by and stored."""

import pytest

from riskcore.errors import ConfigError
from riskcore.settings.config import read_settings
from riskcore.settings.toml_text import settings_toml


def test_it_is_read_and_kept_apart() -> None:
    settings = read_settings("[api]\nenabled = false\nport = 8123\nquote_hz = 2\n")
    assert settings.api == {"enabled": False, "port": 8123, "quote_hz": 2}
    assert settings.plain == read_settings("").plain
    assert read_settings("").api == {"enabled": True, "port": 0, "quote_hz": 4}
    assert read_settings(settings_toml(settings.plain, api=settings.api)).api == settings.api


@pytest.mark.parametrize("line", ["port = 65536", "port = -1", "quote_hz = 0", 'enabled = "no"', "open = true"])
def test_what_is_out_of_range_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=line.partition(" ")[0]):
        read_settings(f"[api]\n{line}\n")
