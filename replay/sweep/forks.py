"""A pair of courses at one moment, copied: what goes on from there another way changes nothing of the original.

The day is a fact, so both share it. A copy is taken between two facts, when nothing waits to be compared.
"""

from dataclasses import replace

from replay.result import Collector
from replay.sweep.followed_baseline import FollowedBaseline
from replay.sweep.outcome import Follower
from replay.whatif.account_course import AccountCourse, Request
from replay.whatif.counterfactual import Counterfactual
from replay.whatif.course import Course
from replay.whatif.courses import Courses
from replay.whatif.desk import Ids
from riskcore.schema.rows import LockoutHistory


def forked(courses: Courses, follower: Follower) -> tuple[Courses, Follower]:
    """A copy of both courses, of what the counterfactual keeps beside its books, and of what follows it."""
    broker = courses.broker
    recorded, counterfactual = courses.baseline, forked_course(courses.counterfactual)
    baseline = recorded.forked() if isinstance(recorded, FollowedBaseline) else forked_course(recorded)
    beside = follower.beside(counterfactual)
    counterfactual.hear(beside.listen)
    requests: dict[int, Request] = {}
    other = replace(
        courses,
        baseline=baseline,
        counterfactual=counterfactual,
        accounts={name: _forked_account(state, requests) for name, state in courses.accounts.items()},
        days=list(courses.days),
        ids=Ids(courses.ids.given),
        follow=beside.follow,
        _own=courses._own.copy(),
    )
    desk = broker.desk
    other._broker = Counterfactual(desk.day, counterfactual, baseline, courses.options, other.state, other.ids)
    other.broker.desk.requests = [_forked_request(one, requests) for one in desk.requests]
    other.broker.desk.asked = desk.asked
    return other, beside


def forked_course(course: Course) -> Course:
    """A copy of one course that nothing but its own collector listens to."""
    other = Course(
        course.settings,
        course.restrict,
        course.enforces,
        keep_quotes=course.keep_quotes,
        collector=_forked_collector(course.collector),
        drifts=list(course.drifts),
        fired=set(course.fired),
        fired_today=set(course.fired_today),
        cancels=set(course.cancels),
    )
    course.settle()
    other.runner.settings, other.runner.lacks = course.runner.settings, course.runner.lacks
    other.runner.go_back(course.runner.mark())
    return other


def _forked_collector(collector: Collector) -> Collector:
    history = collector.lockouts
    rows = [dict(row) for row in history.rows]
    places = {id(row): index for index, row in enumerate(history.rows)}
    still_open = {name: rows[places[id(row)]] for name, row in history._open.items()}
    return replace(
        collector,
        breaches=list(collector.breaches),
        commands=list(collector.commands),
        lockouts=LockoutHistory(rows, still_open),
        blind=dict(collector.blind),
        days={account: dict(days) for account, days in collector.days.items()},
        programme_days={account: dict(days) for account, days in collector.programme_days.items()},
    )


def _forked_account(state: AccountCourse, requests: dict[int, Request]) -> AccountCourse:
    return replace(
        state,
        frozen=set(state.frozen),
        kept=set(state.kept),
        kept_at=dict(state.kept_at),
        entries=set(state.entries),
        alike=dict(state.alike),
        recorded=dict(state.recorded),
        rates=dict(state.rates),
        rated=dict(state.rated),
        shares=dict(state.shares),
        fills=dict(state.fills),
        dropped=set(state.dropped),
        told_at=dict(state.told_at),
        cancelling=dict(state.cancelling),
        cancelled=set(state.cancelled),
        resting={name: _forked_request(one, requests) for name, one in state.resting.items()},
        flattening=dict(state.flattening),
        closes=[_forked_request(one, requests) for one in state.closes],
        simulated=state.simulated.copy(),
        days={
            name: replace(day, left_out_orders=list(day.left_out_orders), flags=set(day.flags))
            for name, day in state.days.items()
        },
        divergences=list(state.divergences),
    )


def _forked_request(request: Request, known: dict[int, Request]) -> Request:
    """The copy of a request; one that stands in several places stays one."""
    return known.setdefault(id(request), replace(request))
