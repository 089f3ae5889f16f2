"""`[alerts]` is checked, shows no address, and is no part of what a day stores."""

from datetime import datetime

import pytest

from riskcore.errors import ConfigError
from riskcore.settings.alerts import LOCAL
from riskcore.settings.config import read_settings

SECRET = "tgram://bottoken/chat"
FULL = f"""
[alerts]
channels = ["desktop", "{SECRET}", {{ url = "tgram://other/1", levels = ["critical"] }}, "env:MY_URL"]
levels = ["critical", "warning"]
quiet_hours = ["22:00-07:00"]
heartbeat_minutes = 60
figures = false
"""


def test_a_full_table_is_read_and_stored_nowhere() -> None:
    settings = read_settings(FULL)
    alerts = settings.alerts
    assert [one.name for one in alerts.channels] == ["desktop", "tgram", "tgram-2", "env:MY_URL"]
    assert [one.levels for one in alerts.channels[1:3]] == [("warning", "critical"), ("critical",)]
    assert (alerts.heartbeat_minutes, alerts.figures) == (60, False)
    assert settings.plain == read_settings("").plain
    assert "bottoken" not in repr(settings)


def test_desktop_and_sound_are_there_without_a_table() -> None:
    assert tuple(one.name for one in read_settings("").alerts.channels) == LOCAL


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chanels = []", "alerts.chanels: unknown setting; did you mean channels?"),
        ('channels = ["bottoken"]', "alerts.channels.0: must be desktop, sound"),
        ('channels = [{ url = "bottoken" }]', "alerts.channels.0: must be desktop, sound"),
        ('channels = [{ url = "sound", level = "info" }]', "alerts.channels.0.level: unknown setting"),
        ('channels = "bottoken"', "alerts.channels: must be a list"),
        ("levels = []", "alerts.levels = an array: must be a list of info, warning, critical"),
        ('quiet_hours = ["24:00-07:00"]', "alerts.quiet_hours.0"),
        ('quiet_hours = ["07:00-07:00"]', "begins when it ends"),
        ("heartbeat_minutes = 0", "from 1 to 1440"),
        ("heartbeat_minutes = 1441", "from 1 to 1440"),
        ("figures = 1", "must be true or false"),
    ],
)
def test_what_is_wrong_is_named_and_no_address_is_shown(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_settings(f"[alerts]\n{line}")
    assert said in str(refused.value)
    assert "bottoken" not in str(refused.value)


@pytest.mark.parametrize(
    ("hours", "clock", "quiet"),
    [
        ("22:00-07:00", "21:59", False),
        ("22:00-07:00", "22:00", True),
        ("22:00-07:00", "00:00", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("12:00-13:00", "11:59", False),
        ("12:00-13:00", "12:00", True),
        ("12:00-13:00", "12:59", True),
        ("12:00-13:00", "13:00", False),
    ],
)
def test_quiet_hours_begin_at_their_start_and_end_before_their_end(hours: str, clock: str, quiet: bool) -> None:
    alerts = read_settings(f'[alerts]\nquiet_hours = ["{hours}"]').alerts
    assert alerts.is_quiet(datetime.fromisoformat(f"2026-03-02T{clock}")) is quiet


@pytest.mark.parametrize("minutes", [1, 1440])
def test_the_ends_of_the_heartbeat_are_allowed(minutes: int) -> None:
    assert read_settings(f"[alerts]\nheartbeat_minutes = {minutes}").alerts.heartbeat_minutes == minutes
