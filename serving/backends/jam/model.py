"""The soloist inside Triton: a session keeps what it has read, so that a request costs what is new in it."""

from __future__ import annotations

from pathlib import Path

from models.jam.decode import Decoder, Reader
from models.jam.play import NOTHING, Asked, play
from models.jam.repertoire import Repertoire, read_repertoire
from models.jam.sampling import Taste
from models.music.chords import chord_of
from serving.backends.backend import Backend
from serving.backends.player import Cancelled, Playing
from serving.contract import Arrays
from serving.contracts.jam import JAM

WISHES = ("temperature", "top_p", "chord_bias")


class JamSession:
    """One listener's soloist."""

    def __init__(self, repertoire: Repertoire) -> None:
        self._repertoire = repertoire
        self._reader: Reader | None = None
        self._decoder: Decoder | None = None

    @property
    def nbytes(self) -> int:
        return self._reader.nbytes if self._reader else 0

    def parts(self, request: Arrays, cancelled: Cancelled) -> Playing:
        asked = _spoken(request)
        decoder = self._repertoire.decoder(asked.style)
        if self._reader is None or decoder is not self._decoder:
            self._decoder, self._reader = decoder, decoder.open()
        for note in play(self._reader, self._repertoire, asked, cancelled):
            yield {"note": note}

    def close(self) -> None:
        self._reader = None


class JamPlayer:
    """One base and its styles, for every session."""

    def __init__(self, folder: Path) -> None:
        self._repertoire = read_repertoire(folder)
        for place in range(len(self._repertoire.names)):
            self._repertoire.decoder(place)

    def open(self) -> JamSession:
        return JamSession(self._repertoire)


class TritonPythonModel(Backend):
    contract = JAM

    def open_player(self, folder: Path) -> JamPlayer:
        return JamPlayer(folder)


def _spoken(request: Arrays) -> Asked:
    wishes = {name: float(request[name][0]) for name in WISHES if name in request}
    return Asked(
        start_ticks=int(request["start_ticks"][0]),
        horizon_ticks=int(request["horizon_ticks"][0]),
        tempo_bpm=float(request["tempo"][0]),
        meter=tuple(request.get("meter", (4, 4))),
        chords=tuple((int(tick), chord_of(int(number))) for tick, number in request.get("chords", ())),
        band=request.get("context", NOTHING),
        line=request.get("primer", NOTHING),
        style=int(request["style"][0]) if "style" in request else 0,
        taste=Taste(**wishes),  # type: ignore[arg-type]  (only shares)
        seed=int(request["seed"][0]) if "seed" in request else 0,
    )
