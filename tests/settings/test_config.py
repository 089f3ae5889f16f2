"""Settings: exact amounts, overrides, --set, messages that name key, value and range."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_origin

import pytest

from riskcore.core.rulebook import rulebook_of
from riskcore.core.rules import RULES
from riskcore.core.rules.base import parameters_of
from riskcore.core.state import Account
from riskcore.errors import ConfigError
from riskcore.settings.config import LARGEST_FILE, load_settings, read_settings, user_config_folder
from riskcore.settings.toml_text import settings_toml

LOSS = "[rules.daily_realized_loss]\n"


def loss_limit(text: str, *sets: str) -> int:
    value: int = read_settings(text, sets).plain["rules"]["daily_realized_loss"][0]["loss_limit"]
    return value


def refused(text: str, *sets: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_settings(text, sets)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("500", 500_000_000),
        ("500.0", 500_000_000),
        ("500.000001", 500_000_001),
        ('"500.10"', 500_100_000),
        ("0.1", 100_000),
        ("5e2", 500_000_000),
        ("1_000.5", 1_000_500_000),
        ("123456789012345.654321", 123_456_789_012_345_654_321),
    ],
)
def test_amounts_are_read_exactly(written: str, stored: int) -> None:
    assert loss_limit(f"{LOSS}loss_limit = {written}") == stored


@pytest.mark.parametrize(
    "written",
    [
        "nan",
        "inf",
        "-inf",
        '"NaN"',
        "true",
        "[]",
        "{}",
        '""',
        "2026-01-01",
        "0",
        "0.0",
        "1e999",
        "9" * 400,
        "0x" + "f" * 400,
    ],
)
def test_what_is_no_amount_above_zero_is_refused(written: str) -> None:
    message = refused(f"{LOSS}loss_limit = {written}")
    assert message.startswith("rules.daily_realized_loss.loss_limit = ")
    assert message.endswith("must be an amount of dollars above 0")


def test_more_decimals_than_are_kept_are_refused() -> None:
    assert "more than 6 decimals" in refused(f"{LOSS}loss_limit = 1.0000001")


def test_a_negative_limit_is_a_magnitude_with_a_warning() -> None:
    settings = read_settings(f"{LOSS}loss_limit = -500")
    assert settings.plain["rules"]["daily_realized_loss"][0]["loss_limit"] == 500_000_000
    assert any("rules.daily_realized_loss.loss_limit = -500: read as 500" in text for text in settings.warnings)
    assert not any("read as" in text for text in read_settings(f"{LOSS}loss_limit = 500").warnings)


def test_every_default_is_written_out() -> None:
    plain = read_settings(LOSS).plain["rules"]["daily_realized_loss"]
    assert plain == [
        {
            "enabled": True,
            "shadow": False,
            "locked": False,
            "loss_limit": 500_000_000,
            "basis": "realized",
            "pnl_basis": None,
            "action": "flatten_and_lock",
            "warn_at": [700_000, 900_000],
        }
    ]


def test_profile_has_the_names_and_scales_of_the_rulebook() -> None:
    profile = read_settings(
        '[profile]\nname = "a"\naccounts = ["X", 7]\nreset_time = "16:30"\n'
        "max_quote_age_seconds = 2\nblind_limit_seconds = 5"
    ).plain["profile"]
    assert profile["reset_seconds"] == 59_400
    rulebook = rulebook_of({"profile": profile})
    assert rulebook.profile.accounts == ("X", "7")
    assert profile["max_quote_age_ns"] == 2_000_000_000
    assert rulebook.profile.command_timeout_ns == 3_000_000_000
    assert rulebook.profile.blind_limit_ns == 5_000_000_000


def test_all_accounts_is_the_empty_list() -> None:
    assert read_settings('[profile]\naccounts = "all"').plain["profile"]["accounts"] == []
    assert "list each account once" in refused("[profile]\naccounts = []")
    assert "list each account once" in refused('[profile]\naccounts = [7, "7"]')


def test_settings_are_plain_json_and_independent_of_the_order_of_tables() -> None:
    one = read_settings("[rules.daily_unrealized_loss]\n[rules.daily_realized_loss]").plain
    two = read_settings("[rules.daily_realized_loss]\n[rules.daily_unrealized_loss]").plain
    assert json.dumps(one) == json.dumps(two)
    assert json.loads(json.dumps(one)) == one


def test_off_switches_off_an_optional_field_only() -> None:
    text = "[rules.trade_frequency_limit]\nper_minute = {}"
    assert read_settings(text.format('"off"')).plain["rules"]["trade_frequency_limit"][0]["per_minute"] is None
    assert "must be an amount" in refused(f'{LOSS}loss_limit = "off"')


def test_a_part_of_a_nested_table_keeps_the_other_defaults() -> None:
    plain = read_settings("[rules.trade_frequency_limit]\ncooldowns = { minute = 5 }").plain
    assert plain["rules"]["trade_frequency_limit"][0]["cooldowns"] == {"minute": 5, "hour": 1800}


def test_trade_management_needs_enabled_true() -> None:
    settings = read_settings("[rules.trade_management]")
    assert settings.plain["rules"]["trade_management"][0]["enabled"] is False
    assert any("does nothing" in text for text in settings.warnings)
    assert read_settings("[rules.trade_management]\nenabled = true").plain["rules"]["trade_management"][0]["enabled"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[rule.x]", "rule: unknown setting; did you mean rules?"),
        ("[rules.daily_realised_loss]", "did you mean daily_realized_loss?"),
        (f"{LOSS}loss_limt = 1", "rules.daily_realized_loss.loss_limt: unknown setting; did you mean loss_limit?"),
        (f"{LOSS}enabled = 1", "rules.daily_realized_loss.enabled = 1: must be true or false"),
        (f'{LOSS}basis = "net"', "basis = 'net': must be one of realized, combined"),
        (f"{LOSS}warn_at = [0.9, 0.7]", "warn_at: must be ascending"),
        (f"{LOSS}warn_at = [1.1]", "warn_at.0 = 1.1: must be an ascending list of fractions from 0 to 1"),
        ("[rules.max_contracts]\nlimit = 0", "limit = 0: must be a whole number from 1 to 10000"),
        ("[rules.max_contracts]\nlimit = 2.0", "limit = 2.0: must be a whole number"),
        ('[rules.max_contracts]\nlimit = "2"', "limit = '2': must be a whole number"),
        ("[rules.max_contracts]\nlimit = true", "limit = true: must be a whole number"),
        ("rules = 3", "rules = 3: must be a table"),
        ("rules = { max_contracts = [] }", "must be a table, or an array of tables"),
        ("[profile]\ntimezone = 'Chicago'", "timezone = 'Chicago': must be an IANA time zone"),
        ("[profile]\ntimezone = '../etc/passwd'", "must be an IANA time zone"),
        ("[profile]\nreset_time = '24:00'", "must be a time of day HH:MM"),
        ("[profile]\nname = 'a b'", "profile.name = 'a b': must be a name"),
        (
            "[programme]\nflatten_time = '15:05'",
            "programme.flatten_time: is no longer a setting; write flatten_minutes",
        ),
        ("[programme]\nlast_entry_time = '14:55'", "is no longer a setting; write last_entry_minutes"),
        ("[programme]\nhard_flatten_time = '15:07'", "is no longer a setting; write hard_minutes"),
        ("[accounts.A]\nlimit = 2", "accounts.A.limit: unknown setting"),
        ("[accounts.A.rules.max_contracts]\nlimt = 2", "accounts.A.rules.max_contracts.limt: unknown setting"),
        ("[rules.max_contracts_per_instrument]\nlimits = { MNQ = 10001 }", "limits.MNQ = 10001"),
        ("[rules.max_contracts_per_instrument]\nlimits = { mnq = 1, MNQ = 2 }", "MNQ is given twice"),
        ("[rules.max_contracts_per_instrument]\nunknown_symbol_action = 'allow_with_limit:x'", "allow_with_limit"),
        (
            "[rules.cooldown_after_loss]\nloss_thresholds = [{ loss_amount = 0, cooldown_seconds = 1 }]",
            "loss_amount = 0",
        ),
        (
            "[rules.cooldown_after_loss]\nloss_thresholds = [{ loss_amount = 1 }]",
            "needs loss_amount and cooldown_seconds",
        ),
        (
            "[rules.cooldown_after_loss]\nloss_thresholds = [{ loss_amount = 1, cooldown_seconds = 1 },"
            "{ loss_amount = '1.0', cooldown_seconds = 2 }]",
            "may be given once",
        ),
        ("[rules.cooldown_after_loss]\nconsecutive_losses = { count = 3 }", "cooldown_seconds is missing"),
    ],
)
def test_messages_name_key_value_and_range(text: str, part: str) -> None:
    assert part in refused(text)


def test_rules_given_several_times_and_overrides_field_by_field() -> None:
    text = """
        [[rules.daily_realized_loss]]
        loss_limit = 300
        action = "lock_only"
        [[rules.daily_realized_loss]]
        loss_limit = 500
        [[accounts.A.rules.daily_realized_loss]]
        loss_limit = 200
        [[accounts.A.rules.daily_realized_loss]]
    """
    plain = read_settings(text).plain
    base, override = plain["rules"]["daily_realized_loss"], plain["accounts"]["A"]["daily_realized_loss"]
    assert [table["loss_limit"] for table in base] == [300_000_000, 500_000_000]
    assert [table["loss_limit"] for table in override] == [200_000_000, 500_000_000]
    assert override[0]["action"] == "lock_only"
    names = [instance.key for instance in rulebook_of(plain).instances(Account(1, "A"))]
    assert [name for name in names if name.startswith("daily")] == ["daily_realized_loss.0", "daily_realized_loss.1"]


def test_an_override_of_a_repeated_rule_needs_the_same_number_of_tables() -> None:
    text = "[[rules.daily_realized_loss]]\n[[rules.daily_realized_loss]]\n[accounts.A.rules.daily_realized_loss]"
    assert "an override must give the same number of tables" in refused(text)


def test_an_override_merges_nested_tables_and_may_bring_a_rule_of_its_own() -> None:
    text = """
        [rules.trade_frequency_limit]
        cooldowns = { minute = 5, hour = 6 }
        [accounts.A.rules.trade_frequency_limit]
        cooldowns = { hour = 7 }
        [accounts.A.rules.max_contracts]
        limit = 2
    """
    plain = read_settings(text).plain
    assert plain["accounts"]["A"]["trade_frequency_limit"][0]["cooldowns"] == {"minute": 5, "hour": 7}
    assert plain["accounts"]["A"]["max_contracts"][0]["limit"] == 2
    assert "max_contracts" not in plain["rules"]


def test_case_core_09_override_of_a_map() -> None:
    text = """
        [rules.max_contracts_per_instrument]
        limits = { ES = 1, NQ = 1 }
        [accounts.A.rules.max_contracts_per_instrument]
        limits = { NQ = 2 }
    """
    settings = read_settings(text)
    assert settings.plain["accounts"]["A"]["max_contracts_per_instrument"][0]["limits"] == {"ES": 1, "NQ": 2}
    assert read_settings(settings_toml(settings.plain)).plain == settings.plain


MAPS = {
    "root_sizes": ('"es" = 1, "NQ" = 1', '"ES" = 2, "MES" = 3', {"NQ": 1, "ES": 2, "MES": 3}),
    "date_times": (
        '"2026-11-27" = "12:15", "2026-12-24" = "12:00"',
        '"2026-12-24" = "11:00"',
        {"2026-11-27": 44_100, "2026-12-24": 39_600},
    ),
    "root_windows": (
        'ES = [{ start = "09:00", end = "10:00" }], nq = [{ start = "09:00", end = "10:00" }]',
        'NQ = [{ start = "11:00", end = "12:00" }]',
        {
            "ES": [{"days": [0, 1, 2, 3, 4], "start": 32_400, "end": 36_000}],
            "NQ": [{"days": [0, 1, 2, 3, 4], "start": 39_600, "end": 43_200}],
        },
    ),
    "cooldowns": ("minute = 5, hour = 6", "hour = 7", {"minute": 5, "hour": 7}),
}
MAP_FIELDS = [
    (rule.name, parameter.name, parameter.metadata["kind"])
    for rule in RULES
    for parameter in parameters_of(rule)
    if get_origin(parameter.type) in (Mapping, dict)
]


@pytest.mark.parametrize(("rule", "name", "kind"), MAP_FIELDS)
def test_an_override_of_any_map_merges_key_by_key(rule: str, name: str, kind: str) -> None:
    base, override, expected = MAPS[kind]
    text = f"[rules.{rule}]\n{name} = {{ {base} }}\n[accounts.A.rules.{rule}]\n{name} = {{ {override} }}"
    assert read_settings(text).plain["accounts"]["A"][rule][0][name] == expected


def test_every_map_of_the_rules_is_known_to_the_test_of_overrides() -> None:
    assert sorted({kind for _, _, kind in MAP_FIELDS}) == sorted(MAPS)


def test_an_override_of_a_list_replaces_it() -> None:
    text = """
        [rules.daily_realized_loss]
        warn_at = [0.5, 0.6]
        [accounts.A.rules.daily_realized_loss]
        warn_at = [0.8]
    """
    assert read_settings(text).plain["accounts"]["A"]["daily_realized_loss"][0]["warn_at"] == [800_000]


def test_an_override_that_names_a_product_twice_is_refused() -> None:
    text = """
        [rules.max_contracts_per_instrument]
        limits = { ES = 1 }
        [accounts.A.rules.max_contracts_per_instrument]
        limits = { ES = 2, es = 3 }
    """
    assert "ES is given twice" in refused(text)


def test_set_changes_switches_on_and_addresses_one_of_several() -> None:
    assert loss_limit(LOSS, "rules.daily_realized_loss.loss_limit=400") == 400_000_000
    assert loss_limit("", "rules.daily_realized_loss.loss_limit=400.5") == 400_500_000
    assert loss_limit(LOSS, "rules.daily_realized_loss.0.loss_limit=1") == 1_000_000
    twice = "[[rules.daily_realized_loss]]\n[[rules.daily_realized_loss]]\nloss_limit = 9"
    assert loss_limit(twice, "rules.daily_realized_loss.0.loss_limit=8") == 8_000_000
    assert "there are 2 tables; pick one" in refused(twice, "rules.daily_realized_loss.loss_limit=8")
    assert "use 0 to 1" in refused(twice, "rules.daily_realized_loss.2.loss_limit=8")
    assert loss_limit(f"[{LOSS.strip()}]", "rules.daily_realized_loss.loss_limit=8") == 8_000_000


def test_set_reads_toml_values_and_plain_text() -> None:
    settings = read_settings(
        "",
        [
            "rules.daily_realized_loss.basis=combined",
            "rules.daily_realized_loss.warn_at=[0.5]",
            "rules.daily_realized_loss.shadow=true",
            "rules.trade_frequency_limit.per_hour=off",
            "profile.reset_time=16:00",
            'accounts."A.B".rules.max_contracts.limit=3',
        ],
    ).plain
    table = settings["rules"]["daily_realized_loss"][0]
    assert (table["basis"], table["warn_at"], table["shadow"]) == ("combined", [500_000], True)
    assert settings["rules"]["trade_frequency_limit"][0]["per_hour"] is None
    assert settings["profile"]["reset_seconds"] == 57_600
    assert settings["accounts"]["A.B"]["max_contracts"][0]["limit"] == 3


@pytest.mark.parametrize(
    "assignment",
    [
        "",
        "=",
        "x",
        "x=1",
        "a b.c=1",
        "a.b\nc=1",
        "rules.=1",
        "profile.name.x=1\n[rules]",
        "rules.x.y=1",
        "rules.max_contracts.limit",
        "x.y=" + "z" * 20_000,
        "\ud800.x=1",
    ],
)
def test_a_set_that_names_no_setting_is_refused(assignment: str) -> None:
    refused("", assignment)


def test_set_does_not_reach_through_a_value() -> None:
    assert "has no settings of its own" in refused(f"{LOSS}loss_limit = 1", "rules.daily_realized_loss.loss_limit.x=1")


@pytest.mark.parametrize("text", ["[", "a = ", "x = 1\nx = 2", "a = " + "[" * 50_000, "a = " + "9" * 5000, "\x00"])
def test_what_is_no_toml_is_refused(text: str) -> None:
    assert "not valid TOML" in refused(text)


WORKDAYS = {"days": [0, 1, 2, 3, 4]}
HOURS = "[rules.session_block_outside]\n"


@pytest.mark.parametrize(
    ("text", "field", "stored"),
    [
        ("windows = [{ start = '17:00', end = '15:10' }]", "windows", [{**WORKDAYS, "start": 61_200, "end": 54_600}]),
        (
            "windows = [{ days = ['sun', 'Mon'], start = 08:30:00, end = '15:00:30' }]",
            "windows",
            [{"days": [0, 6], "start": 30_600, "end": 54_030}],
        ),
        (
            "per_instrument = { zc = [{ start = '09:00', end = '13:20' }] }",
            "per_instrument",
            {"ZC": [{**WORKDAYS, "start": 32_400, "end": 48_000}]},
        ),
        ("holidays = ['2026-11-26', 2026-12-25]", "holidays", ["2026-11-26", "2026-12-25"]),
        ("early_closes = { 2026-11-27 = '12:15' }", "early_closes", {"2026-11-27": 44_100}),
        ("timezone = 'Europe/Berlin'", "timezone", "Europe/Berlin"),
    ],
)
def test_hours_are_read(text: str, field: str, stored: object) -> None:
    assert read_settings(HOURS + text).plain["rules"]["session_block_outside"][0][field] == stored


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("windows = []", "needs one window or more"),
        ("windows = [{ start = '08:00' }]", "a window needs start and end"),
        ("windows = [{ start = '08:00', end = '08:00' }]", "start and end must differ"),
        ("windows = [{ days = [], start = '08:00', end = '09:00' }]", "days must name one day or more"),
        ("windows = [{ days = ['Funday'], start = '08:00', end = '09:00' }]", "'Funday' is not a day; write Mon, Tue"),
        ("windows = [{ days = ['Mon', 'Mon'], start = '08:00', end = '09:00' }]", "names a value twice"),
        ("windows = [{ begin = '08:00' }]", "windows.0.begin: unknown setting"),
        ("windows = [{ start = '8:00', end = '09:00' }]", "windows.0.start = '8:00': must be a time of day HH:MM"),
        ("windows = [{ start = 08:00:00.5, end = '09:00' }]", "must be a time of day"),
        ("windows = 3", "windows = 3: must be a list of { days, start, end }"),
        ("per_instrument = []", "must be a table of product root"),
        ("per_instrument = { 'E S' = [] }", "'E S' is not a product root"),
        (
            "per_instrument = { es = [{ start = '09:00', end = '10:00' }], ES = [{ start = '09:00', end = '10:00' }] }",
            "ES is given twice",
        ),
        ("holidays = ['2026-11-31']", "'2026-11-31' is not a date"),
        ("holidays = ['2026-W48-4']", "is not a date"),
        ("holidays = [2026-11-26T00:00:00]", "is not a date"),
        ("early_closes = { tomorrow = '12:15' }", "'tomorrow' is not a date"),
    ],
)
def test_hours_that_make_no_sense_are_refused(text: str, part: str) -> None:
    assert part in refused(HOURS + text)


def test_texts_are_short_and_printable() -> None:
    text = "[rules.daily_realized_profit]\nmessage = {}"
    for bad in ('"a\\u0007b"', '"' + "x" * 201 + '"', "1"):
        assert "must be text of up to 200 printable characters" in refused(text.format(bad))
    assert read_settings(text.format('"' + "x" * 200 + '"'))


def test_accounts_must_be_possible_names() -> None:
    for name in ('""', '"a\\nb"', '"' + "x" * 201 + '"'):
        assert "no account has this name" in refused(f"[accounts.{name}.rules.max_contracts]")
    assert read_settings("[accounts.A]\n[accounts.B.rules]").plain["accounts"] == {}
    assert "accounts = -1: must be" in refused("[profile]\naccounts = -1")
    assert "accounts.0 = true: must be" in refused("[profile]\naccounts = [true]")


def test_a_rule_is_not_given_without_end() -> None:
    assert "given 101 times; 100 are allowed" in refused("[[rules.max_contracts]]\n" * 101)
    read_settings("[[rules.max_contracts]]\n" * 100)


def test_roots_are_upper_cased_and_named_once() -> None:
    text = "[rules.symbol_blocks]\nblocked_symbols = {}"
    assert read_settings(text.format("['cl', 'ES']")).plain["rules"]["symbol_blocks"][0]["blocked_symbols"] == [
        "CL",
        "ES",
    ]
    assert "names a value twice" in refused(text.format("['cl', 'CL']"))
    assert "blocks nothing" in "".join(read_settings(text.format("[]")).warnings)


@pytest.mark.parametrize(
    ("system", "variable", "folder"),
    [
        ("win32", "APPDATA", "riskcore"),
        ("darwin", "HOME", "Library/Application Support/riskcore"),
        ("linux", "HOME", ".config/riskcore"),
    ],
)
def test_the_config_folder_of_each_system(
    system: str, variable: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr("sys.platform", system)
    assert user_config_folder() == tmp_path / folder


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and devices in the file system")
def test_a_folder_a_pipe_and_a_device_are_no_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe or"), (Path("/dev/zero"), "a pipe or")):
        with pytest.raises(ConfigError, match=f"{path}: this is {what}"):
            load_settings(path)
    assert load_settings(Path(os.devnull)).plain == read_settings("").plain
    monkeypatch.chdir(tmp_path)
    (tmp_path / "riskcore.toml").mkdir()
    with pytest.raises(ConfigError, match=r"riskcore\.toml: this is a folder"):
        load_settings()


def test_files_are_named_in_messages(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    with pytest.raises(ConfigError, match=r"mine\.toml: cannot be read"):
        load_settings(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(path)
    path.write_text("[profile]\nmark = 1", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine\.toml: profile\.mark = 1: must be one of"):
        load_settings(path)
    path.write_bytes(b"#" * (LARGEST_FILE + 1))
    with pytest.raises(ConfigError, match="larger than"):
        load_settings(path)
    path.write_bytes(b"\xef\xbb\xbf[profile]\r\nmark = 'last'\r\n")
    assert load_settings(path).source == str(path)


def test_the_file_is_found_in_the_order_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here, named = tmp_path / "home", tmp_path / "here", tmp_path / "named.toml"
    here.mkdir()
    (home / "riskcore").mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    settings = load_settings()
    assert settings.plain["rules"] == {}
    assert settings.warnings[0].startswith("no riskcore.toml found")
    (home / "riskcore" / "riskcore.toml").write_text('[profile]\nname = "home"', encoding="utf-8")
    assert load_settings().plain["profile"]["name"] == "home"
    Path("riskcore.toml").write_text('[profile]\nname = "here"', encoding="utf-8")
    assert load_settings().plain["profile"]["name"] == "here"
    named.write_text('[profile]\nname = "named"', encoding="utf-8")
    monkeypatch.setenv("RISKCORE_CONFIG", str(named))
    assert load_settings().plain["profile"]["name"] == "named"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "no rule is switched on"),
        (LOSS, "cannot stop an open loser"),
        (f'{LOSS}basis = "trailing_realized"', "cannot stop an open loser"),
        ("[rules.max_contracts_per_instrument]\nlimits = { MNQ = 1 }", "every product but MNQ is open"),
        ("[rules.max_contracts_per_instrument]\nlimits = { ENQ = 1 }", "it is the broker's code of NQ: write NQ"),
        ("[rules.max_contracts_per_instrument]\nlimits = { XYZ = 1 }", "unknown product root XYZ"),
        ('[rules.max_contracts_per_instrument]\nlimits = { "F.US.XYZ" = 1 }', "unknown product root XYZ"),
        (f"{LOSS}locked = true\nenabled = false", "IS LOCKED BUT DISABLED"),
        (f"{LOSS}shadow = true", "only records"),
        (f"{LOSS}enabled = false", "does nothing"),
        ("[profile]\naccounts = ['A']\n[accounts.B.rules.max_contracts]", "accounts.B: not in profile.accounts"),
        (
            "[profile]\naccounts = ['A']\n[group]\naccounts = ['A', 'B']",
            "group 'group': accounts (B) not in profile.accounts",
        ),
    ],
)
def test_warnings(text: str, part: str) -> None:
    assert any(part in warning for warning in read_settings(text).warnings)


def test_a_group_of_listed_accounts_is_no_matter_for_a_warning() -> None:
    for profile, group in (("['A', 'B']", "['A']"), ("'all'", "['B']"), ("['A']", "'all'")):
        warnings = read_settings(
            f"[profile]\naccounts = {profile}\n[group]\naccounts = {group}\nloss_limit = 1"
        ).warnings
        assert warnings == []


@pytest.mark.parametrize(
    ("group", "warned"),
    [
        ("", True),
        ("max_contracts = 5", True),
        ("loss_limit = 500", False),
        ("loss_limit = 500\nbasis = 'realized'", True),
        ("loss_limit = 500\naccounts = ['A', 'B']", False),
        ("loss_limit = 500\naccounts = ['A']", True),
    ],
)
def test_a_group_that_looks_at_open_losses_stops_an_open_loser(group: str, warned: bool) -> None:
    profile = "[profile]\naccounts = ['A', 'B']\n"
    found = read_settings(f"{profile}{LOSS}\n[group]\n{group}").warnings
    assert any("cannot stop an open loser" in one for one in found) == warned


def test_a_group_stops_an_open_loser_only_in_its_own_accounts() -> None:
    groups = "[[group]]\nloss_limit = 500\naccounts = ['A']\n[[group]]\nmax_contracts = 5\n"
    own = "".join(f"[accounts.{name}.rules.daily_realized_loss]\nloss_limit = 400\n" for name in ("A", "B"))
    found = [one for one in read_settings(groups + own).warnings if "cannot stop an open loser" in one]
    assert [one.split(".rules")[0] for one in found] == ["accounts.B"]


def test_a_symbol_id_of_the_broker_means_its_root() -> None:
    text = '[rules.max_contracts_per_instrument]\nlimits = { "F.US.EP" = 1, "f.us.mnq" = 2 }'
    (table,) = read_settings(text).plain["rules"]["max_contracts_per_instrument"]
    assert table["limits"] == {"ES": 1, "MNQ": 2}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f'{LOSS}basis = "combined"', "open loser"),
        (f"{LOSS}[rules.daily_unrealized_loss]", "open loser"),
        ("[rules.max_contracts_per_instrument]\ndefault_limit = 1", "is open"),
        ("[rules.max_contracts_per_instrument]\nunknown_symbol_action = 'block'", "is open"),
    ],
)
def test_no_warning_where_the_settings_are_meant(text: str, part: str) -> None:
    assert not any(part in warning for warning in read_settings(text).warnings)


def test_settings_in_force_written_as_toml_read_back_the_same() -> None:
    text = "\n".join(f"[rules.{rule.name}]" for rule in RULES)
    text += """
        [profile]
        accounts = ["a\\\\b\\"c", 12]
        [programme]
        floor_override = -2000.5
        [accounts."a\\\\b\\"c".rules.max_contracts_per_instrument]
        limits = { MNQ = 3, ES = 0 }
        default_limit = 4
        [accounts.12.rules.cooldown_after_loss]
        loss_thresholds = [{ loss_amount = 0.01, cooldown_seconds = 5 }]
        consecutive_losses = { count = 3, cooldown_seconds = 60 }
    """
    plain = read_settings(text).plain
    assert read_settings(settings_toml(plain)).plain == plain
