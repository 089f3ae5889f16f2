"""What stands in for each id, name, tag and text of one session: the same everywhere in it, and nothing outside it.

Ids get numbers in their own order, so that whatever compares two ids finds the same; names and texts are numbered as
they come. There is no key: without the map nothing leads back.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.topstepx.fields import encode
from riskcore.core.order_roles import STOP_TAG

PROFILE = "redacted"
OWN_TAG = "rc-"
_LEG_ENDINGS = ("-SL", "-TP")
# Numbers in a text that are ids: those of a natural key, of a target or request, the account ahead of who decided it,
# and in a sentence any number as long as an id of the session. An instant in a key is none.
_PLACES = re.compile(
    r"(?:(?<=trade:)|(?<=order:)|(?<=orders:)|(?<=trades:)|(?<=account:)|(?<=position:)|(?<=positions:)"
    r"|(?<=payout:)|(?<=reset:)|(?<=note:)|(?<=cancelOrder/)|(?<=modifyOrder/)|(?<=order )|(?<=Order )|(?<=account ))"
    r"[0-9]+|(?<=/)[0-9]+(?=/[A-Z]{3})"
)
_LONG = re.compile(r"(?<![0-9@.])[0-9]{6,}(?![0-9.])")
_DIGITS = re.compile(rb"[0-9]{6,}")
_TAG = re.compile(rb'"(?:customTag|tag)":"([^"]+)"')
_PLAIN = re.compile(r"[a-z_]+")  # A word that the format itself may use.
# What stands in is no original: a copy is redacted again by who shares it further.
_STANDS_IN = re.compile(r"Account [0-9]+|\(text [0-9]+\)|(?:rc-|rc-stop-)?tag-[0-9]+(?:-SL|-TP)?")
_SHORTEST_SURE = 6  # A shorter word may stand there by chance.
_SHORTEST_NAMED = 4  # An original with fewer digits stands in every file by chance.


@dataclass(slots=True)
class StandIns:
    """Call `collect_*` for all of a session, then `settle`, then ask."""

    ids: dict[int, int] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)
    _words: re.Pattern[str] | None = None
    _known: int = 0

    def collect_id(self, value: int) -> None:
        self._seen.add(abs(value))

    def collect_text(self, text: str) -> None:
        """The ids that a text made of parts names."""
        self._seen.update(int(found) for found in _PLACES.findall(text))

    def settle(self) -> None:
        """Number the ids: by rank, where no stand-in is an original or holds one of its digits."""
        ordered = sorted(self._seen - {0})
        originals = [str(one) for one in ordered if len(str(one)) >= _SHORTEST_NAMED]
        base = 10_000_000
        while any(one in number for number in _numbers(base, len(ordered)) for one in originals):
            base += 10_000_000
        self.ids = {original: base + place for place, original in enumerate(ordered, start=1)}

    # ---- asking --------------------------------------------------------------------------------------

    def id(self, value: int) -> int:
        """The stand-in of an id; 0 and the sign stay, as they carry meaning."""
        if not value:
            return value
        found = self.ids[abs(value)]
        return found if value > 0 else -found

    def account(self, name: str) -> str:
        """An account by name or, as settings may write it, by id."""
        if name.isdecimal() and int(name) in self.ids:
            return str(self.ids[int(name)])
        return self.accounts.setdefault(name, f"Account {len(self.accounts) + 1}") if name else name

    def text(self, text: str) -> str:
        """What somebody wrote, or the broker said in words; a blank one stays blank."""
        if not text.strip():
            return text
        return self.texts.setdefault(text, f"(text {len(self.texts) + 1})")

    def tag(self, tag: str) -> str:
        """A custom tag. That it is of a stop of riskcore's or of a leg stays, and which legs belong together."""
        if tag in self.tags or not tag:
            return self.tags.get(tag, tag)
        ending = tag[-3:] if tag.endswith(_LEG_ENDINGS) else ""
        stem = tag.removesuffix(ending)
        begins = next((one for one in (STOP_TAG, OWN_TAG) if stem.startswith(one)), "")
        known = self.tags.setdefault(stem, f"{begins}tag-{len(self.tags) + 1}")
        return self.tags.setdefault(tag, known + ending)

    def learn_tag(self, original: str, made: str) -> None:
        """The core makes tags of its own out of ids: the one it makes of the stand-ins."""
        self.tags[original] = made

    def composed(self, text: str) -> str:
        """A text made of parts: natural keys, ids of commands, sentences of riskcore; ids and names in it."""
        words = self._pattern()
        if words is not None:
            text = words.sub(lambda found: self._word(found[0]), text)
        text = _PLACES.sub(lambda found: self.number(found[0]), text)
        return _LONG.sub(lambda found: self.number(found[0]), text)

    def number(self, digits: str) -> str:
        """The stand-in of a number that may be an id."""
        value = int(digits)
        return str(self.ids[value]) if str(value) == digits and value in self.ids else digits

    def _word(self, word: str) -> str:
        return self.accounts[word] if word in self.accounts else self.texts[word]

    def _pattern(self) -> re.Pattern[str] | None:
        """All that is known as words, the longest first; made anew when more is known."""
        count = len(self.accounts) + len(self.texts)
        if count != self._known:
            self._known = count
            words = sorted({*self.accounts, *self.texts}, key=lambda word: (-len(word), word))
            self._words = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9])")
        return self._words

    def row(self) -> dict[str, dict[str, str]]:
        """The map, for its owner alone."""
        return {
            "ids": {str(original): str(made) for original, made in self.ids.items()},
            "accounts": self.accounts,
            "profiles": self.profiles,
            "tags": self.tags,
            "texts": self.texts,
        }


def first_left(stand_ins: StandIns, lines: Iterable[bytes]) -> str | None:
    """What of the originals still stands in a copy; None when nothing does."""
    ids = {str(one).encode() for one in stand_ins.ids if len(str(one)) >= _SHORTEST_SURE}
    tags = {one.encode() for one in stand_ins.tags if not _STANDS_IN.fullmatch(one)}
    named = [*stand_ins.accounts, *stand_ins.texts, *stand_ins.profiles]
    words = [one for one in named if not _STANDS_IN.fullmatch(one)]
    sure = [encode(one)[1:-1].encode() for one in words if len(one) >= _SHORTEST_SURE and not _PLAIN.fullmatch(one)]
    for line in lines:
        for found in _DIGITS.findall(line):
            if found in ids:
                return f"an id ({found.decode()[:2]}…)"
        if any(found in tags for found in _TAG.findall(line)):
            return "a custom tag"
        for word in sure:
            if word in line:
                return "a name or a text"
    return None


def _numbers(base: int, count: int) -> Iterable[str]:
    return (str(base + place) for place in range(1, count + 1))
