"""`riskcore modify-target`: the same as `riskcore order modify-target`."""

from riskcore.cli.order_commands import modify_target as command

__all__ = ["command"]
