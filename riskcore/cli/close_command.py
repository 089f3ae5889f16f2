"""`riskcore close`: the same as `riskcore order close`."""

from riskcore.cli.order_commands import close as command

__all__ = ["command"]
