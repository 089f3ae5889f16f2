"""`riskcore modify-stop`: the same as `riskcore order modify-stop`."""

from riskcore.cli.order_commands import modify_stop as command

__all__ = ["command"]
