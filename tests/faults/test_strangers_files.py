"""A stranger's file is read or refused in one line by an error of ours, whatever is in it: nothing else ever comes out.

Known blows first, by name; then whatever hypothesis thinks of. It draws the same examples every time, so what it finds
is found again, and it stops after a few seconds a reader.
"""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from served_house import tiny_groove

from backstage.storage import bring
from models.drums.editor import Editor, set_event
from models.drums.events import Beat, Event, read_beat, write_events, write_grid
from models.drums.kit import read_kit
from models.drums.notation import read_beat_midi, write_beat_midi
from models.drums.release import pack_kit
from models.drums.roles.learned.dataset import find_labelled
from models.drums.session import lay_skeleton
from models.drums.skeleton import SkeletonPlan
from models.groove.dataset import prepare
from models.groove.network import GrooveConfig, GrooveVAE
from models.groove.sequences import performance_of_file
from models.learning.checkpoint import load_model
from models.music.audio import find_audio, read_audio, write_audio
from models.music.config import read_yaml
from models.music.errors import BadInput, JamflowError
from models.music.files import check_folder, manifest_of, sha256
from models.music.grid import Grid
from models.music.midi import read_midi, read_score, write_midi
from models.music.notes import Take
from models.practice.drum_sounds import synthesise
from pipelines.settings import Profile
from serving.voices import open_voice
from serving.where import Where

SEVERAL = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEW = settings(SEVERAL, max_examples=40)
BEAT = Beat(Grid(120, 1), (Event(0, 0, "CORE", "kick", 0.9), Event(0, 4, "ACCENT", "kick", 0.5)))


def answered(read: Callable[..., Any], *what: Any) -> Any:
    """Let a reader read: it answers, or complains in one line of reasonable length."""
    try:
        return read(*what)
    except JamflowError as error:
        said = str(error)
        assert "\n" not in said
        assert 0 < len(said) < 1500, said[:200]
        assert " ()" not in said
        assert "__init__" not in said


