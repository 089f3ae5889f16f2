"""The pytest plugin: recorded days as tests, and nothing at all for everybody else."""

import json
import shutil

import pytest

from fixtures.make_days import FOLDER

pytest_plugins = ["pytester"]
DAY = "voided-trade"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with one test of its own and one recorded day."""
    shutil.copytree(FOLDER / DAY, pytester.path / "days" / DAY)
    pytester.makepyfile(test_own="def test_own(): pass")
    return pytester


def configure(project: pytest.Pytester, more: str = "") -> None:
    project.makeini(f"[pytest]\nriskcore_days = days\n{more}")


def spoil(project: pytest.Pytester) -> None:
    path = project.path / "days" / DAY / "expected.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    value["rejected_lines"] = 7
    path.write_text(json.dumps(value), encoding="utf-8")


def test_without_configuration_recordings_are_not_looked_at(project: pytest.Pytester) -> None:
    project.runpytest().assert_outcomes(passed=1)


def test_a_configured_folder_is_part_of_a_whole_run(project: pytest.Pytester) -> None:
    configure(project)
    result = project.runpytest("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"*days/{DAY}/session.jsonl::{DAY} PASSED*"])


def test_a_configured_folder_joins_testpaths(project: pytest.Pytester) -> None:
    (project.path / "tests").mkdir()
    (project.path / "test_own.py").rename(project.path / "tests" / "test_own.py")
    configure(project, "testpaths = tests\n")
    project.runpytest().assert_outcomes(passed=2)


def test_chosen_tests_run_without_the_days(project: pytest.Pytester) -> None:
    configure(project)
    project.runpytest("test_own.py").assert_outcomes(passed=1)
    project.runpytest("test_own.py::test_own").assert_outcomes(passed=1)


def test_one_day_can_be_chosen(project: pytest.Pytester) -> None:
    configure(project)
    project.runpytest(f"days/{DAY}").assert_outcomes(passed=1)
    project.runpytest(f"days/{DAY}/session.jsonl::{DAY}").assert_outcomes(passed=1)
    project.runpytest("-k", DAY).assert_outcomes(passed=1, deselected=1)


def test_the_option_names_a_folder_for_one_run(project: pytest.Pytester) -> None:
    project.runpytest("--riskcore-days", "days").assert_outcomes(passed=2)
    project.runpytest("--riskcore-days", "days", "test_own.py").assert_outcomes(passed=2)


def test_a_difference_fails_and_is_told(project: pytest.Pytester) -> None:
    configure(project)
    spoil(project)
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"*recorded day {DAY}*", "*rejected_lines: expected 7, got 0*"])
    assert "Traceback" not in result.stdout.str()


def test_a_day_that_cannot_be_read_fails_and_says_why(project: pytest.Pytester) -> None:
    configure(project)
    (project.path / "days" / DAY / "session.jsonl").write_text("{}\n", encoding="utf-8")
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the header is missing*"])


def test_several_sessions_of_a_folder_are_one_test(project: pytest.Pytester) -> None:
    configure(project)
    folder = project.path / "days" / DAY
    (folder / "session.jsonl").rename(folder / "b.jsonl")
    later = (FOLDER / "daily-loss" / "session.jsonl").read_bytes()
    (folder / "c.jsonl").write_bytes(later)
    result = project.runpytest("-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"*{DAY}/b.jsonl::{DAY} FAILED*"])


def test_other_json_lines_files_are_left_alone(project: pytest.Pytester) -> None:
    configure(project)
    (project.path / "notes.jsonl").write_text("{}\n", encoding="utf-8")
    project.runpytest().assert_outcomes(passed=2)


def test_a_folder_that_is_not_there_is_a_usage_error(project: pytest.Pytester) -> None:
    result = project.runpytest("--riskcore-days", "absent")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*absent is no folder*"])


def test_starting_pytest_imports_nothing_of_riskcore_but_the_plugin(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_own="""
        import sys

        def test_own():
            loaded = sorted(name for name in sys.modules if name.split(".")[0] in ("riskcore", "replay", "adapters"))
            assert loaded == ["riskcore", "riskcore.own_packages", "riskcore.pytest_plugin"]
        """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_plugin_is_installed_under_its_name(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(["*--riskcore-days=DIR*"])
    assert "riskcore_days (paths)" in result.stdout.str()
