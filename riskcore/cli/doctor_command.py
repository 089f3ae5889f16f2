"""`riskcore doctor`: is this machine ready for `riskcore live`, and what is to be done if not."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import broker_options, config_options, output_options, print_json, store_option
from riskcore.cli.print_text import print_text
from riskcore.errors import ConfigError
from riskcore.version import VERSION

if TYPE_CHECKING:
    from riskcore.cli.doctor_checks import Check
    from riskcore.settings.config import Settings

SCHEMA = "riskcore.doctor/1"
_DEFAULT_PROFILE = "default"


@click.command(epilog="Example: riskcore doctor --offline")
@config_options
@store_option
@broker_options
@click.option("--offline", is_flag=True, help="Do not ping the broker.")
@click.option("--login", "tries_login", is_flag=True, help="Also log in, list the accounts, open both hubs, log out.")
@output_options
def command(
    config_path: Path | None,
    sets: tuple[str, ...],
    store: str | None,
    api_url: str,
    rtc_url: str,
    offline: bool,
    tries_login: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check this machine, the settings, the journal and the connection to the broker, and report what is wrong.

    Works without credentials and without a network, sends nothing but a ping (more with --login), and prints no
    secret. Exit code 1 when something would stop riskcore live, such as a missing login; warnings are exit code 0.
    """
    if offline and tries_login:
        raise ConfigError("--login asks the broker, --offline does not: give one of them")
    from riskcore.cli.doctor_checks import settings_checks

    settings, found = settings_checks(config_path, sets)
    checks = list(_checks(settings, found, store, api_url, rtc_url, offline))
    if tries_login and not any(check.name == "login" and check.state == "fail" for check in checks):
        from riskcore.cli.doctor_broker import login_checks

        accounts = () if settings is None else settings.plain["profile"]["accounts"]
        checks += login_checks(os.environ, api_url, rtc_url, accounts)
    failed = [check for check in checks if check.state == "fail"]
    if as_json:
        print_json(result_of(checks))
    else:
        lines = [_line(check) for check in checks if not quiet or check.state != "ok"]
        lines += [] if quiet else ["", _summary(checks)]
        if lines:
            print_text("\n".join(lines), "" if settings is None else settings.plain["profile"]["timezone"])
    return 1 if failed else 0


def _checks(
    settings: "Settings | None", found: "list[Check]", store: str | None, api_url: str, rtc_url: str, offline: bool
) -> "Iterator[Check]":
    from riskcore.cli import doctor_broker as broker
    from riskcore.cli import doctor_checks as machine
    from riskcore.cli.doctor_journal import journal_checks
    from riskcore.live.remote_host import host_facts
    from riskcore.settings.config import read_settings
    from riskcore.store.location import FILE_NAME, user_data_folder
    from riskcore.store.server_url import is_server

    now = datetime.now(UTC)
    yield machine.python_check(sys.version_info[:2])
    yield machine.packages_check()
    yield from found
    plain = (settings or read_settings("")).plain
    yield machine.calendar_check(now)
    yield machine.programme_check(plain, now)
    yield machine.zone_check(plain, time.time_ns())
    where = store or str(user_data_folder() / FILE_NAME)
    profile = str(plain["profile"]["name"]) if settings is not None else _DEFAULT_PROFILE
    looked = journal_checks(where, profile)
    yield machine.clock_check(now, machine.clock_drift_ms(), looked.last_at)
    if not is_server(where):
        yield machine.disk_check(Path(where.removeprefix("sqlite://")).resolve().parent)
    yield from looked.checks
    yield broker.credentials_check(os.environ)
    yield broker.address_check(api_url, rtc_url, os.environ)
    if not offline:
        yield broker.reachable_check(api_url)
    yield machine.host_check(host_facts(os.environ))


def result_of(checks: "list[Check]") -> dict[str, Any]:
    """The report as `--json` prints it."""
    states = [check.state for check in checks]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "ready": "fail" not in states,
        "counts": {state: states.count(state) for state in ("ok", "warn", "fail")},
        "checks": [
            {"name": check.name, "state": check.state, "text": check.text, "advice": check.advice or None}
            for check in checks
        ],
    }


def _line(check: "Check") -> str:
    text = "; ".join(check.text.splitlines())
    advice = f"\n{'':<6}{'':<14}-> {check.advice}" if check.advice and check.state != "ok" else ""
    return f"{check.state:<4}  {check.name:<13} {text}{advice}"


def _summary(checks: "list[Check]") -> str:
    failed = [check.name for check in checks if check.state == "fail"]
    warned = [check.name for check in checks if check.state == "warn"]
    if failed == ["login"]:
        return "ready for riskcore live --simulated; riskcore live needs a login"
    if failed:
        return f"not ready for riskcore live: {', '.join(dict.fromkeys(failed))}"
    if "broker" in warned:
        return "ready for riskcore live --simulated; riskcore live needs what the warnings name"
    return "ready for riskcore live" + (", with warnings" if warned else "")
