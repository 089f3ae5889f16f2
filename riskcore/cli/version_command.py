"""`riskcore version`: what is installed here, for a report or a script."""

import platform
from importlib.util import find_spec
from typing import Any

import click

from riskcore.cli.options import print_json
from riskcore.cli.print_text import print_text

SCHEMA = "riskcore.version/1"
# Each extra and the module that it brings.
EXTRAS = {
    "alerts": "apprise",
    "cluster": "distributed",
    "keyring": "keyring",
    "metrics": "prometheus_client",
    "postgres": "psycopg",
    "report": "PIL",
}


@click.command(epilog="Example: riskcore version --json")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(as_json: bool) -> None:
    """Show the version, the data and formats it comes with, and which extras are installed."""
    from replay.recording import WIRE_FORM
    from riskcore.schema.export import FORM
    from riskcore.settings.calendar import calendar_ends
    from riskcore.settings.programme_figures import shipped
    from riskcore.version import VERSION

    row: dict[str, Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "programme_date": shipped().version,
        "calendar_ends": calendar_ends(),
        "store_schema": FORM,
        "session_forms": [WIRE_FORM, FORM],
        "extras": {name: find_spec(module) is not None for name, module in EXTRAS.items()},
    }
    if as_json:
        print_json(row)
        return
    have = [name for name, there in row["extras"].items() if there]
    print_text(f"riskcore {VERSION}")
    print_text(f"Python {row['python']} ({row['implementation']}) on {row['platform']}")
    print_text(f"figures of the programme as of {row['programme_date']}; calendar until {row['calendar_ends']}")
    print_text(f"stores and reads {', '.join(row['session_forms'])}")
    print_text(f"extras: {', '.join(have) or 'none'}")
