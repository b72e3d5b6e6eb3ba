"""Overlap and add: no seam, no change of level, whatever the lengths; a model that hears locally does not notice it."""

from collections.abc import Iterator

import numpy as np
import pytest

from models.separation.overlap import overlap_added


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).uniform(-1, 1, (2, frames)).astype(np.float32)


def pieces(song: np.ndarray, frames: int) -> Iterator[np.ndarray]:
    return (song[:, start : start + frames] for start in range(0, song.shape[1], frames))


def whole(song: np.ndarray, hear, window: int, overlap: float, piece: int = 777) -> np.ndarray:
    return np.concatenate(list(overlap_added(pieces(song, piece), hear, window, overlap)), axis=-1)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("frames", [1, 2, 999, 1000, 1001, 12_345])
@pytest.mark.parametrize("window", [7, 1000])
def test_whoever_hears_the_mixture_gives_it_back_to_a_millionth(frames, window, overlap):
    song = noise(frames)

    def same(around, start):
        return around[None, :, start : start + window]

    np.testing.assert_allclose(whole(song, same, window, overlap), song[None], atol=1e-6)


def test_a_model_that_hears_locally_gives_in_windows_what_it_gives_at_once():
    song, window, reach = noise(20_000), 1000, 32
    kernel = np.random.default_rng(1).standard_normal(2 * reach + 1).astype(np.float32)

    def filtered(samples):
        padded = np.pad(samples, ((0, 0), (reach, reach)))
        return np.stack([np.convolve(row, kernel, "valid") for row in padded]).astype(np.float32)

    def local(around, start):
        return filtered(around)[None, :, start : start + window]

    np.testing.assert_allclose(whole(song, local, window, 0.25)[0], filtered(song), atol=1e-4)


def test_there_is_no_seam_where_two_windows_disagree():
    """Each window comes with a level of its own: between them the sound glides, it never jumps."""
    song, window, levels = np.ones((2, 50_000), np.float32), 1000, iter(np.tile([0.5, 1.0], 1000))

    def wavering(around, start):
        return around[None, :, start : start + window] * np.float32(next(levels))

    steps = np.abs(np.diff(whole(song, wavering, window, 0.25)[0, 0]))
    assert steps.max() < 0.5 / (0.25 * window) * 4
    assert steps.max() > 0


def test_each_part_leaves_when_two_more_windows_were_heard():
    taken = []

    def song():
        for number in range(100):
            taken.append(number)
            yield noise(100)

    next(overlap_added(song(), lambda around, start: around[None, :, start : start + 500], 500))
    assert len(taken) <= 11
