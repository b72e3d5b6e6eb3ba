"""What the soloist's decoder costs, beside transformers and a loop written by hand: one run, the same weights, one thread.

Run: python -m benchmarks.jam_decoder [MODEL [ROLES]]      (a trained model's folder, and role samples it never heard;
without them random weights of that size, and the practice room's solos)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from models.jam.config import LAPTOP
from models.jam.decode import OnnxDecoder, Reader
from models.jam.improvise import Cue, improvise
from models.jam.lesson import surprise
from models.jam.network import JamNetwork
from models.jam.prepare import prepare
from models.jam.repertoire import Repertoire, read_repertoire
from models.jam.roles import read_roles
from models.jam.texts import NOTHING, questions, texts_of, windows
from models.jam.tokens import Sheet
from models.jam.torch_decode import TorchDecoder
from models.jam.vocabulary import SIZE
from models.music.chords import Chord
from models.practice.solos import write_solos

PROMPT, NEW, TURNS = 64, 64, 12
MORE = 8
FIRST_NOTES = 300
WINDOWS = 12
BARS = {"transformers": 4.0, "by hand": 2.0, "continued": 0.25, "first note": 40.0}
CHORDS = tuple((4.0 * bar, Chord.parse(name)) for bar, name in enumerate(("Am7", "D7", "Gmaj7", "Cmaj7") * 400))


def main(argv: list[str]) -> int:
    """Print tokens a second, what is read again and how late a first note comes; count the bars that were missed."""
    torch.set_num_threads(1)
    repertoire = read_repertoire(argv[0]) if argv else _random()
    network = JamNetwork(repertoire.config)
    network.load_state_dict(dict(repertoire.base))
    network.eval()
    config, weights = repertoire.config, {name: weight.numpy() for name, weight in network.state_dict().items()}
    ours = {kind: OnnxDecoder(weights, config, kind) for kind in ("int8", "fp32")}
    by_hand = TorchDecoder(network.state_dict(), config, "cpu", torch.float32)
    size = sum(weight.size for weight in weights.values()) / 1e6
    print(
        f"{config.layers} layers of {config.width}, {size:.1f} million weights, {Path(argv[0]).name if argv else 'random'}"
    )
    words = np.random.default_rng(0).integers(0, SIZE, PROMPT + NEW)
    return (
        _speed(network, ours, by_hand, words)
        + _continuing(ours["int8"].open(), words)
        + _first_notes(ours["int8"].open())
        + _agreement(network, ours, bool(argv), argv[1] if argv[1:] else "")
    )


def _random() -> Repertoire:
    torch.manual_seed(0)
    return Repertoire(LAPTOP, JamNetwork(LAPTOP).state_dict())


def _speed(network: JamNetwork, ours: dict[str, OnnxDecoder], by_hand: TorchDecoder, words: np.ndarray) -> int:
    """Everybody goes on from the same prompt, word by word, in turns; the prompt's own reading is not counted."""
    players: dict[str, Callable[[], float]] = {
        "transformers' generate": lambda: _generate(network, words),
        "torch by hand": lambda: _loop(by_hand.open(), words),
        "ours, full precision": lambda: _loop(ours["fp32"].open(), words),
        "ours, 8-bit weights": lambda: _loop(ours["int8"].open(), words),
    }
    taken: dict[str, list[float]] = {name: [] for name in players}
    for _ in range(TURNS):
        for name, play in players.items():
            taken[name].append(play())
    print(f"\n{NEW} words after {PROMPT}, {TURNS} turns      ms a word: best  median   words/s")
    for name, seconds in taken.items():
        best, middle = (1000 * each / NEW for each in (min(seconds), float(np.median(seconds))))
        print(f"  {name:<38}{best:>8.2f}{middle:>8.2f}{1000 / middle:>10.0f}")
    middle = {name: float(np.median(seconds)) for name, seconds in taken.items()}
    mine = middle["ours, 8-bit weights"]
    return _bar(
        "faster than transformers' generate", middle["transformers' generate"] / mine, BARS["transformers"]
    ) + _bar("faster than the loop by hand", middle["torch by hand"] / mine, BARS["by hand"])


def _generate(network: JamNetwork, words: np.ndarray) -> float:
    """Seconds of the new words: with the prompt, less the prompt and one word alone."""
    prompt = torch.from_numpy(words[:PROMPT])[None]
    seconds = []
    for new in (NEW + 1, 1):
        began = time.perf_counter()
        with torch.inference_mode():
            network.llama.generate(  # type: ignore[operator]
                prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=new, min_new_tokens=new, do_sample=False
            )
        seconds.append(time.perf_counter() - began)
    return seconds[0] - seconds[1]


