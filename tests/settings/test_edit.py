"""Settings changed in the text of the file: what is not changed stays to the byte."""

import pytest

from riskcore.errors import ConfigError
from riskcore.settings.config import read_settings
from riskcore.settings.edit import edited

FILE = """\
# mine
[profile]
name = "default"   # the only one

[rules.max_contracts]            # never more contracts open than this
limit = 5   # five

[programme]
size = "50K"

[[rules.symbol_blocks]]
blocked_symbols = ["CL"] # oil
[[rules.symbol_blocks]]
blocked_symbols = ["GC"] # gold

# Other limits for one account:
"""


def test_one_value_changes_and_its_comment_stays() -> None:
    changed = edited(FILE, ["rules.max_contracts.limit=7"], "riskcore.toml")
    assert changed == FILE.replace("limit = 5   # five", "limit = 7   # five")


@pytest.mark.parametrize(
    "assignment",
    [
        "rules.max_contracts.0.limit=7",
        "rules.max_contracts.enabled=false",
        "rules.symbol_blocks.1.blocked_symbols=['SI']",
        "rules.daily_realized_loss.loss_limit=400",
        'rules.daily_realized_loss.loss_limit="400.50"',
        "rules.trade_frequency_limit.per_minute=off",
        "rules.trade_management.trailing_stop.distance_ticks=8",
        'accounts."50KTC-V2-99000001".rules.max_contracts.limit=2',
        'accounts."a.b c".rules.max_contracts.limit=2',
        "profile.mark=conservative",
        "programme.size=100K",
    ],
)
@pytest.mark.parametrize("text", [FILE, FILE.replace("\n", "\r\n"), ""])
def test_the_changed_text_reads_as_the_change_and_keeps_every_comment(text: str, assignment: str) -> None:
    try:
        wanted = read_settings(text, [assignment]).plain
    except ConfigError:
        with pytest.raises(ConfigError):
            edited(text, [assignment], "riskcore.toml")
        return
    changed = edited(text, [assignment], "riskcore.toml")
    assert read_settings(changed).plain == wanted
    for line in text.splitlines():
        if "#" in line:
            assert line.partition("#")[2] in changed


@pytest.mark.parametrize(
    ("text", "assignment"),
    [
        ("[rules]\nmax_contracts.limit = 2 # dotted\n", "rules.max_contracts.limit=3"),
        ("[rules]\nmax_contracts = { limit = 2 } # inline\n", "rules.max_contracts.shadow=true"),
        ("rules.max_contracts.limit = 2 # root\n", "rules.daily_realized_loss.loss_limit=300"),
        (
            "[rules.max_contracts]\nlimit = 2\n[accounts.x.rules.max_contracts]\nlimit = 1\n",
            "accounts.y.rules.max_contracts.limit=3",
        ),
    ],
)
def test_other_ways_to_write_toml(text: str, assignment: str) -> None:
    changed = edited(text, [assignment], "riskcore.toml")
    assert read_settings(changed).plain == read_settings(text, [assignment]).plain


def test_a_change_that_would_not_load_is_refused() -> None:
    for assignment in ("rules.max_contracts.limit=-1", "rules.max_contract.limit=2", "rules.max_contracts.limit", "=2"):
        with pytest.raises(ConfigError):
            edited(FILE, [assignment], "riskcore.toml")
