"""Names made of several parts, which are stored: how each is built, and beside it how it is read back.

Nothing else joins or splits these texts. They are stored in journals, so their form never changes.
"""

from typing import NamedTuple

ACCOUNT = "account"  # The scope of a lockout, and the target of a request, that is about the whole account.
_SYMBOL, _ORDER = "symbol:", "order:"
DAY, _LEVEL, _LATE, _ON = "day", "day.level.", "late.", "on."
PERIOD = "period"  # The target of the total of a week or month.


# ---- scopes and ids of lockouts ----------------------------------------------------------------------


def symbol_scope(root: str) -> str:
    """The scope of a lockout of one root."""
    return _SYMBOL + root


def root_of_scope(scope: str) -> str | None:
    """The root a lockout is about; None for the whole account."""
    return scope.removeprefix(_SYMBOL) if scope.startswith(_SYMBOL) else None


class LockoutName(NamedTuple):
    """What the id of a lockout says."""

    scope: str
    rule: str
    key: str


def lockout_id(scope: str | None, rule: str, key: str | None) -> str:
    """The id of a lockout; setting one with the same id again extends it (RULES.md 3.1)."""
    return f"{scope}/{rule}/{key}"


def read_lockout_id(text: str) -> LockoutName:
    """The parts of `lockout_id`; a part that is missing is empty."""
    scope, _, rest = text.partition("/")
    rule, _, key = rest.partition("/")
    return LockoutName(scope, rule, key)


def block_key(rule_key: str) -> str:
    """The key of the lockouts of a block list: each list ends its own ones, not those of another."""
    return f"block.{rule_index(rule_key)}"


# ---- what a rule remembers ---------------------------------------------------------------------------


def rule_key(name: str, index: int) -> str:
    """The address of a configured rule in the settings: daily_realized_loss.0."""
    return f"{name}.{index}"


def rule_index(key: str) -> str:
    """Which of several tables of one rule a `rule_key` names: "0" is the first."""
    return key.rpartition(".")[2]


def episode_name(key: str, target: str) -> str:
    """The name under which an account counts breaches and keeps open episodes of a rule."""
    return f"{key}|{target}"


def episode_key(name: str) -> str:
    """The rule's key of `episode_name`."""
    return name.partition("|")[0]


def episode_target(name: str) -> str:
    """The target of `episode_name`."""
    return name.partition("|")[2]


def memory_name(key: str, name: str) -> str:
    """The name under which an account or a position remembers a rule's `name`."""
    return f"{key}.{name}"


def remembered_name(name: str) -> str:
    """The rule's own name within `memory_name`."""
    return name.split(".", 2)[2]


# ---- targets of breaches -----------------------------------------------------------------------------


def order_target(order_id: int) -> str:
    """The target of a breach that is about one order."""
    return f"{_ORDER}{order_id}"


def order_of_target(target: str) -> int | None:
    """The order of `order_target`; None when the target is no order."""
    number = target.removeprefix(_ORDER)
    return int(number) if number != target and number.isdecimal() else None


def lasts_a_day(name: str) -> bool:
    """Whether an episode's target, or what a rule remembers under a name, ends at the reset."""
    return name.startswith(DAY)


def is_once_per_setting(target: str) -> bool:
    """Whether an episode's target is a total of the day or of a longer period, or a warning before one."""
    return target.startswith((DAY, PERIOD))


def day_level(level: str) -> str:
    """The target of one of several limits on a day's total."""
    return _LEVEL + level


def late_target(trade_date: str) -> str:
    """The target of a breach of an earlier day's total, found by a fill reported late."""
    return _LATE + trade_date


def breached_date(target: str, today: str) -> str | None:
    """The trade date whose total a breach is about; None when the target is no day's total."""
    if target == DAY or target.startswith(_LEVEL):
        return today
    return target.removeprefix(_LATE) if target.startswith(_LATE) else None


def breached_on(trade_date: str) -> str:
    """The counter of a day's total: it breaches once per day and setting, whenever its last fill turns up."""
    return _ON + trade_date


def counted_date(target: str) -> str | None:
    """The trade date of `late_target` or `breached_on`; None when the target is neither."""
    return target.partition(".")[2] if target.startswith((_LATE, _ON)) else None


def is_about_contract(target: str, contract: str) -> bool:
    """Whether a target is a contract, or something of that contract (MNQ.stale)."""
    return target == contract or target.startswith(contract + ".")


def is_about_all_positions(target: str) -> bool:
    """Whether a target is about all positions together: it ends once the account is flat."""
    return target.startswith("total")


# ---- ids of commands and requests --------------------------------------------------------------------


def command_id(origin: str, kind: str, about: str | int | None = None) -> str:
    """The id of a command: the stem of the breach or action it comes from, its kind, and what it is about."""
    return f"{origin}/{kind}" + (f":{about}" if about is not None else "")


def command_kind(text: str) -> str:
    """The kind of `command_id`."""
    return text.rpartition("/")[2].partition(":")[0]


def request_target(kind: str, contract: str | None, order_id: int | None) -> str:
    """What a request acts on: an order, a contract, or the account."""
    return f"{kind}/{contract or ACCOUNT if order_id is None else order_id}"


def request_id(origin: str, target: str, attempt: int) -> str:
    """The id of an attempt at a `request_target`; `origin` is the obligation, or what the trader asked for."""
    return f"{origin}/{target}/{attempt}"


class RequestName(NamedTuple):
    """What the id of a request says. `target` is a contract, the number of an order, or the account."""

    origin: str
    kind: str
    target: str
    attempt: int

    @property
    def order_id(self) -> int | None:
        return int(self.target) if self.target.isdigit() else None

    @property
    def contract(self) -> str | None:
        return None if self.target.isdigit() or self.target == ACCOUNT else self.target


def read_request_id(text: str) -> RequestName | None:
    """The parts of `request_id`; None for anything else."""
    parts = text.rsplit("/", 3)
    if len(parts) < 4 or not parts[-1].isdigit():
        return None
    return RequestName(parts[0], parts[1], parts[2], int(parts[3]))
