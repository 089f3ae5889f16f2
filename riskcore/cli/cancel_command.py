"""`riskcore cancel`: the same as `riskcore order cancel`."""

from riskcore.cli.order_commands import cancel as command

__all__ = ["command"]
