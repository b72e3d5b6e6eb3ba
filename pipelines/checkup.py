"""What `jamflow doctor` looks at, one function a check; each gives a finding and what to do about it.

for finding in examine(Profile.load()): print(finding.what, finding.found, finding.advice)
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
import sys
from pathlib import Path

from models.music.errors import JamflowError
from models.music.finding import Finding
from pipelines.settings import Profile

PACKAGES = ("models", "backstage", "components", "pipelines", "serving", "realtime_client")
NEWEST_PYTHON, OLDEST_PYTHON = (3, 13), (3, 11)
DISK_GB, SHARED_MB = 1.0, 64.0


def examine(profile: Profile) -> list[Finding]:
    """Look at everything; no check changes anything."""
    return [
        python(),
        shadows(),
        triton_files(),
        triton_libraries(),
        shared_memory(),
        server(profile),
        loopback(),
        store(profile),
        disk(profile),
        ffmpeg(),
        engine(),
        gpu(),
        midi(),
    ]


def python() -> Finding:
    version = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding(
            "Python", "missing", version, "make the environment with Python 3.11 to 3.13: make setup PYTHON=python3.11"
        )
    if sys.version_info[:2] > NEWEST_PYTHON:
        return Finding(
            "Python", "optional", version, "the Triton files serve Python up to 3.13; to serve models, use one of those"
        )
    return Finding("Python", "good", version)


def shadows() -> Finding:
    """Packages of the same names elsewhere on the path: the first one wins an import."""
    ours = Path(__file__).resolve().parents[1]
    chosen = {name: _origin(name) for name in PACKAGES}
    taken = {name: place for name, place in chosen.items() if place is None or place.parent != ours}
    if taken:
        name, place = next(iter(taken.items()))
        advice = f"rename or leave {place}, or start from another folder" if place else "install again: make setup"
        return Finding(
            "Packages", "missing", f"`import {name}` does not find ours in {ours}, but {place or 'nothing'}", advice
        )
    others = _elsewhere(ours)
    if others:
        return Finding(
            "Packages",
            "optional",
            f"ours come first; the same name is also at {others[0]}",
            "rename it, before the order changes",
        )
    return Finding("Packages", "good", f"ours, from {ours}")


def triton_files() -> Finding:
    from serving.triton_files import distribution

    try:
        return Finding("Triton", "good", str(distribution()))
    except JamflowError as error:
        return Finding.of("Triton", error)


def triton_libraries() -> Finding:
    from serving.triton_files import PYTHON, STUB, check_libraries, distribution, environment

    try:
        stub = distribution() / "python_backend_stubs" / PYTHON / STUB
        if not stub.is_file():
            return Finding(
                "libpython", "missing", f"Triton has no backend for Python {PYTHON}", "use Python 3.11 to 3.13"
            )
        check_libraries(stub, environment())
    except JamflowError as error:
        return Finding.of("libpython", error)
    return Finding("libpython", "good", f"Triton's models find libpython{PYTHON}")


def shared_memory() -> Finding:
    try:
        free_mb = shutil.disk_usage("/dev/shm").free / 2**20
    except OSError:
        return Finding("/dev/shm", "missing", "not there", "Triton hands arrays over in it: mount a tmpfs on /dev/shm")
    if free_mb < SHARED_MB:
        return Finding(
            "/dev/shm", "missing", f"{free_mb:.0f} MB free", "Triton needs 64 MB or more; in a container: --shm-size=1g"
        )
    return Finding("/dev/shm", "good", f"{free_mb:.0f} MB free")


def server(profile: Profile) -> Finding:
    from serving.endpoint import Endpoint

    running = Endpoint.running(profile.serving)
    if running is None:
        return Finding("Server", "optional", "not running", "jamflow serve --detach")
    from serving.look import look

    seen = look(running)
    if not seen.answers:
        return Finding("Server", "optional", seen.spoken, "its keeper starts it again within half a minute")
    return Finding("Server", "good", seen.spoken)


def loopback() -> Finding:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Finding(
            "Ports",
            "missing",
            f"nothing can listen on 127.0.0.1 ({error})",
            "bring the loopback interface up: ip link set lo up",
        )
    return Finding("Ports", "good", "free ones on 127.0.0.1; no fixed port is needed")


def store(profile: Profile) -> Finding:
    uri = profile.mlflow_uri
    if importlib.util.find_spec("mlflow") is None:
        return Finding("MLflow", "missing", "not installed", "pip install -c constraints.txt -e '.[ops]'")
    if uri is None:
        return Finding("MLflow", "optional", "tracking is off", "set tracking_uri to train, deploy and serve models")
    from serving.store import check_database, open_store
    from serving.where import database_of

    database = database_of(uri)
    if database is None:
        return Finding("MLflow", "good", uri)
    if not database.exists():
        return Finding("MLflow", "good", f"{database} will be made when it is first needed")
    try:
        check_database(database, thoroughly=True)
        models = len(open_store(uri).search_model_versions())
    except JamflowError as error:
        return Finding.of("MLflow", error)
    return Finding("MLflow", "good", f"{database}, {models} model versions")


def disk(profile: Profile) -> Finding:
    place = next(path for path in (profile.home, *profile.home.parents) if path.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    if free_gb < DISK_GB:
        return Finding(
            "Disk",
            "missing",
            f"{free_gb:.1f} GB free for {profile.home}",
            "free some space, or set JAMFLOW_HOME to a bigger disk",
        )
    return Finding("Disk", "good", f"{free_gb:.0f} GB free for {profile.home}")


def ffmpeg() -> Finding:
    absent = [name for name in ("ffmpeg", "ffprobe") if shutil.which(name) is None]
    if absent:
        return Finding(
            "ffmpeg", "optional", f"no {' and no '.join(absent)}", "for MP3, M4A and museval: apt-get install ffmpeg"
        )
    return Finding("ffmpeg", "good", shutil.which("ffmpeg") or "")


def engine() -> Finding:
    found = shutil.which("docker") or shutil.which("podman")
    if found is None:
        return Finding(
            "Containers", "optional", "no engine", "stages run as processes; for containers: apt-get install docker.io"
        )
    return Finding("Containers", "good", found)


def gpu() -> Finding:
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    if not cards:
        return Finding("GPU", "optional", "none; everything runs on the processor")
    names = [
        line.split(":", 1)[1].strip()
        for card in cards
        for line in card.read_text().splitlines()
        if line.startswith("Model")
    ]
    return Finding("GPU", "good", ", ".join(names) or f"{len(cards)} of them")


def midi() -> Finding:
    if importlib.util.find_spec("rtmidi") is None:
        return Finding(
            "MIDI",
            "optional",
            "python-rtmidi is not installed",
            "for the live client: pip install -c constraints.txt -e '.[realtime]'",
        )
    if sys.platform == "linux" and not Path("/dev/snd/seq").exists() and shutil.which("jackd") is None:
        return Finding(
            "MIDI", "optional", "no ALSA sequencer", "for live playing: modprobe snd-seq, or install and start JACK"
        )
    try:
        import rtmidi

        names = [*rtmidi.MidiIn().get_ports(), *rtmidi.MidiOut().get_ports()]  # type: ignore[attr-defined]
    except Exception as error:  # rtmidi raises SystemError and its own kinds where there is no sequencer
        return Finding("MIDI", "optional", f"no MIDI system ({error})", "for live playing: load snd-seq, or start JACK")
    return Finding("MIDI", "good", ", ".join(dict.fromkeys(names)) or "a system, but no ports: plug a keyboard in")


def _origin(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]).resolve() if places else None


def _elsewhere(ours: Path) -> list[Path]:
    folders = dict.fromkeys(Path(entry or ".").resolve() for entry in sys.path)
    places = [
        place
        for folder in folders
        if folder != ours
        for name in PACKAGES
        for place in (folder / name, folder / f"{name}.py")
    ]
    return [place for place in places if place.is_file() or (place / "__init__.py").is_file()]
