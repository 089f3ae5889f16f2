"""One decision explained to its last number: input, figures at the limit, breach, commands and their outcomes."""

from collections.abc import Sequence

from riskcore.audit.decisions import Decision, Decisions, Stored
from riskcore.audit.words import describe
from riskcore.audit.written import written_rule
from riskcore.core.events import CommandIssued, RuleBreached
from riskcore.core.issuers import TITLES
from riskcore.core.names import read_request_id
from riskcore.core.rulebook import title_of
from riskcore.errors import ConfigError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row, breach_row, command_row

SCHEMA = "riskcore.why/1"
MOST_CANDIDATES = 12


def explain(decisions: Decisions, wanted: str, accounts: Sequence[str] = ()) -> Row:
    """The explanation of a breach or command, named by its id, or by a beginning or end only it has.

    Raises ConfigError when there is no such decision, or several.
    """
    decision = _found(decisions, wanted, accounts)
    breach = _breach_of(decisions, decision)
    shown = breach or decision
    body = shown.body
    return {
        "schema": SCHEMA,
        "id": decision.body.id,
        "kind": "breach" if isinstance(decision.body, RuleBreached) else "command",
        "profile": shown.opened.profile,
        "trade_date": shown.opened.day.trade_date,
        "timezone": shown.opened.day.timezone,
        "version": shown.opened.version,
        "account": {"id": body.account, "name": shown.account_name},
        "rule": {
            "id": body.rule,
            "key": body.rule_key,
            "title": TITLES.get(body.rule) or title_of(body.rule),
            "settings": written_rule(shown.opened.settings, body.account, shown.account_name, body.rule_key),
        },
        "input": _event(shown.input),
        "breach": None if breach is None else _breach(breach),
        "lockout": shown.lockout,
        "state": shown.state,
        "left_out": list(shown.left_out),
        "commands": [_command(decisions, one) for one in _commands_of(decisions, shown)],
        "already_in_force": [
            _command(decisions, decisions.by_id[name]) for name in shown.in_force if name in decisions.by_id
        ],
    }


def _found(decisions: Decisions, wanted: str, accounts: Sequence[str]) -> Decision:
    known = {
        name: decision
        for name, decision in decisions.by_id.items()
        if not accounts or str(decision.body.account) in accounts or decision.account_name in accounts
    }
    request = read_request_id(wanted)
    if wanted not in known and request is not None and request.origin in known:
        return known[request.origin]  # What was sent is explained by its command.
    if wanted in known:
        return known[wanted]
    matching = [name for name in known if wanted and (name.startswith(wanted) or name.endswith(wanted))]
    matching = matching or _of_rule(known, wanted)
    # A breach and its own commands share their beginning: the breach is meant.
    breaches = [name for name in matching if isinstance(known[name].body, RuleBreached)]
    if len(breaches) == 1 and all(_belongs(known[name], breaches[0]) for name in matching):
        return known[breaches[0]]
    if len(matching) == 1:
        return known[matching[0]]
    if not matching:
        raise ConfigError(f"no breach or command {wanted[:80]!r} in these days; riskcore audit lists them")
    listed = "\n".join(f"  {_candidate(known[name])}" for name in matching[:MOST_CANDIDATES])
    more = f"\n  and {len(matching) - MOST_CANDIDATES} more" if len(matching) > MOST_CANDIDATES else ""
    raise ConfigError(f"{wanted[:80]!r} fits {len(matching)} decisions; give the id of one:\n{listed}{more}")


def _of_rule(known: dict[str, Decision], wanted: str) -> list[str]:
    """The breaches of a rule, or else its commands; it is named by its id, its table, or one of several such tables."""
    rule = wanted.lower()
    bodies = {name: decision.body for name, decision in known.items()}
    decided = [
        name
        for name, body in bodies.items()
        if rule in (body.rule.lower(), body.rule_key.lower(), body.rule_key.rpartition(".")[0].lower())
    ]
    return [name for name in decided if isinstance(bodies[name], RuleBreached)] or decided


def _candidate(decision: Decision) -> str:
    """A decision in one line: its id, when it was made, and what it says."""
    body, at = decision.body, utc_text(decision.stored.event.at)
    if isinstance(body, RuleBreached):
        what = "  ".join(f"{name} {value}" for name, value in sorted(body.figures.items()))
    else:
        what = body.command.kind
    return f"{body.id}  {at}  {body.rule}  {what}"


def _belongs(decision: Decision, breach: str) -> bool:
    body = decision.body
    return body.id == breach or (isinstance(body, CommandIssued) and body.breach == breach)


def _breach_of(decisions: Decisions, decision: Decision) -> Decision | None:
    body = decision.body
    if isinstance(body, RuleBreached):
        return decision
    return decisions.by_id.get(body.breach) if body.breach is not None else None


def _commands_of(decisions: Decisions, shown: Decision) -> list[Decision]:
    """All commands issued for the account at the same event: those of a stronger rule stand for merged ones."""
    return [
        one
        for one in decisions.by_id.values()
        if isinstance(one.body, CommandIssued)
        and one.body.account == shown.body.account
        and one.stored.event.cause == shown.stored.event.cause
        and one.opened is shown.opened
    ]


def _event(stored: Stored) -> Row:
    event = stored.event
    return {
        "seq": stored.seq,
        "at": utc_text(event.at),
        "type": type(event.body).__name__,
        "source": event.source,
        "key": event.key,
        "text": describe(event),
    }


def _breach(decision: Decision) -> Row:
    body = decision.body
    assert isinstance(body, RuleBreached), "only a breach is shown as one"
    return {"seq": decision.stored.seq, **breach_row(decision.stored.event, body), "parts": decision.parts}


def _command(decisions: Decisions, decision: Decision) -> Row:
    body = decision.body
    assert isinstance(body, CommandIssued), "only a command is shown as one"
    return {
        "seq": decision.stored.seq,
        **command_row(decision.stored.event, body),
        "met_at": None,
        "met_after_seconds": None,
        **decisions.enforcement.outcome_row(body.id),
        "met_by": None if decision.met_by is None else _event(decision.met_by),
        "requests": decisions.enforcement.request_rows(body.id),
    }
