"""MIDI systems for machines that have no sound card."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from models.music.errors import BadConfig
from realtime_client.jack import jack_server


@pytest.fixture(scope="session")
def jack() -> Iterator[str]:
    """A running JACK server, which every MIDI port of the tests belongs to."""
    try:
        with jack_server() as name:
            yield name
    except BadConfig as error:
        pytest.skip(str(error))


@pytest.fixture
def inside() -> str:
    """The name of a port of our own that nobody else has."""
    return f"inside:{uuid.uuid4().hex}"
