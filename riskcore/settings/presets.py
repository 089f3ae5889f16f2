"""Settings to begin with: `riskcore config init --preset NAME`. Figures in them come from the shipped table.

Every value is explained where it stands. A preset is a proposal of ours; only what [programme] says is the firm's.
"""

from riskcore.core.programme.target import allowed_best_day_usd
from riskcore.core.programme.terms import Terms, terms_of
from riskcore.core.quantities import limit_text, money_text
from riskcore.settings.programme import read_programme

_STAGES = {"combine": "a Trading Combine", "xfa": "an Express Funded Account"}
_SIZES = ("50K", "100K", "150K")
OF_PROGRAMME = {f"{stage}-{size.lower()}": (stage, size) for stage in _STAGES for size in _SIZES}
PRESETS = (*OF_PROGRAMME, "topstepx-like", "beginner")

_HEAD = """\
# Settings of riskcore{for_what}.
# Every rule and field: riskcore rules. After a change: riskcore config check.
# A rule is on when its table is here. Amounts are dollars, read exactly. "off" switches an optional limit off.

[profile]
name = "{name}"
accounts = "all"                 # or names and ids: ["50KTC-V2-99000001", 99000002]
timezone = "America/Chicago"     # the trading day runs from reset_time to reset_time in this zone
reset_time = "17:00"
pnl_basis = "net"                # net (fees and commissions count) or gross
mark = "last"                    # last, or conservative: longs at the bid, shorts at the ask
"""

_PROGRAMME = """
[programme]                      # what the firm demands; figures and sources: riskcore programme show
stage = "{stage}"
size = "{size}"
daily_loss_limit = "none"        # "standard" if you bought one with the account: {standard}
{own}mll_buffer = "{buffer}"               # entries stop this far above the floor; at half of it everything is closed
last_entry_minutes = 15          # entries stop this long before 15:10, a product's own close or an early close,
flatten_minutes = 5              # everything is closed this long before it,
hard_minutes = 3                 # and what is still open is closed again; the firm closes from 15:08 on
enforce = ["mll", "dll", "size", "hours"]   # "news" and "hedge" can be added: left out, they only record
"""

_COMBINE = """\
created = "off"                  # the day you bought it, such as 2026-09-15: it decides how much one day may make
"""

_XFA = """\
payout_path = "standard"         # standard ({days} winning days) or consistency
first_payout_taken = false       # true once you were paid out: the floor is 0 from then on
"""

_FLOOR = """\
floor_override = "off"           # the floor as your dashboard shows it, from {lowest} up to {start}: write it here, or
                                 # riskcore live does not know it for certain and does not enforce it
"""

_PERSONAL = """
[rules.max_contracts]            # at most this many minis, ten micros counting as one: {cap}
limit = {minis}
weighting = "mini_equivalent"

[rules.daily_realized_loss]      # your own limit: flat and locked until the reset, before the firm's limits are near
loss_limit = "{day_loss}"
basis = "combined"               # closed and open profit and loss together. It needs prices: a day imported without
                                 # --bars or --quotes is judged with basis = "realized" (closed trades only)

[rules.cooldown_after_loss]      # pauses after a losing trade: 100 for 5 min, 200 for 15 min, 300 for 30 min

[rules.no_stop_loss_grace]       # closes a position that has been without a stop this long
grace_period_seconds = 30

[rules.auth_loss_guard]          # locks when the broker takes the trading rights away
"""

_BEST_DAY = """
# One day may make {best} of the profit ({share} of the target) before the target grows. To stop there:
# [rules.daily_realized_profit]
# profit_target = "{plain}"
"""

_TOPSTEPX = """
[rules.daily_realized_loss]      # Personal Daily Loss Limit, "Liquidate and Block"
loss_limit = "500"
basis = "combined"               # closed and open together, as the platform counts
action = "flatten_and_lock"      # "flatten" is its "Liquidate", "alert" its "Do Nothing"
locked = true                    # the Daily Risk Lock: a change that loosens waits for the reset

[rules.daily_realized_profit]    # Personal Daily Profit Target
profit_target = "1000"
basis = "combined"
action = "flatten_and_lock"

[rules.trade_frequency_limit]    # Trade Limit per day: every entry and every exit counts
per_minute = "off"
per_hour = "off"
per_session = 20
count_unit = "order"             # in with one order and out with three are four, however their fills come
breach_when = "reached"          # at the limit, not beyond it

[rules.max_contracts_per_instrument]   # Contract Limit: positions and working orders together, per side
limits = {{ MNQ = 10, MES = 10 }}
default_limit = 1                # every other product
include_working_orders = true

# Symbol Block: nothing new in these products; what is open and what works already stays.
# [rules.symbol_blocks]
# blocked_symbols = ["CL"]
# close_existing = false
# cancel_orders = false

[rules.auth_loss_guard]          # locks when the broker takes the trading rights away
"""

