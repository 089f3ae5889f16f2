"""Text results: whole lines for programs, wrapped and coloured for people, in one zone that is named."""

import re
from contextlib import chdir

import click
import pytest

from riskcore.cli.main import group, run
from riskcore.cli.print_text import fitted, in_zone, print_line, print_text, styled, wrapped
from riskcore.cli.verify_command import verified_text
from tests.cli.sources import Sources, make_sources
from tests.recordings import RULES

LINE = "  limit     RULE-003 BREACHED day loss -547.30, the limit 500: reached; locked until the reset"


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("short", ["short"]),
        ("x" * 70, ["x" * 70]),
        (LINE, ["  limit     RULE-003 BREACHED day loss", "            -547.30, the limit 500:",
                "            reached; locked until the", "            reset"]),
        ("ok    packages      aiohttp click rich and others", ["ok    packages      aiohttp click rich",
                                                               "                    and others"]),
        ("a sentence that is somewhat longer than the width", ["a sentence that is somewhat longer than",
                                                               "  the width"]),
    ],
)  # fmt: skip
def test_a_line_is_wrapped_below_its_own_words(line: str, pieces: list[str]) -> None:
    assert wrapped(line, 40) == pieces


def test_nobody_wraps_or_colours_what_another_program_reads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    print_text(f"{LINE}\n{LINE}")
    assert capsys.readouterr().out == f"{LINE}\n{LINE}\n"
    monkeypatch.setenv("COLUMNS", "60")
    print_text(LINE)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


def test_a_family_of_commands_shows_whole_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("config", "order", "service", "programme", "alerts"):
        assert run([name, "--help"]) == 0
        assert "..." not in capsys.readouterr().out.partition("Commands:")[2], name


def test_a_line_of_a_dialogue_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    print_line("Done. riskcore live --dry-run decides and sends nothing; riskcore live enforces your limits.")
    assert [len(line) <= 60 for line in capsys.readouterr().out.splitlines()] == [True, True]


def test_colours_only_add_to_the_words() -> None:
    for line in (LINE, "warn  settings  no rule", "Account 7  mine", "Breaches (3)", "  blind     RULE-004: no mark"):
        coloured = styled(line)
        assert coloured != line
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == line
    assert styled("  balance   50000") == "  balance   50000"


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("until 2026-11-20T23:00:00Z.", "until 2026-11-20 17:00:00."),
        ("at 2026-11-20 05:59:59.123456789Z", "at 2026-11-19 23:59:59.123456789"),
        ("at 2026-07-01 05:00:00Z", "at 2026-07-01 00:00:00"),
        ("id order:7@2026-11-20T23:00:00Z/1", "id order:7@2026-11-20T23:00:00Z/1"),
        ("day 2026-11-20 of 23:00:00", "day 2026-11-20 of 23:00:00"),
    ],
)
def test_an_instant_is_said_by_the_clock_of_the_zone(utc: str, local: str) -> None:
    assert in_zone(utc, "America/Chicago") == local


def test_a_table_that_does_not_fit_is_told_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    titles, rows = (
        ("day", "fills", "net", ""),
        [["2026-11-20", "4", "-547.30", "one note"], ["2026-11-21", "12", "0", ""]],
    )
    aligned = ["day         fills      net", "2026-11-20      4  -547.30  one note", "2026-11-21     12        0"]
    widths = {None: aligned, 36: aligned}
    widths[35] = ["2026-11-20  fills 4, net -547.30,", "            one note", "2026-11-21  fills 12, net 0"]
    for width, lines in widths.items():
        monkeypatch.setattr("riskcore.cli.print_text.terminal_width", lambda width=width: width)
        assert fitted(aligned, titles, rows) == lines


