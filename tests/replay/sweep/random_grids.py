"""Random grids from one seed: over any field of any rule, of the programme, of a group and of the profile."""

from itertools import product
from random import Random
from typing import Any

from riskcore.core.rules import RULES
from riskcore.core.rules.base import parameters_of
from riskcore.errors import ConfigError
from riskcore.settings.config import load_settings
from tests.replay.random_days import ACCOUNTS, settings_sets

# Of kinds that have no number to turn, and of numbers for which careless traders' days need other sizes.
VALUES = {
    "limits": ('{"MNQ"=1, "ES"=2}', '{"MNQ"=2, "MCL"=1}', "{}"),
    "unknown_symbol_action": ('"block"', '"allow_unlimited"', '"allow_with_limit:1"'),
    "cooldowns": ("{minute=30, hour=900}", "{minute=60, hour=1800}", "{minute=5, hour=60}"),
    "session_lockout": ('"until_reset"', '"duration:60"', '"duration:900"'),
    "loss_thresholds": (
        "[{loss_amount=20, cooldown_seconds=60}]",
        "[{loss_amount=20, cooldown_seconds=300}]",
        "[{loss_amount=60, cooldown_seconds=60}, {loss_amount=200, cooldown_seconds=900}]",
    ),
    "consecutive_losses": ("{count=2, cooldown_seconds=120}", "{count=3, cooldown_seconds=120}"),
    "windows": ('[{start="08:30", end="15:00"}]', '[{start="14:05", end="15:30"}]'),
    "warn_before_end_seconds": ("[60]", "[300, 30]"),
    "blocked_symbols": ('["MCL"]', '["MNQ"]', "[]"),
    "warn_at": ("[0.5]", "[0.7, 0.9]", '"off"'),
    "auto_stop_loss": ("{ticks=10}", "{ticks=30}"),
    "auto_breakeven": ("{profit_trigger_ticks=4}", "{profit_trigger_ticks=12}"),
    "trailing_stop": ("{activation_ticks=6, distance_ticks=4}", "{activation_ticks=6, distance_ticks=9}"),
    "max_hold_minutes": ("1", "3", "30"),
    "give_back": ("{arm=30, fraction=0.3}", "{arm=30, fraction=0.6}", "{arm=90, fraction=0.3}"),
    "grace_period_seconds": ("2", "9", "40"),
    "confirm_ms": ("0", "300", "1500"),
    "per_minute": ("1", "2", "3"),
    "per_hour": ("3", "6", "10"),
    "per_session": ("4", "9", "15"),
    "place_stop_ticks": ("8", "25"),
    "cooldown_seconds": ("20", "120", "900"),
}
PROGRAMME = ("programme.name=topstep", "programme.stage={}", "programme.size=50K")
BESIDE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("profile.mark", ("last", "conservative")),
    ("profile.pnl_basis", ("net", "gross")),
    ("profile.strict_mode", ("false", "true")),
)
OF_THE_PROGRAMME = (
    ("programme.size", ("50K", "100K")),
    ("programme.stage", ("combine", "xfa")),
    ("programme.daily_loss_limit", ("off", "100")),
)


def values_of(field: Any, random: Random) -> tuple[str, ...]:
    """Some values of one field, as `--set` takes them."""
    kind, options = field.metadata["kind"], field.metadata
    if field.name in VALUES:
        return VALUES[field.name]
    if kind == "bool":
        return ("true", "false")
    if kind == "choice":
        return tuple(f'"{one}"' for one in options["choices"])
    if kind == "money":
        return tuple(str(one) for one in random.sample((5, 10, 20, 30, 45, 60, 90, 150, 300), 4))
    if kind == "fraction":
        return ("0.2", "0.5", "0.8")
    if kind == "int":
        return tuple(str(one) for one in random.sample((1, 2, 3, 4, 5, 8, 12), 3))
    return ()


def random_grid(random: Random, most: int = 12) -> list[dict[str, Any]]:
    """Plain settings that differ in one to three fields; some of them in nothing."""
    base = settings_sets(random)
    rules = [rule for rule in RULES if any(one.startswith(f"rules.{rule.name}.") for one in base)] or list(RULES)
    fields = [
        (f"rules.{rule.name}.{one.name}", values_of(one, random)) for rule in rules for one in parameters_of(rule)
    ]
    if random.random() < 0.3:
        account = random.choice(ACCOUNTS)
        fields += [(f"accounts.{account}.{name}", values) for name, values in fields]
    if random.random() < 0.25:
        base += [one.format(random.choice(("combine", "xfa"))) for one in PROGRAMME]
        fields += [one for one in OF_THE_PROGRAMME for _ in range(4)]
    fields += [(f"rules.{random.choice(rules).name}.{name}", ("true", "false")) for name in ("enabled", "shadow")]
    fields += BESIDE
    chosen = random.sample([one for one in fields if one[1]], random.choice((1, 1, 2, 2, 3)))
    found = []
    cells = list(product(*([f"{name}={value}" for value in values] for name, values in chosen)))
    for cell in random.sample(cells, min(len(cells), most)):
        try:
            found.append(load_settings(None, [*base, *cell]).plain)
        except ConfigError:
            continue  # The cell makes no sense together with what is on.
    return found or random_grid(random, most)
