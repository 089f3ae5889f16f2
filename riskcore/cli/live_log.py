"""`riskcore live --log-json`: stderr carries one JSON object a line and nothing else (docs/operations/metrics.md)."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from riskcore.cli.live_text import Outlet
from riskcore.cli.main import INTERNAL_ERROR, INTERRUPTED
from riskcore.core.raw_text import kept_text
from riskcore.errors import RiskcoreError
from riskcore.live.log_lines import ERROR, WARNING, said_line

Write = Callable[[str], None]


@contextmanager
def log_on_stderr() -> Iterator[Write]:
    """Where the lines of the log go. What the run ends with is a line, too, and leaves as its exit code."""
    outlet = Outlet(sys.stderr)
    handler = _Lines(outlet.write)
    logging.getLogger().addHandler(handler)
    try:
        yield outlet.write
    except RiskcoreError as error:
        _end(outlet.write, str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _end(outlet.write, "interrupted", INTERRUPTED)
    except click.ClickException:
        raise
    except Exception as error:
        _end(outlet.write, kept_text(f"internal error: {type(error).__name__}: {error}"), INTERNAL_ERROR)
    finally:
        logging.getLogger().removeHandler(handler)
        outlet.close()


def _end(write: Write, text: str, code: int) -> None:
    write(said_line(ERROR, text, exit=code))
    raise click.exceptions.Exit(code)


class _Lines(logging.Handler):
    """What libraries warn of, unless it may hold a secret: an address of a hub has a token in it."""

    def __init__(self, write: Write) -> None:
        super().__init__(logging.WARNING)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.name}: {kept_text(record.getMessage())}"
        self._write(said_line(WARNING, text))
