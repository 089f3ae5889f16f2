"""Settings as a trader writes them."""

import tomllib

from riskcore.audit.written import changes, flat_settings, written_rule, written_settings
from riskcore.core.quantities import MONEY_SCALE
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Account
from riskcore.settings.config import read_settings

TEXT = """
[profile]
name = "mine"
reset_time = "16:30"

[[rules.daily_realized_loss]]
loss_limit = "400.5"
action = "lock_only"

[[rules.daily_realized_loss]]
loss_limit = "500"
shadow = true

[rules.cooldown_after_loss]

[accounts."second"]
[[accounts."second".rules.daily_realized_loss]]
loss_limit = "100"
[[accounts."second".rules.daily_realized_loss]]
loss_limit = "200"
"""


def test_written_settings_read_back_to_the_same() -> None:
    plain = read_settings(TEXT).plain
    written = written_settings(plain)
    assert written["profile"]["reset_time"] == "16:30"
    assert written["rules"]["daily_realized_loss"][0]["loss_limit"] == "400.5"
    assert read_settings(_toml(plain)).plain == plain


def _toml(plain: dict[str, object]) -> str:
    from riskcore.settings.toml_text import settings_toml

    text = settings_toml(plain)
    assert tomllib.loads(text) == written_settings(plain)
    return text


def test_settings_of_an_older_version_are_filled_with_defaults() -> None:
    plain = read_settings(TEXT).plain
    del plain["profile"]["on_blind"]
    del plain["programme"]
    assert written_settings(plain)["profile"]["on_blind"] == "alert"


def test_the_instance_and_the_account_override_that_decided() -> None:
    plain = read_settings(TEXT).plain
    assert written_rule(plain, 1, "first", "daily_realized_loss.0")["loss_limit"] == "400.5"
    shadowed = written_rule(plain, 1, "first", "daily_realized_loss.1")
    assert (shadowed["loss_limit"], shadowed["shadow"]) == ("500", True)
    assert written_rule(plain, 2, "second", "daily_realized_loss.0")["loss_limit"] == "100"
    assert written_rule(plain, 2, "second", "cooldown_after_loss.0") is not None
    assert written_rule(plain, 1, "first", "guard.0") is None
    assert written_rule(plain, 1, "first", "feed.0") is None


def test_the_programme_of_the_account_and_the_group_that_decided() -> None:
    plain = read_settings(
        '[programme]\nsize = "100K"\n[accounts.second.programme]\nmll_buffer = 300\n'
        "[[group]]\nmax_contracts = 5\n[[group]]\nloss_limit = 800"
    ).plain
    assert written_rule(plain, 1, "first", "programme_mll.0")["mll_buffer"] == "200"
    second = written_rule(plain, 2, "second", "programme_dll.0")
    assert (second["size"], second["mll_buffer"]) == ("100K", "300")
    assert written_rule(plain, 1, "first", "group_size.0")["max_contracts"] == 5
    assert written_rule(plain, 1, "first", "group_loss.1")["loss_limit"] == "800"
    assert written_rule(read_settings("").plain, 1, "first", "programme_mll.0") is None


def test_changes_name_every_setting_that_differs() -> None:
    old = {"rules": {"a": {"limit": "1", "kept": 2}, "b": {"x": 1}}, "list": [{"x": 1}, {"x": 2}]}
    new = {"rules": {"a": {"limit": "3", "kept": 2}, "c": {}}, "list": [{"x": 1}, {"x": 5}]}
    assert changes(old, new) == [
        {"setting": "rules.a.limit", "old": "1", "new": "3"},
        {"setting": "rules.b.x", "old": 1, "new": None},
        {"setting": "list.1.x", "old": 2, "new": 5},
        {"setting": "rules.c", "old": None, "new": {}},
    ]
    assert changes(old, old) == []
    assert flat_settings(old)["list.0.x"] == 1


def test_what_is_written_for_the_id_and_for_the_name_both_decide() -> None:
    """In the order of the rulebook: the tables of the id first, then those of the name that the id does not repeat."""
    by_id = """
[accounts."2".rules.max_contracts]
limit = 3
[[accounts."2".rules.daily_realized_loss]]
loss_limit = "200"
[[accounts."2".rules.daily_realized_loss]]
loss_limit = "300"
"""
    plain = read_settings(TEXT + by_id).plain
    judged = {one.key: one.params for one in rulebook_of(plain).instances(Account(2, "second"))}
    for index, limit in enumerate(["200", "300", "100"]):
        key = f"daily_realized_loss.{index}"
        written = written_rule(plain, 2, "second", key)
        assert written is not None
        assert (written["loss_limit"], judged[key].loss_limit) == (limit, int(limit) * MONEY_SCALE)
    assert written_rule(plain, 2, "second", "max_contracts.0")["limit"] == 3
