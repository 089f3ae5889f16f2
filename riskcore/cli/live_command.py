"""`riskcore live`: connect, record, decide, enforce (INTERFACE.md 7)."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import click

from riskcore.cli.options import account_option, broker_options, config_options, output_options_saying, store_option


@click.command(epilog="Example: riskcore live --simulated")
@click.option("--dry-run", is_flag=True, help="Decide and record; send nothing.")
@click.option("--record-only", is_flag=True, help="Record; evaluate no rule and send nothing.")
@click.option(
    "--simulated",
    is_flag=False,
    flag_value="daily-loss",
    metavar="[SCENARIO]",
    help="Start the bundled simulated gateway and run against it: no credentials, no configuration.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.jsonl[.gz]",
    help="Also write a wire recording as it happens; an existing file is kept, and a number goes into the name.",
)
@click.option(
    "--log",
    "log_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also append every line to a file: 5 MB each, the last five are kept as FILE.1 to FILE.5.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the simulated gateway.")
@click.option("--stay", is_flag=True, help="With --simulated: continue after the end of the scenario, until Ctrl-C.")
@broker_options
@click.option(
    "--screen/--no-screen", default=None, help="Show a screen instead of lines. Default: on with --simulated."
)
@click.option(
    "--log-json",
    is_flag=True,
    help="Write the log to stderr: one JSON object a line for everything that happens, and nothing else.",
)
@config_options
@store_option
@account_option
@output_options_saying(
    "Print one JSON object a line for everything that happens.",
    "Print only what you must not miss: breaches, lockouts, halts.",
)
def command(
    dry_run: bool,
    record_only: bool,
    simulated: str | None,
    record: Path | None,
    log_path: Path | None,
    seed: int,
    stay: bool,
    api_url: str,
    rtc_url: str,
    screen: bool | None,
    log_json: bool,
    config_path: Path | None,
    sets: tuple[str, ...],
    store: str | None,
    accounts: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Connect to the broker, record every event, decide by the rules, and carry out what was decided.

    Prints one line per breach, command and outcome, with --json one JSON object per line. Ctrl-C stops it
    cleanly. When you restart it with the same store, it continues where it was and finishes what it had begun.
    """
    if simulated is not None:
        _refuse_addresses(click.get_current_context())
    from riskcore.cli.live_options import Options, run
    from riskcore.live.stop_signals import heeding_signals

    with ExitStack() as stack:
        log = None
        if log_json:
            from riskcore.cli.live_log import log_on_stderr

            log = stack.enter_context(log_on_stderr())
        options = Options(
            dry_run=dry_run,
            record_only=record_only,
            simulated=simulated,
            record=record,
            log_path=log_path,
            seed=seed,
            stay=stay,
            api_url=api_url,
            rtc_url=rtc_url,
            screen=screen,
            config_path=config_path,
            sets=sets,
            store=store,
            accounts=accounts,
            as_json=as_json,
            quiet=quiet,
            json_log=log,
        )
        stack.enter_context(heeding_signals())
        asyncio.run(run(options))
    return 0


def _refuse_addresses(context: click.Context) -> None:
    """The bundled gateway has its own addresses; the environment's are those of a broker, and simply not used."""
    for option, name in (("--api-url", "api_url"), ("--rtc-url", "rtc_url")):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{option} is the address of a broker, and --simulated has its own gateway")