_BEGINNER = """
[rules.max_contracts]            # one contract at a time; start with micros: MNQ, MES
limit = 1

[rules.daily_realized_loss]      # the day is over at this loss, closed and open together: flat and locked until 17:00
loss_limit = "150"
basis = "combined"
locked = true                    # it cannot be loosened in the middle of a bad day

[rules.daily_unrealized_loss]    # closes a position at this open loss, whatever its stop says
loss_limit = "75"

[rules.daily_realized_profit]    # stop while you are ahead
profit_target = "300"

[rules.trade_frequency_limit]    # few trades: most losses of a first year come from too many. Orders count: an entry
                                 # and its exit are two
per_minute = 1
per_hour = 4
per_session = 10

[rules.cooldown_after_loss]      # a pause after a losing trade, a longer one after two in a row
loss_thresholds = [{{ loss_amount = "25", cooldown_seconds = 300 }}, {{ loss_amount = "50", cooldown_seconds = 900 }}]
consecutive_losses = {{ count = 2, cooldown_seconds = 1800 }}

[rules.no_stop_loss_grace]       # every position needs a stop within this time
grace_period_seconds = 15

[rules.session_block_outside]    # only the regular session of the stock market, and flat at its end
windows = [{{ days = ["Mon", "Tue", "Wed", "Thu", "Fri"], start = "08:30", end = "15:00" }}]

[rules.auth_loss_guard]          # locks when the broker takes the trading rights away
"""


def preset_text(name: str) -> str:
    """The file of a preset. Raises KeyError for an unknown one."""
    if name in OF_PROGRAMME:
        return _of_programme(name, *OF_PROGRAMME[name])
    body = {"topstepx-like": _TOPSTEPX, "beginner": _BEGINNER}[name]
    what = {"topstepx-like": " in the words of the TopstepX platform", "beginner": " for the first months"}[name]
    return _HEAD.format(name=name, for_what=what) + body.format()


def _of_programme(name: str, stage: str, size: str) -> str:
    terms = _terms(stage, size, "none")
    assert terms.maximum_loss_usd is not None, "a Combine and an XFA have a maximum loss"
    standard = _terms(stage, size, "standard").loss_limit_usd
    assert standard is not None, "a daily loss limit can be bought with both"
    assert terms.start_usd is not None, "a Combine and an XFA have a start balance"
    start, lowest = limit_text(terms.start_usd), limit_text(terms.start_usd - terms.maximum_loss_usd)
    own = _COMBINE if stage == "combine" else _XFA.format(days=terms.payout_days)
    own += _FLOOR.format(lowest=lowest, start=start)
    programme = _PROGRAMME.format(
        stage=stage,
        size=size,
        standard=limit_text(standard),
        own=own,
        buffer=limit_text(terms.mll_buffer_usd),
    )
    # Ours: half of what the firm allows in a day, and the smallest cap the account ever has.
    lots = terms.scaling[0][1] if terms.scaling else (terms.size_cap_units or 0) // 10
    cap = "the firm's cap to begin with" if terms.scaling else "the firm's own cap"
    personal = _PERSONAL.format(minis=lots, cap=cap, day_loss=limit_text(standard // 2))
    return (
        _HEAD.format(name=name, for_what=f" for {_STAGES[stage]} of {size}") + programme + personal + _best_day(terms)
    )


def _best_day(terms: Terms) -> str:
    best_usd = allowed_best_day_usd(terms)
    if best_usd is None or terms.target_usd is None:
        return ""
    share = f"{best_usd * 100 // terms.target_usd} %"
    return _BEST_DAY.format(best=money_text(best_usd), share=share, plain=limit_text(best_usd))


def _terms(stage: str, size: str, daily_loss_limit: str) -> Terms:
    raw = {"stage": stage, "size": size, "daily_loss_limit": daily_loss_limit}
    return terms_of(read_programme(raw, "programme", [])["terms"])
