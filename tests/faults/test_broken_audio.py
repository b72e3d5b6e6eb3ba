"""Faults 1 to 3: sound files that are empty, lying, cut or poisoned each end in one line that names the file."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import soundfile

from models.music.audio import Audio, read_audio, write_audio
from models.music.errors import BadAudio


def wav(data: bytes, *, rate_hz: int = 44_100, channels: int = 1, promised: int | None = None, kind: int = 1) -> bytes:
    """Build a WAV file by hand, so that its header can say anything."""
    bits = 32 if kind == 3 else 16
    block = channels * bits // 8
    size = len(data) if promised is None else promised
    form = struct.pack("<HHIIHH", kind, channels, rate_hz, (rate_hz * block) & 0xFFFFFFFF, block & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", (len(body)) & 0xFFFFFFFF) + body


TONE = (np.sin(np.arange(2000) / 9) * 9000).astype("<i2").tobytes()
POISON = np.array([0.1, np.nan, np.inf, 0.2], "<f4").tobytes()
BROKEN = {
    "empty.wav": (b"", "not readable as audio"),
    "text.wav": (b"this is a shopping list, not a song\n" * 20, "not readable as audio"),
    "no_data.wav": (wav(TONE)[:36], "not readable as audio|0 frames"),
    "rate_0.wav": (wav(TONE, rate_hz=0), "not readable as audio|rate 0 Hz"),
    "no_frames.wav": (wav(b""), "0 frames"),
    "nan.wav": (wav(POISON, kind=3), "2 samples are NaN or infinite"),
    "thousand.wav": (wav(TONE, channels=1000), "1000 channels; give 1 or 2"),
    "lying.wav": (wav(TONE, promised=0x7FFFFFF0), "cut off|not readable"),
    "noise.flac": (b"fLaC" + bytes(range(256)) * 4, "not readable as audio"),
    "noise.mp3": (b"\xff\xfb\x90\x00" + b"\x00" * 64, "not readable as audio|0 frames"),
    "noise.m4a": (b"\x00\x00\x00\x18ftypM4A " + b"\x00" * 64, "not readable as audio|needs ffmpeg"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_sound_file_ends_in_one_line_that_names_it(tmp_path, name):
    data, said = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadAudio, match=said) as caught:
        read_audio(tmp_path / name)
    message = str(caught.value)
    assert message.startswith(name)
    assert "\n" not in message


def test_a_file_cut_in_half_is_noticed(tmp_path):
    soundfile.write(tmp_path / "whole.flac", np.random.default_rng(0).normal(0, 0.1, 44_100), 44_100)
    whole = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "half.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadAudio, match=r"half\.flac"):
        read_audio(tmp_path / "half.flac")


def test_a_header_that_promises_gigabytes_costs_no_memory(tmp_path):
    import tracemalloc

    (tmp_path / "lying.wav").write_bytes(wav(TONE, promised=0x7FFFFFF0))
    tracemalloc.start()
    with pytest.raises(BadAudio):
        read_audio(tmp_path / "lying.wav")
    assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    tracemalloc.stop()


def test_a_song_longer_than_the_limit_is_refused_before_it_is_read(tmp_path):
    write_audio(tmp_path / "long.wav", Audio(np.zeros((1, 80_000), np.float32), 8_000))
    with pytest.raises(BadAudio, match=r"long\.wav: .* at most"):
        read_audio(tmp_path / "long.wav", max_seconds=5)


def test_one_nan_never_reaches_the_resampler():
    samples = np.zeros((1, 4410), np.float32)
    samples[0, 7] = np.nan
    with pytest.raises(BadAudio, match="1 samples are NaN"):
        Audio(samples, 44_100).at_rate(16_000)