@pytest.fixture(scope="module")
def berlin(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """The days of a trader whose profile is in Berlin."""
    folder = tmp_path_factory.mktemp("berlin")
    with chdir(folder):
        return make_sources(folder, RULES.replace("[profile]", '[profile]\ntimezone = "Europe/Berlin"'))


OF_STORE = ("--store", "journal.db")
SCREENS = [
    ("replay", "two.jsonl"),
    ("replay", "two-export.jsonl"),
    ("audit", "two.jsonl"),
    ("audit", *OF_STORE),
    ("why", "RULE-003", "two.jsonl", "--day", "2026-11-20"),
    ("whatif", "two.jsonl", "--quick", "--set", "rules.daily_realized_loss.loss_limit=100"),
    ("review", "two.jsonl", "--quick"),
    ("status", *OF_STORE),
    ("portfolio", *OF_STORE),
    ("lock", "day", *OF_STORE),
    ("doctor", "--offline", *OF_STORE),
]


@pytest.mark.parametrize("words", SCREENS, ids=" ".join)
def test_every_screen_is_in_the_zone_of_the_profile_and_names_it_once(
    words: tuple[str, ...], berlin: Sources, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(berlin.folder)
    capsys.readouterr()
    run(list(words))
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1] == "Times are in Europe/Berlin."
    assert shown.count("Times are in") == 1
    # An id has no blank before its instant, and a JSON setting quotes it.
    assert re.findall(r"(?<![@\w])[0-9:.]{8,}Z", shown) == []
    run([*words, "--json"])
    as_json = capsys.readouterr().out
    assert "Times are in" not in as_json
    assert re.search(r"T\d\d:\d\d:\d\d[.0-9]*Z", as_json) or words[0] == "doctor"


def test_differences_that_verify_finds_are_in_the_zone_of_the_profile(
    berlin: Sources, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"source": "a.jsonl", "trade_date": "2026-11-20", "events": 1, "closed": True, "incomplete": False,
           "last_hash": "00", "left_out": [], "changed_rules": [], "quotes_left_out": 0, "recorded": 1,
           "version": "1", "recomputed": 0, "differences": [
               {"only": "recorded", "at": "2026-11-20T14:31:05Z", "type": "RuleBreached", "key": "k", "cause": "c"}
           ]}  # fmt: skip
    print_text(verified_text({"recordings": [], "days": [row], "version": "1", "last_hash": None}), "Europe/Berlin")
    assert "  2026-11-20 15:31:05" in capsys.readouterr().out


def test_without_a_zone_and_without_an_instant_nothing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_text("at 2026-11-20 05:59:59Z")
    print_text("nothing happened", "Europe/Berlin")
    assert capsys.readouterr().out == "at 2026-11-20 05:59:59Z\nnothing happened\n"


def too_wide(text: str) -> list[str]:
    """Lines of more than 60 columns; only what has no blank may be longer: an id, a path, a hash."""
    return [line for line in text.splitlines() if len(line) > 60 and " " in line.strip()]


NARROW = [
    *SCREENS,
    ("verify", *OF_STORE),
    ("verify", "two.jsonl"),
    ("calendar",),
    ("rules",),
    ("rules", "daily_realized_loss"),
    ("programme", "show"),
    ("programme", "diff", "2026-01-01", "2026-10-10"),
    ("programme", "status", *OF_STORE),
    ("config", "check"),
    ("config", "try", "rules.daily_realized_loss.loss_limit=400", *OF_STORE),
    ("sweep", "two.jsonl", "--grid", "rules.daily_realized_loss.loss_limit=100:400:100", "--yes", "--workers", "1"),
    ("odds", "two.jsonl", "--set", "programme.size=50K", "--paths", "100"),
    ("import", "trades.csv", "--out", "imported"),
    ("simulate", "--list"),
    ("version",),
]
TRADES = """Id,ContractName,EnteredAt,ExitedAt,EntryPrice,ExitPrice,Fees,PnL,Size,Type,TradeDay,TradeDuration
1,MNQZ6,11/19/2026 08:31:00 -06:00,11/19/2026 08:35:00 -06:00,21000,21010,1.48,40,2,Long,11/19/2026,00:04:00
"""


@pytest.mark.parametrize("words", NARROW, ids=" ".join)
def test_every_text_fits_60_columns_and_has_no_colour(
    words: tuple[str, ...], berlin: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(berlin.folder)
    (berlin.folder / "trades.csv").write_text(TRADES, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "60")
    capfd.readouterr()
    run(list(words))
    shown = capfd.readouterr().out
    assert shown
    assert too_wide(shown) == []
    assert "\x1b" not in shown


def every_command() -> list[tuple[str, ...]]:
    """The names of every command and subcommand, the program itself first."""
    top = click.Context(group)
    found: list[tuple[str, ...]] = [()]
    for name in group.list_commands(top):
        command = group.get_command(top, name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.list_commands(top)]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_help_fits_60_columns_and_has_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert run([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert too_wide(shown) == []
    assert "Example: riskcore" in " ".join(shown.split())


def test_colours_are_for_a_terminal_without_no_color(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("riskcore.cli.print_text.click.echo", lambda text: print(text))
    print_text("ok    settings")
    monkeypatch.setenv("NO_COLOR", "1")
    print_text("ok    settings")
    first, second = capsys.readouterr().out.splitlines()
    assert ("\x1b" in first, "\x1b" in second) == (True, False)