HUGE = 10**400
NUMBERS = [HUGE, -HUGE, 2**63, 2**31, 2**53 + 1, 1e308, -1e308, 5e-324, 0, -1, True, None, "1", [], {}]
RAW = [
    "[" * 100_000,
    '{"a":' * 50_000,
    "1" * 5_000,
    "-" + "9" * 400,
    "NaN",
    "[Infinity]",
    "1e999",
    "",
    "\ufeff{}",
    '"\\ud800"',
]
anything = some.recursive(
    some.none()
    | some.booleans()
    | some.sampled_from(NUMBERS)
    | some.integers()
    | some.floats()
    | some.text(max_size=12),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@some.composite
def bent(draw: some.DrawFn, value: Any) -> Any:
    """A good JSON value with a few places in it replaced, dropped or doubled."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(some.integers(1, 3))):
        value = _bent_once(draw, value)
    return value


def _bent_once(draw: some.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or draw(some.integers(0, 9)) == 0:
        return draw(anything)
    key = draw(some.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    if draw(some.integers(0, 5)) == 0:
        copy = value.copy()
        del copy[key]
        return copy
    changed = _bent_once(draw, value[key])
    return {**value, key: changed} if isinstance(value, dict) else [*value[:key], changed, *value[key + 1 :]]


@some.composite
def torn(draw: some.DrawFn, whole: bytes) -> bytes:
    """The bytes of a good file, some of them changed, cut out or put in."""
    data = bytearray(whole)
    for _ in range(draw(some.integers(1, 6))):
        place = draw(some.integers(0, max(0, len(data) - 1)))
        match draw(some.integers(0, 3)):
            case 0:
                data[place : place + 1] = bytes([draw(some.integers(0, 255))])
            case 1:
                del data[place : place + draw(some.integers(1, 40))]
            case 2:
                data[place:place] = draw(some.binary(max_size=8))
            case 3:
                data[place : place + 4] = struct.pack("<I", draw(some.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])))
    return bytes(data)


# JSON: grids, event grids, pools, scores, histories, manifests.

ROW = {"sample_id": "kick", "filepath": "kick.wav", "confidence": 0.9}
POOLS = {"CORE_POOL": [ROW, {**ROW, "sample_id": "low"}], "ACCENT_POOL": [{**ROW, "sample_id": "snare"}], "counts": {}}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole beat, its kit and its history; a test spoils one file of it and mends it again."""
    folder = tmp_path_factory.mktemp("desk")
    write_audio(folder / "kick.wav", synthesise("kick", np.random.default_rng(0)))
    (folder / "pools_1.json").write_text(json.dumps(POOLS))
    (folder / "per_sample_1.json").write_text(json.dumps([ROW]))
    write_grid(folder / "grid_1.json", BEAT.grid)
    write_events(folder / "event_grid_1.json", BEAT)
    Editor(folder / "event_grid_1.json").apply(lambda beat: set_event(beat, Event(0, 2, "FILL", "kick", 0.5)))
    return folder


@contextlib.contextmanager
def spoilt(file: Path, text: str | bytes):
    good = file.read_bytes()
    file.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    try:
        yield
    finally:
        file.write_bytes(good)


def undone(desk: Path) -> None:
    editor = Editor(desk / "event_grid_1.json")
    editor.undo()
    editor.redo()


def skeleton(desk: Path) -> None:
    lay_skeleton(desk / "pools_1.json", desk / "out", SkeletonPlan(bpm=400, bars=1), render_sr=8000)


READERS: dict[str, Callable[[Path], Any]] = {
    "grid_1.json": lambda desk: read_beat(desk / "grid_1.json", desk / "event_grid_1.json"),
    "event_grid_1.json": lambda desk: read_beat(desk / "grid_1.json", desk / "event_grid_1.json").onset_seconds(),
    "pools_1.json": skeleton,
    "per_sample_1.json": lambda desk: pack_kit(
        desk / "pools_1.json", desk / "packed" / str(len(list(desk.glob("packed/*"))))
    ),
    ".event_grid_1.undo.json": undone,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", RAW)
def test_a_known_blow_is_parried(desk, name, text):
    with spoilt(desk / name, text):
        answered(READERS[name], desk)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_out_of_proportion_is_parried_wherever_it_stands(desk, name, number):
    good = (desk / name).read_text()
    for place in {value for value in _scalars(json.loads(good)) if not isinstance(value, str)}:
        with spoilt(desk / name, good.replace(json.dumps(place), json.dumps(number))):
            answered(READERS[name], desk)


def _scalars(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return [each for inner in (value.values() if isinstance(value, dict) else value) for each in _scalars(inner)]
    return [value]


@pytest.mark.parametrize("name", READERS)
def test_whatever_stands_in_a_json_file_it_is_read_or_refused(desk, name):
    good = json.loads((desk / name).read_text())

    @FEW
    @given(bent(good))
    def reads(value):
        if name == ".event_grid_1.undo.json" and isinstance(value, dict) and "sha256" in value:
            value["sha256"] = sha256(desk / "event_grid_1.json")
        before = (desk / "event_grid_1.json").read_bytes()
        with spoilt(desk / name, json.dumps(value)):
            answered(READERS[name], desk)
        (desk / "event_grid_1.json").write_bytes(before) if name.startswith(".") else None

    reads()


@SEVERAL
@given(some.one_of(bent({"a/b.wav": {"bytes": 3, "sha256": "x"}}), anything))
def test_a_manifest_is_held_to_or_refused(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("model")
    (folder / "manifest.json").write_text(json.dumps(value))
    answered(check_folder, folder)
    answered(bring, folder.as_uri(), folder / "brought")


# YAML and CSV: settings, labels.

SETTINGS = "profile: laptop\nimages: localhost/jamflow\nnamespace: ''\n"
BLOWS = [
    "profile: 2024-13-45", "profile: !!timestamp x", "images: !!int x", "images: !!float ''", "images: !!bool maybe",
    "images: !!binary '*'", "images: !!python/object:os.system x", "a: &a [*a]", "[" * 50_000, "{" * 50_000,
    "profile: " + "9" * 5_000, "profile: .inf", "profile: 1e999", "? [a]\n: 1", "<<: 3", "%YAML 9.9\n---\na: 1",
    "profile: 0x" + "f" * 4_000, "1:2:3: 4", "profile: " + ":".join(["59"] * 4_000), "- - -", "\x00", "\ufffe", "!!set {a}",
    "!!omap [a]", "!!int ''", "profile: !!merge x", "= : 1", "profile: !<tag:yaml.org,2002:int> _",
]  # fmt: skip


@pytest.mark.parametrize("text", BLOWS)
def test_yaml_that_is_none_is_one_line(tmp_path, text):
    (tmp_path / "settings.yaml").write_text(text)
    answered(read_yaml, tmp_path / "settings.yaml")
    answered(Profile.load, {"JAMFLOW_HOME": str(tmp_path)})


@SEVERAL
@given(some.one_of(torn(SETTINGS.encode()), some.text(max_size=60).map(lambda text: f"profile: {text}".encode())))
def test_whatever_stands_in_a_settings_file_it_is_read_or_refused(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("home")
    (home / "settings.yaml").write_bytes(data)
    answered(Profile.load, {"JAMFLOW_HOME": str(home)})


@SEVERAL
@given(torn(b'path,label,maker\nkick.wav,kick,ann\n"a,b",snare,bo\n'))
def test_whatever_stands_in_a_list_of_labels_it_is_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("labels")
    (folder / "labels.csv").write_bytes(data)
    answered(find_labelled, folder)
    answered(find_labelled, folder / "labels.csv")


@pytest.mark.parametrize("place", ["../secret.wav", "/etc/hostname", "link.wav"])
def test_a_list_of_labels_names_no_file_outside_its_folder(tmp_path, place):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "kick.wav").touch()
    (tmp_path / "labels" / "link.wav").symlink_to("/etc/hostname")
    (tmp_path / "labels" / "labels.csv").write_text(f"path,label\nkick.wav,kick\n{place},snare\n")
    with pytest.raises(BadInput, match=r"labels\.csv: .* outside its folder"):
        find_labelled(tmp_path / "labels")


# Models.


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_groove(tmp_path_factory.mktemp("model") / "groove", seed=0)


def vouched_for(model: Path) -> None:
    """A stranger writes a manifest that fits what he has spoilt."""
    (model / "manifest.json").write_text(json.dumps(manifest_of(model)))


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
def test_whatever_stands_in_a_model_it_is_loaded_or_refused(model, name):
    good = (model / name).read_bytes()
    spoiling = (
        bent(json.loads(good)).map(lambda value: json.dumps(value).encode())
        if name == "config.json"
        else torn(good[:2000])
    )

    @FEW
    @given(spoiling)
    def loads(data):
        with spoilt(model / "manifest.json", b""), spoilt(model / name, data):
            vouched_for(model)
            answered(load_model, model, "groove", GrooveConfig, GrooveVAE)
            answered(open_voice, "groove", str(model), Where())

    loads()


# MIDI, sound, archives.


@pytest.fixture(scope="module")
def midi(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A plain file of drums, and one that carries a beat's rows."""
    folder = tmp_path_factory.mktemp("midi")
    notes = np.array([(36, 100, 0, 240), (38, 90, 960, 240), (42, 80, 1440, 240)])
    write_midi(folder / "plain.mid", Take(notes), drums=True, texts=[(0, "hey")])
    write_audio(folder / "kick.wav", synthesise("kick", np.random.default_rng(0)))
    (folder / "pools_1.json").write_text(json.dumps({"CORE_POOL": [ROW]}))
    write_beat_midi(folder / "beat.mid", BEAT, read_kit(folder / "pools_1.json"))
    return (folder / "plain.mid").read_bytes(), (folder / "beat.mid").read_bytes()


def _ticks(number: int) -> bytes:
    """A MIDI file's way to write a number, of any size."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return bytes(reversed(groups))


def _midi(track: bytes, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(track)) + track


NOTE, END = b"\x00\x99\x24\x64", b"\x60\x89\x24\x00\x00\xff\x2f\x00"
MIDI_BLOWS = {
    "a delta of 300 bits": _midi(_ticks(2**300) + NOTE[1:] + END),
    "a delta of 70 bits": _midi(_ticks(2**70) + NOTE[1:] + END),
    "a delta beyond 32 bits": _midi(_ticks(2**33) + NOTE[1:] + END),
    "a note of 40 bits": _midi(NOTE + _ticks(2**40) + b"\x89\x24\x00\x00\xff\x2f\x00"),
    "a late note": _midi(NOTE + _ticks(2**31 - 1) + b"\x89\x24\x00" + NOTE + END),
    "no tempo": _midi(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE + END),
    "a meter of nothing": _midi(b"\x00\xff\x58\x04\x00\x00\x00\x00" + NOTE + END),
    "a meter of 2**255": _midi(b"\x00\xff\x58\x04\x04\xff\x18\x08" + NOTE + END),
    "frames for ticks": _midi(NOTE + END, division=0xE728),
    "one tick a quarter": _midi(NOTE + _ticks(2**27) + NOTE + END, division=1),
    "a text without end": _midi(b"\x00\xff\x01\x8f\xff\xff\x7f" + NOTE + END),
    "a damaged grid": _midi(b"\x00\xff\x01\x0fjamflow grid []\x00\xff\x01\x12jamflow event 36 {}" + NOTE + END),
    "a grid of brackets": _midi(b"\x00\xff\x01" + _ticks(60_013) + b"jamflow grid " + b"[" * 60_000 + NOTE + END),
    "a key": _midi(b"\x00\xff\x01" + _ticks(18 + 5000) + b"jamflow event " + b"9" * 5000 + b" {} " + NOTE + END),
}
MIDI_READERS = (read_midi, read_score, performance_of_file, read_beat_midi)


@pytest.mark.parametrize("name", MIDI_BLOWS)
def test_a_midi_file_made_to_hurt_is_read_or_refused(tmp_path, name):
    (tmp_path / "a.mid").write_bytes(MIDI_BLOWS[name])
    for read in MIDI_READERS:
        answered(read, tmp_path / "a.mid")
    answered(prepare, tmp_path, tmp_path / "prepared")


@pytest.mark.parametrize("which", [0, 1])
def test_whatever_stands_in_a_midi_file_it_is_read_or_refused(midi, tmp_path, which):
    @SEVERAL
    @given(torn(midi[which]))
    def reads(data):
        (tmp_path / "a.mid").write_bytes(data)
        for read in MIDI_READERS:
            answered(read, tmp_path / "a.mid")

    reads()


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    import soundfile

    folder = tmp_path_factory.mktemp("sounds")
    tone = np.sin(np.arange(3000) / 9) * 0.5
    for suffix in ("wav", "flac", "ogg", "aiff", "mp3"):
        soundfile.write(folder / f"a.{suffix}", tone, 44_100)
    return {file.suffix: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff", ".mp3"])
def test_whatever_stands_in_a_sound_file_it_is_read_or_refused(sounds, tmp_path, suffix):
    @SEVERAL
    @given(torn(sounds[suffix]))
    def reads(data):
        (tmp_path / f"a{suffix}").write_bytes(data)
        heard = answered(read_audio, tmp_path / f"a{suffix}")
        assert heard is None or np.isfinite(heard.samples).all()

    reads()


def _archives() -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    kinds: list[Any] = ["w:", "w:gz", "w:bz2", "w:xz"]
    for kind in kinds:
        with io.BytesIO() as held:
            with tarfile.open(fileobj=held, mode=kind) as archive:
                for name in ("songs/a.wav", "songs/" + "long" * 40, "b.wav"):
                    member = tarfile.TarInfo(name)
                    member.size = 600
                    archive.addfile(member, io.BytesIO(b"la" * 300))
            made[f"a.tar.{kind[2:]}".rstrip(".")] = held.getvalue()
    for kind, number in {"stored": zipfile.ZIP_STORED, "deflated": 8, "bzip2": 12, "lzma": 14}.items():
        with io.BytesIO() as held:
            with zipfile.ZipFile(held, "w", number) as archive:
                archive.writestr("songs/a.wav", b"la" * 300)
                archive.writestr("b.wav", b"la" * 300)
            made[f"{kind}.zip"] = held.getvalue()
    return made


ARCHIVES = _archives()


@pytest.mark.parametrize("name", ARCHIVES)
def test_whatever_stands_in_an_archive_it_is_unpacked_inside_or_refused(tmp_path, name):
    number = iter(range(10**6))

    @SEVERAL
    @given(torn(ARCHIVES[name]))
    def reads(data):
        (tmp_path / name).write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of doubled names
            answered(bring, str(tmp_path / name), tmp_path / "in" / "here" / str(next(number)), find_audio)
        outside = [path.name for path in (tmp_path, tmp_path / "in") for path in path.iterdir()]
        assert set(outside) <= {name, "in", "here", "home"}
        assert not list((tmp_path / "in").rglob("*.part")) if (tmp_path / "in").exists() else True

    reads()
