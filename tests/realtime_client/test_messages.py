"""What the live client's processes tell one another."""

import socket

import pytest

from realtime_client.messages import KINDS, LOOPBACK, Heard, Mailbox, Phrase, Plan, Quit, Stage, decode, encode


@pytest.fixture
def boxes():
    stage = Stage.anywhere()
    rt, brain = Mailbox(stage.rt, stage.secret), Mailbox(stage.brain, stage.secret)
    yield stage, rt, brain
    rt.close()
    brain.close()


def test_a_letter_arrives_as_it_was_sent(boxes):
    stage, rt, brain = boxes
    sent = [Quit(), Heard(12, (0x90, 60, 100)), Plan(7, 3840), Phrase(3840, ((60, 90, 0, 480), (64, 90, 480, 480)))]
    for message in sent:
        rt.send(message, stage.brain)
    assert list(brain.read()) == sent


def test_a_letter_without_the_secret_is_passed_over(boxes):
    stage, _, brain = boxes
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((LOOPBACK, 0))
        stranger.sendto(encode(Plan(7, 0)), stage.brain)
        stranger.sendto(stage.secret.encode() + b'["Plan"', stage.brain)
        stranger.sendto(stage.secret.encode() + b'["Plan",1,2,3]', stage.brain)
    assert list(brain.read()) == []


def test_a_letter_to_nobody_is_lost_and_those_after_it_arrive(boxes):
    stage, rt, brain = boxes
    rt.send(Plan(1, 0), stage.ui, stage.brain)
    rt.send(Plan(2, 0), stage.ui, stage.brain)
    assert list(brain.read()) == [Plan(1, 0), Plan(2, 0)]


def test_every_kind_of_letter_is_read_back_as_itself(boxes):
    stage, rt, brain = boxes
    sent = [kind(*range(len(kind._fields))) for kind in KINDS.values()]
    for message in sent:
        assert decode(encode(message)) == message
        rt.send(message, stage.brain)
    assert list(brain.read()) == sent


def test_a_stage_survives_a_command_line():
    stage = Stage.anywhere()
    assert Stage.read(stage.written()) == stage
