"""riskcore config check | show | init."""

import json
from pathlib import Path

import pytest

from riskcore.cli.main import run
from riskcore.settings.config import load_settings, read_settings


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "home"))
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)


def test_init_writes_a_file_that_is_valid_without_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "init"]) == 0
    settings = load_settings()
    assert settings.warnings == []
    assert settings.source == "riskcore.toml"
    assert run(["config", "check"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "wrote riskcore.toml",
        "riskcore.toml: valid; 7 rules switched on, 0 warnings",
    ]


def test_what_the_starter_comments_out_is_valid_too() -> None:
    assert run(["config", "init", "--quiet"]) == 0
    lines = Path("riskcore.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index("# More rules:") + 1
    words = ("# Other", "# Rules of your own", '# [rules."my_rules')  # Sentences, and a module that is not there.
    text = "\n".join(line.removeprefix("# ") for line in lines[start:] if not line.startswith(words))
    assert len(read_settings(text).plain["rules"]) == 7


def test_init_refuses_to_overwrite(capsys: pytest.CaptureFixture[str]) -> None:
    Path("riskcore.toml").write_text("# mine", encoding="utf-8")
    assert run(["config", "init"]) == 2
    assert "already exists" in capsys.readouterr().err
    assert Path("riskcore.toml").read_text(encoding="utf-8") == "# mine"
    assert run(["config", "init", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == "riskcore.toml"
    assert "[profile]" in Path("riskcore.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("[programme]", "0 rules, 1 programme switched on, 0 warnings"),
        ('[accounts.A.programme]\nsize = "50K"', "0 rules, 1 programme switched on, 0 warnings"),
        ('[group]\nloss_limit = "500"', "0 rules, 1 group switched on, 0 warnings"),
        ("[programme]\n[[group]]\nmax_contracts = 5", "0 rules, 1 programme, 1 group switched on, 0 warnings"),
        ("", "0 rules switched on, 1 warning"),
    ],
)
def test_check_counts_what_judges(text: str, summary: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(text, encoding="utf-8")
    assert run(["config", "check", "mine.toml"]) == 0
    assert capsys.readouterr().out == f"mine.toml: valid; {summary}\n"


def test_check_says_what_is_rarely_meant_and_accepts(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(
        "[rules.symbol_blocks]\nshadow = true\n[rules.daily_realized_loss]\n", encoding="utf-8"
    )
    assert run(["config", "check", "mine.toml"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "mine.toml: valid; 2 rules switched on, 2 warnings\n"
    assert "warning: rules.symbol_blocks: shadow = true" in captured.err
    assert "cannot stop an open loser" in captured.err
    assert run(["config", "check", "mine.toml", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["config", "check", "mine.toml", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["warnings"]) == 2


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("[group]\nloss_limit = 400\n", "0 rules, 1 group"),
        ("[programme]\n[[group]]\n[[group]]\n", "0 rules, 1 programme, 2 groups"),
        ("[accounts.A.programme]\n[accounts.B.programme]\n", "0 rules, 2 programmes"),
    ],
)
def test_check_counts_programmes_and_groups_beside_the_rules(
    capsys: pytest.CaptureFixture[str], text: str, counted: str
) -> None:
    Path("mine.toml").write_text(text, encoding="utf-8")
    assert run(["config", "check", "mine.toml"]) == 0
    assert capsys.readouterr().out == f"mine.toml: valid; {counted} switched on, 0 warnings\n"


def test_check_refuses_what_cannot_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text("[rules.max_contracts]\nlimit = 0\n", encoding="utf-8")
    for words in (["mine.toml"], ["--config", "mine.toml"]):
        assert run(["config", "check", *words]) == 2
        assert capsys.readouterr().err == (
            "error: mine.toml: rules.max_contracts.limit = 0: must be a whole number from 1 to 10000 (contracts)\n"
        )
    assert run(["config", "check", "mine.toml", "--config", "mine.toml"]) == 2
    assert run(["config", "check", "absent.toml"]) == 2


def test_show_prints_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--set", "rules.daily_realized_loss.loss_limit=400.10", "--quiet"]
    assert run(["config", "show", *words]) == 0
    text = capsys.readouterr().out
    assert 'loss_limit = "400.1"' in text
    assert read_settings(text).plain == read_settings("", ["rules.daily_realized_loss.loss_limit=400.1"]).plain
    assert run(["config", "show", *words, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["settings"]["rules"]["daily_realized_loss"]["loss_limit"] == "400.1"
    assert shown["source"] == "defaults"


def test_init_that_cannot_write_exits_6(capsys: pytest.CaptureFixture[str]) -> None:
    Path("riskcore.toml").mkdir()
    assert run(["config", "init", "--force"]) == 6
    assert "riskcore.toml: cannot be written" in capsys.readouterr().err


def test_init_writes_a_preset_that_checks_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "init", "--preset", "combine-50k"]) == 0
    assert run(["config", "check"]) == 0
    captured = capsys.readouterr()
    assert "5 rules, 1 programme switched on, 0 warnings" in captured.out
    assert "note: one day may make 1650.00" in captured.err
    assert run(["config", "init", "--force", "--preset", "combine-75k"]) == 2
    assert "'combine-75k' is not one of" in capsys.readouterr().err


def test_everything_wrong_with_a_file_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        """
bogus = 1
[profile]
nmae = "x"
reset_time = 5
[rules.max_contracts]
limit = -1
limt = 3
[rules.daily_realized_los]
[[rules.period_loss]]
period = "yearly"
[[rules.period_loss]]
loss_limit = "x"
[accounts."1".rules.max_contracts]
limit = 0
""",
        encoding="utf-8",
    )
    assert run(["config", "check", str(path)]) == 2
    error = capsys.readouterr().err
    wrong = ["bogus", "profile.nmae", "profile.reset_time = 5", "rules.max_contracts.limit = -1"]
    wrong += ["rules.max_contracts.limt", "rules.daily_realized_los:", "rules.period_loss.0.period = 'yearly'"]
    wrong += ["rules.period_loss.1.loss_limit = 'x'", "accounts.1.rules.max_contracts.limit = 0"]
    assert all(one in error for one in wrong), error
    assert all(line.removeprefix("error: ").startswith(str(path)) for line in error.splitlines())
