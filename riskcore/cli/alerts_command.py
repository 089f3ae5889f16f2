"""`riskcore alerts`: try the channels of `[alerts]` before you need them."""

from pathlib import Path

import click

from riskcore.cli.options import Family, config_options, output_options, print_json
from riskcore.cli.print_text import print_text

SCHEMA = "riskcore.alerts/1"
TITLE = "riskcore: test"
BODY = "This is a test of riskcore. Nothing happened, and you need do nothing."


@click.group(cls=Family, epilog="Example: riskcore alerts test")
def command() -> None:
    """Test the alerts that [alerts] of the settings names."""


@command.command(epilog="Example: riskcore alerts test desktop")
@click.argument("channel", required=False)
@config_options
@output_options
def test(
    channel: str | None, config_path: Path | None, sets: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Send one test alert to each channel, or to CHANNEL, and report the outcome of each.

    CHANNEL is named by its scheme; the second of one scheme is scheme-2. Exit code 1 when any of them failed, or when
    there is none.
    """
    from adapters.alerts.channel import attempt
    from adapters.alerts.channels import sender_of
    from riskcore.settings.alerts import channels_named
    from riskcore.settings.config import load_settings

    settings = load_settings(config_path, sets).alerts
    found = [(one.name, attempt(sender_of(one), TITLE, BODY, "warning")) for one in channels_named(settings, channel)]
    if as_json:
        rows = [{"channel": name, "sent": why is None, "reason": why} for name, why in found]
        print_json({"schema": SCHEMA, "channels": rows})
    else:
        for name, why in found:
            if why is not None or not quiet:
                print_text(f"{name}: {'sent' if why is None else f'not sent: {why}'}")
        if not found:
            print_text("no channel in [alerts]: nobody is alerted")
    return 1 if not found or any(why is not None for _, why in found) else 0
