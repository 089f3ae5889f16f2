"""Where the chain of kept messages stands while a writer adds to it (schema/payloads.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from riskcore.schema.chain import HASH_LENGTH, Link
from riskcore.schema.payloads import NO_LINK, linked, pack


@dataclass(frozen=True, slots=True)
class MessageChain:
    """Its link in the last stream, if any, and the one that stream hangs on."""

    stream: str = ""
    link: bytes | None = None
    hangs_on: bytes = NO_LINK

    def followed_by(self, links: Sequence[Link], kept: Mapping[int, bytes]) -> "tuple[dict[int, bytes], MessageChain]":
        """Messages as they are stored, by the place of their link, and where the chain then stands."""
        at, packed = self, {}
        for index, (stream, _, _, state) in enumerate(links):
            if stream != at.stream:
                at = MessageChain(stream, None, at.link or NO_LINK)
            if index in kept:
                link = linked(at.link or at.hangs_on, state[:HASH_LENGTH], kept[index])
                at = MessageChain(stream, link, at.hangs_on)
                packed[index] = pack(link, kept[index])
        return packed, at