def _loop(reader: Reader, words: np.ndarray) -> float:
    said = words[:PROMPT].tolist()
    expected = reader.follow(said)
    began = time.perf_counter()
    for _ in range(NEW):
        said.append(int(expected.argmax()))
        expected = reader.follow(said)
    return time.perf_counter() - began


def _continuing(reader: Reader, words: np.ndarray) -> int:
    """A prompt that grew by a few words, beside the same read anew."""
    cold, more = [], []
    for _ in range(40):
        reader.rewind(0)
        cold.append(_seconds(lambda: reader.follow(words[:PROMPT])))
        more.append(_seconds(lambda: reader.follow(words[: PROMPT + MORE])))
    first, then = (1000 * float(np.median(each)) for each in (cold, more))
    print(f"\nreading {PROMPT} words anew {first:.1f} ms, {MORE} more {then:.1f} ms")
    return _bar(f"of a cold prompt's time for {MORE} more words", then / first, BARS["continued"], below=True)


def _first_notes(reader: Reader) -> int:
    """A player goes on bar after bar: each time the prompt is continued, and a whole note sampled."""
    sheet, line, late = Sheet(140, chords=CHORDS), [], []
    for bar in range(FIRST_NOTES):
        played = np.array(line, np.int32).reshape(-1, 5)
        playing = improvise(reader, Cue(sheet, bar * sheet.places, (bar + 1) * sheet.places, line=played, seed=bar))
        began = time.perf_counter()
        for count, note in enumerate(playing):
            if count == 0:
                late.append(1000 * (time.perf_counter() - began))
            line.append(note)
    p50, p99 = np.percentile(late, [50, 99])
    print(
        f"\nfirst note, {FIRST_NOTES} bars one after the other: median {p50:.1f} ms, p99 {p99:.1f}, latest {max(late):.1f}"
    )
    return _bar("ms to the first note, p99", p99, BARS["first note"], below=True)


def _agreement(network: JamNetwork, ours: dict[str, OnnxDecoder], taught: bool, folder: str) -> int:
    """Windows of held-out music, each word expected by everybody; whoever was taught nothing is not judged."""
    with tempfile.TemporaryDirectory() as there:
        roles = read_roles(folder) if folder else prepare(write_solos(f"{there}/solos", 20, 1), f"{there}/roles")
        texts = texts_of(roles["test"], network.config)
    lines = [line for text in texts for line in windows(text, network.config.context)][:WINDOWS]
    print(f"\nagreement with transformers, {len(lines)} windows of {folder or 'practice solos'}")
    far, same, nats = dict.fromkeys(ours, 0.0), dict.fromkeys(ours, 0.0), dict.fromkeys((*ours, "true"), 0.0)
    for line in lines:
        asked, beside, answers = questions([line])
        with torch.no_grad():
            true = network(asked, beside)
        said = answers[0] != NOTHING
        nats["true"] += float(surprise(true, answers).sum())
        for kind, decoder in ours.items():
            heard = torch.from_numpy(decoder.open().read(asked[0].numpy()))
            far[kind] = max(far[kind], float((heard - true[0]).abs().max()))
            same[kind] += float((heard.argmax(1) == true[0].argmax(1))[said].float().mean()) / len(lines)
            nats[kind] += float(surprise(heard[None], answers).sum())
    for kind in ours:
        worse = nats[kind] / nats["true"] - 1
        print(f"  {kind}: largest difference {far[kind]:.1e}, same top word {same[kind]:.1%}, nats a note {worse:+.2%}")
    worse = abs(nats["int8"] / nats["true"] - 1)
    missed = far["fp32"] > 1e-4, taught and same["int8"] < 0.97, taught and worse > 0.01
    for bar, what in zip(
        missed, ("full precision: 1e-4", "8 bits: same top word in 97 %", "8 bits: nats within 1 %"), strict=True
    ):
        print(f"  {what}{': MISSED' if bar else ''}{'' if taught or '8 bits' not in what else ' (not judged)'}")
    return sum(missed)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _bar(what: str, value: float, bar: float, below: bool = False) -> int:
    missed = value > bar if below else value < bar
    print(
        f"  {value:.2f} {what} (the bar is {'at most' if below else 'at least'} {bar:g}){': MISSED' if missed else ''}"
    )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
