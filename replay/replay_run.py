"""One replay as the commands run it: settings, sessions, and a journal kept when asked for."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from replay.left_out import warn_of_left_out
from replay.recording import detect_form
from replay.sessions import Options, Progress, Replay, Warn, ignore
from riskcore.core.events import Body, ContractDescribed, Event, TradingDayOpened
from riskcore.core.products import table_difference
from riskcore.core.runner import Listener
from riskcore.core.state import Contract
from riskcore.errors import ConfigError, StoreError
from riskcore.schema.payloads import Pending
from riskcore.settings.config import Given, settings_of
from riskcore.settings.user_rules import changed_since
from riskcore.store.journal import Journal
from riskcore.version import VERSION


def run_replay(
    sessions: Sequence[Path],
    *,
    config_path: Given = None,
    sets: Sequence[str] = (),
    config_given: bool = False,
    restrict: tuple[str, ...] = (),
    store: str | None = None,
    skip_bad_lines: bool = False,
    strict: bool = False,
    every_event: bool = False,
    keep_quotes: bool = False,
    from_cache: bool = False,
    warn: Warn = ignore,
    progress: Progress = ignore,
    listeners: tuple[Listener, ...] = (),
) -> dict[str, Any]:
    """The result of INTERFACE.md 5; `keep_quotes` hands quiet quotes to the listeners too.

    Raises ConfigError, InputError, StoreError and their kin.
    """
    if not sessions:
        raise ConfigError("give one session file or more")
    forms = [detect_form(path, skip_bad_lines=skip_bad_lines) for path in sessions]
    if "journal" in forms and (sets or config_given):
        raise ConfigError(
            "a journal export is judged by the settings it carries; use whatif for others, or leave out --set/--config"
        )
    settings = settings_of(config_path if "wire" in forms else None, sets)
    if "wire" in forms:
        for text in settings.warnings:
            warn(text)
    messages: Pending | None = None
    with ExitStack() as stack:
        if store is not None:
            journal = stack.enter_context(Journal.open(store, settings.plain["profile"]["name"], write=True))
            if journal.streams():
                raise StoreError(f"{store}: already holds days of this profile; replay into a new store")
            messages = Pending()
            listeners = (*listeners, Keeper(journal, messages).keep)
        listeners = (*listeners, Economics(warn).note, warn_of_left_out(warn), Changes(warn).note)
        options = Options(
            settings.plain,
            VERSION,
            restrict=restrict,
            skip_bad_lines=skip_bad_lines,
            strict=strict,
            every_event=every_event,
            keep_quotes=keep_quotes or store is not None,
            from_cache=from_cache,
            listeners=listeners,
            keep_messages=messages.add if messages is not None and settings.keep_payloads != "off" else None,
            keep_market=settings.keep_payloads == "all",
        )
        return Replay(options, warn, progress).run(sessions)


class Economics:
    """Warns once of each contract whose tick the broker and the built-in table value differently (RULES.md 1.2)."""

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        self._told: list[str] = []

    def note(self, events: Sequence[Event]) -> None:
        for event in events:
            for contract in _described(event.body):
                difference = table_difference(contract) if contract.id not in self._told else None
                if difference is not None:
                    self._told.append(contract.id)
                    self._warn(f"{difference}; the broker's is used")


class Changes:
    """Warns once of each rule of the user's own that is another one than the days were judged by."""

    def __init__(self, warn: Warn) -> None:
        self._warn = warn
        self._told: list[str] = []

    def note(self, events: Sequence[Event]) -> None:
        for event in events:
            for text in changed_since(event.body.settings) if isinstance(event.body, TradingDayOpened) else ():
                if text not in self._told:
                    self._told.append(text)
                    self._warn(text)


def _described(body: Body) -> Sequence[Contract]:
    """The contracts a broker record describes, also one of an earlier day."""
    if isinstance(body, TradingDayOpened):
        return body.contracts
    return (body.contract,) if isinstance(body, ContractDescribed) else ()


class Keeper:
    """Appends what a run hands on to a journal."""

    def __init__(self, journal: Journal, messages: Pending) -> None:
        self.journal = journal
        self._messages = messages

    def keep(self, events: Sequence[Event]) -> None:
        """Store events, with the messages received by then; the reader is ahead of what is judged."""
        self.journal.append(events, self._messages.of(events))
