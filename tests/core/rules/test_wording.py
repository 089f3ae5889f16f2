"""Every rule and every other issuer of alerts has its sentences, before a limit and at it."""

import pytest

from riskcore.core.groups.registry import GROUP_RULES
from riskcore.core.issuers import TITLES
from riskcore.core.programme.registry import PROGRAMME
from riskcore.core.rules import RULES, STANDING, wording
from riskcore.core.rules.base import Rule
from riskcore.core.rules.wording import ANY_LIMIT, OF_ISSUERS, Advice, allowed_words

EVERY_RULE = [*RULES, *STANDING, *(one.rule for one in PROGRAMME), *GROUP_RULES]
EVERY_ADVICE = {name: one for name, one in vars(wording).items() if isinstance(one, Advice)}
SENTENCES = [
    *(sentence for one in (*EVERY_ADVICE.values(), *OF_ISSUERS.values()) for sentence in (one.near, one.reached)),
    *(
        allowed_words(locked, closing, shadow)
        for locked in ((), ("account",), ("MNQ",), ("MNQ", "ES"))
        for closing in (False, True)
        for shadow in (False, True)
    ),
]


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.id)
def test_every_rule_has_advice_of_its_own(rule: Rule) -> None:
    assert rule.advice is not ANY_LIMIT
    assert rule.advice in EVERY_ADVICE.values()


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.id)
@pytest.mark.parametrize("level", ["near", "reached"])
def test_every_rule_has_a_sentence_for_each_level(rule: Rule, level: str) -> None:
    assert getattr(rule.advice, level)


def test_every_other_issuer_has_advice() -> None:
    assert list(OF_ISSUERS) == list(TITLES)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_people_read_are_sentences(sentence: str) -> None:
    assert sentence[0].isupper() or sentence.startswith("riskcore")
    assert sentence.endswith(".")


@pytest.mark.parametrize("locked", [(), ("account",), ("MNQ",)])
def test_it_is_always_said_that_reducing_is_possible_or_that_riskcore_closes(locked: tuple[str, ...]) -> None:
    assert "Closing and reducing stay possible, your stops keep working." in allowed_words(locked, closing=False)
    assert "riskcore is closing" in allowed_words(locked, closing=True)


def test_a_lockout_says_where_nothing_may_be_opened() -> None:
    assert allowed_words(("account",), closing=False).startswith("Nothing may be opened or added.")
    assert allowed_words(("MNQ", "ES"), closing=False).startswith("Nothing may be opened or added in MNQ, ES.")
    assert allowed_words(("MNQ", "account"), closing=False).startswith("Nothing may be opened or added.")
    assert allowed_words((), closing=False).startswith("New trades are allowed within your limits.")
