"""One of every drum is kept: the cleanest, knowing what it stands for."""

import time

import numpy as np
import pytest

from models.drums import fingerprint
from models.drums.dedupe import DedupeConfig, dedupe, regroup
from models.drums.slicing import Hit
from models.music.audio import Audio
from models.music.errors import BadConfig
from models.practice.drum_sounds import KINDS, synthesise


def hit(
    sound: Audio,
    source: str = "song.wav",
    start_s: float = 0.0,
    before_db: float = -60.0,
    clipped: int = 0,
    whole: bool = True,
) -> Hit:
    return Hit(sound, source, start_s, sound.peak, before_db, clipped, whole)


def sounds(per_kind: int = 6) -> list[Audio]:
    return [synthesise(kind, np.random.default_rng([7, n, k])) for k, kind in enumerate(KINDS) for n in range(per_kind)]


def with_noise(sound: Audio, seed: int) -> Audio:
    level = 0.01 * float(np.sqrt(np.mean(sound.samples[:, :4410] ** 2)))
    noise = np.random.default_rng(seed).standard_normal(sound.samples.shape) * level
    return Audio((0.4 * sound.samples + noise).astype(np.float32), sound.rate_hz)


def test_planted_copies_join_their_originals_and_kinds_stay_apart():
    originals = sounds()
    hits = [hit(sound, str(n)) for n, sound in enumerate(originals)]
    hits += [hit(with_noise(sound, n), str(n), 1.0, before_db=-30) for n, sound in enumerate(originals)]
    kept = dedupe(hits, DedupeConfig(merge="copies"))
    assert len(originals) - 2 <= len(kept) <= len(originals)
    for each in kept:
        sources = {place.source for place in each.places}
        assert len(each.places) == 2 * len(sources)
        assert len({int(source) // 6 for source in sources}) == 1


@pytest.mark.parametrize(
    ("worse", "words"),
    [({"clipped": 40}, "not clipped"), ({"whole": False}, "tail whole"), ({"before_db": -20}, "60 dB")],
)
def test_the_cleanest_is_kept_and_says_why(worse, words):
    kick = synthesise("kick", np.random.default_rng(1))
    (kept,) = dedupe([hit(kick, "worse.wav", **worse), hit(kick, "clean.wav")])
    assert kept.hit.source == "clean.wav"
    assert kept.places[0].source == "clean.wav"
    assert "cleanest of 2" in kept.why
    assert words in kept.why


def test_a_library_of_one_two_or_three_needs_no_company():
    kick, snare = (synthesise(kind, np.random.default_rng(1)) for kind in ("kick", "snare"))
    assert dedupe([]) == []
    assert len(dedupe([hit(kick)])) == 1
    assert len(dedupe([hit(kick), hit(snare)])) == 2
    assert len(dedupe([hit(kick), hit(snare), hit(kick, start_s=1.0)])) == 2


def test_round_robins_are_merged_or_kept_by_choice():
    """One drum struck twice: the same head, its wires rattling another way."""
    strokes = []
    for seed in (1, 2):
        time_s = np.arange(13_230) / 44_100
        head = 0.5 * np.sin(2 * np.pi * 190 * time_s + 0.6 * seed) * 10 ** (-3 * time_s / 0.25)
        ring = 0.3 * np.sin(2 * np.pi * 331 * time_s + seed) * 10 ** (-3 * time_s / 0.15)
        wires = 0.3 * np.random.default_rng(seed).standard_normal(13_230) * 10 ** (-3 * time_s / 0.12)
        stroke = (0.5 * (head + ring + wires)).astype(np.float32)
        strokes.append(hit(Audio(stroke, 44_100), start_s=float(seed)))
    assert len(dedupe(strokes, DedupeConfig(merge="copies"))) == 2
    assert len(dedupe(strokes, DedupeConfig(merge="alike"))) == 1


def test_grouping_in_parts_is_grouping_at_once():
    hits = [hit(sound, "song.wav", float(n)) for n, sound in enumerate(sounds(3) * 2)]
    at_once = dedupe(hits)
    in_parts = regroup([*dedupe(hits[:20]), *dedupe(hits[20:])])
    assert [kept.places for kept in in_parts] == [kept.places for kept in at_once]
    assert sum(len(kept.places) for kept in at_once) == len(hits)


def test_the_reference_is_what_the_practice_room_gives():
    """The constants can be made again: 40 sounds of each kind."""
    made = [synthesise(kind, np.random.default_rng([n, seed])) for n, kind in enumerate(KINDS) for seed in range(40)]
    again = fingerprint.reference_statistics(made)
    means, spreads = fingerprint.reference()
    np.testing.assert_allclose(again["means"], means, atol=0.01)
    np.testing.assert_allclose(again["spreads"], spreads, atol=0.01)


@pytest.mark.slow
def test_a_thousand_hits_take_seconds():
    hits = [hit(sound, str(n)) for n, sound in enumerate(sounds(112))]
    began = time.process_time()
    dedupe(hits)
    assert len(hits) >= 1000
    assert time.process_time() - began < 20


def test_a_wrong_setting_names_itself():
    with pytest.raises(BadConfig, match=r"cosine is 2; give 0 to 1"):
        DedupeConfig(cosine=2)
