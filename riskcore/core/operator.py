"""What the operator asks for: a personal lockout, to be flat, an early unlock (RULES.md 3.1, 7)."""

from riskcore.core.arbitrate import Candidate
from riskcore.core.events import Command, FlattenRequested, LockRequested, OperatorOverride, ProgrammeReset
from riskcore.core.issuers import OPERATOR_ID, OPERATOR_KEY
from riskcore.core.kinds import LockoutKind
from riskcore.core.names import ACCOUNT
from riskcore.core.programme.maximum_loss import ID as MAXIMUM_LOSS_ID
from riskcore.core.rulebook import Profile
from riskcore.core.rules.commands import CANCEL_ALL, FLATTEN
from riskcore.core.state import Account
from riskcore.core.view import View

PERSONAL_KEY = "personal"
NEVER_UNLOCKED: tuple[LockoutKind, ...] = ("condition", "terminal")


def operator_candidates(view: View) -> list[Candidate]:
    """Commands of a personal lockout (locked until the instant, and flat), or of being flat without one."""
    body = view.event.body
    if isinstance(body, LockRequested):
        lock = _personal_lock(body)
        commands: tuple[Command, ...] = (lock, *FLATTEN) if body.flatten else (lock,)
    elif isinstance(body, FlattenRequested):
        commands = FLATTEN if body.positions else (CANCEL_ALL,)
    else:
        return []
    origin = f"{view.event.key}/{view.account.id}/{OPERATOR_ID}"
    return [Candidate(100, OPERATOR_ID, OPERATOR_KEY, origin, None, "", command) for command in commands]


def _personal_lock(body: LockRequested) -> Command:
    return Command(
        "SetLockout",
        scope=ACCOUNT,
        lockout_key=PERSONAL_KEY,
        lockout_kind="until_time",
        expires_at=body.expires_at,
        text=body.reason,
    )


def override_ends(view: View, profile: Profile) -> list[str]:
    """The lockout an operator override ends; none when the policy or the lockout's kind forbids it."""
    body = view.event.body
    if not isinstance(body, OperatorOverride):
        return []
    return [] if override_refusal(view.account, body, profile) else [body.lockout]


def reset_ends(view: View) -> list[str]:
    """The lockouts that a reset of the programme ends: those of the Maximum Loss Limit (PROGRAMME.md 6)."""
    if not isinstance(view.event.body, ProgrammeReset):
        return []
    return [lockout.id for lockout in view.account.lockouts.values() if lockout.rule == MAXIMUM_LOSS_ID]


def override_refusal(account: Account, body: OperatorOverride, profile: Profile) -> str | None:
    """Why an early unlock is refused, None when it is granted (RULES.md 3.1)."""
    lockout = account.lockouts.get(body.lockout)
    if lockout is None:
        return f"there is no lockout {body.lockout} on this account"
    if profile.operator_unlock != "with_reason":
        return 'operator_unlock = "never" is in force: no lockout ends early'
    if lockout.kind in NEVER_UNLOCKED:
        return f"a lockout of {lockout.rule} ({lockout.kind}) cannot be ended by the operator"
    return None if body.reason.strip() else "an early unlock needs a reason"
