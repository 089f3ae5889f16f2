"""Every event version that was ever stored must decode for ever, from its frozen example."""

import json

import pytest

from riskcore.schema.codec import decode_event, encode_event
from riskcore.schema.registry import BODIES, current_version, released
from tests.schema.examples import example_event
from tests.schema.write_fixtures import FOLDER, fixture_path


def test_every_version_has_a_fixture_and_every_fixture_a_version() -> None:
    assert {fixture_path(topic).name for topic in released()} == {path.name for path in FOLDER.iterdir()}


@pytest.mark.parametrize("topic", released())
def test_fixture_decodes_and_encodes_to_the_same_bytes(topic: str) -> None:
    frozen = fixture_path(topic).read_bytes().removesuffix(b"\n")
    seq, event = decode_event(topic, frozen)
    name, _, version = topic.partition(".")
    assert seq == 7
    assert event.body.__class__ is BODIES[name]
    assert event.key == f'{name}:1 "é"'
    if int(version) == current_version(name):
        assert encode_event(seq, event) == (topic, frozen)
        assert event == example_event(BODIES[name])


@pytest.mark.parametrize(
    "topic", [topic for topic in released() if not topic.endswith(f".{current_version(topic.partition('.')[0])}")]
)
def test_an_older_version_says_what_the_current_one_says_about_the_fields_it_had(topic: str) -> None:
    _, event = decode_event(topic, fixture_path(topic).read_bytes().removesuffix(b"\n"))
    current = example_event(BODIES[topic.partition(".")[0]]).body
    said = json.loads(fixture_path(topic).read_bytes())[-1]
    plain = [name for name, value in said.items() if not isinstance(value, dict | list)]
    assert plain
    assert {name: getattr(event.body, name) for name in plain} == {name: getattr(current, name) for name in plain}
