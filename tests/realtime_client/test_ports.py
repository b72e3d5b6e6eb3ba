"""Ports that are found by their names, and come back."""

import contextlib
import time

import pytest

from models.music.errors import BadConfig
from realtime_client.inside import InsideInput, InsideOutput, address
from realtime_client.midi_input import EchoGuard
from realtime_client.ports import list_ports, open_input, open_output

MS = 1_000_000
ON, OFF = (0x90, 60, 100), (0x80, 60, 0)


SETTLED_S = 0.05
"""JACK connects ports a few blocks after it was asked to."""


def heard(port, count: int, within_s: float = 2.0) -> list[tuple[int, ...]]:
    """Wait for so many messages."""
    end, got = time.monotonic() + within_s, []
    while len(got) < count and time.monotonic() < end:
        got += [data for _, data in port.read()]
        time.sleep(0.005)
    return got


@contextlib.contextmanager
def opened(*ports):
    with contextlib.ExitStack() as leaving:
        for port in ports:
            leaving.callback(port.close)
        yield ports


def test_a_message_arrives_at_a_port_of_our_own(inside):
    with opened(open_input(inside), open_output(inside)) as (keys, player):
        for data in (ON, (0xF8,), (0xF0, 0x7D, *range(100), 0xF7), OFF):
            player.send(data)
        assert heard(keys, 4) == [ON, (0xF8,), (0xF0, 0x7D, *range(100), 0xF7), OFF]


def test_what_is_no_midi_does_not_come_in(inside):
    with opened(InsideInput(inside), InsideOutput(inside)) as (keys, player):
        for data in ((), (1, 2, 3), ON):
            player.send(data)
        assert heard(keys, 1) == [ON]


def test_a_port_of_our_own_that_is_unplugged_is_noticed_and_taken_up_again(inside):
    with opened(open_output(inside)) as (player,):
        player.look()
        assert not player.is_open
        player.send(ON)
        with opened(open_input(inside)) as (keys,):
            player.look()
            assert player.is_open
            player.send(OFF)
            assert heard(keys, 1) == [OFF]


def test_a_name_that_is_held_is_refused_in_a_line(inside):
    with opened(open_input(inside)), pytest.raises(BadConfig, match=f"{inside}: somebody holds it .* another name"):
        open_input(inside)


def test_addresses_lie_below_those_that_systems_give_away():
    assert all(20_000 <= address(f"inside:{n}")[1] < 32_000 for n in range(1000))


def test_a_virtual_port_is_found_by_a_part_of_its_name(jack):
    with opened(open_output("")):
        assert any("Jamflow out" in name for name in list_ports().inputs)
        with opened(open_input("jamflow OUT")) as (probe,):
            assert probe.is_open
        with opened(open_input("")):
            assert any("Jamflow in" in name for name in list_ports().outputs)
    assert list_ports() == ((), ())


def test_notes_clock_and_sysex_travel_through_midi_ports(jack):
    sent = [ON, (0xF8,), (0xFA,), (0xF2, 12, 0), (0xF0, 0x7D, *range(100), 0xF7), OFF]
    with opened(open_output(""), open_input("Jamflow out")) as (player, probe):
        time.sleep(SETTLED_S)
        for data in sent:
            player.send(data)
        assert heard(probe, len(sent)) == sent


def test_a_port_that_is_not_there_is_refused_with_a_list_of_those_that_are(jack):
    with opened(open_input("")), pytest.raises(BadConfig) as refused:
        open_output("grand piano")
    assert str(refused.value).startswith("output port 'grand piano' is not there. There are: Jamflow:Jamflow in.")
    assert "\n" not in str(refused.value)


def test_a_midi_port_that_is_unplugged_is_noticed_and_taken_up_again(jack):
    synth = open_input("")
    with opened(open_output("Jamflow in")) as (player,):
        synth.close()
        player.look()
        assert not player.is_open
        player.send(ON)  # lost
        with opened(open_input("")) as (synth,):
            player.look()
            assert player.is_open
            time.sleep(SETTLED_S)
            player.send(OFF)
            assert heard(synth, 1) == [OFF]


def test_an_input_that_is_unplugged_is_heard_again_when_it_is_back(jack):
    keyboard = open_output("")
    with opened(open_input("Jamflow out")) as (keys,):
        keyboard.close()
        keys.look()
        assert not keys.is_open
        with opened(open_output("")) as (keyboard,):
            keys.look()
            time.sleep(SETTLED_S)
            keyboard.send(ON)
            assert heard(keys, 1) == [ON]


def test_who_waits_takes_a_port_up_when_it_comes(jack):
    with opened(open_input("Jamflow out", wait=True)) as (keys,):
        assert not keys.is_open
        with opened(open_output("")) as (keyboard,):
            keys.look()
            time.sleep(SETTLED_S)
            keyboard.send(ON)
            assert heard(keys, 1) == [ON]


def test_our_own_notes_that_come_back_are_told_from_the_players():
    guard = EchoGuard()
    guard.sent(0, ON)
    assert guard.is_echo(5 * MS, ON)
    assert guard.is_echo(700 * MS, OFF), "the end of an echo is an echo"
    assert not guard.is_echo(710 * MS, OFF), "but only once"
    assert not guard.is_echo(720 * MS, ON), "the player plays the same later"
    guard.sent(1000 * MS, ON)
    assert not guard.is_echo(1005 * MS, (0x90, 60, 70)), "the player strikes otherwise"
    assert not guard.is_echo(1010 * MS, OFF)
    assert not guard.is_echo(1010 * MS, (0xB0, 64, 127))
