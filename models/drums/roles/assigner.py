"""Give one-shots their roles.

assigner = RoleAssigner(RoleAssignerConfig.from_yaml("role_assignment.yaml"))      # or RoleAssigner()
result = assigner.assign_file("kick 07.wav", "kick_07")
results = assigner.assign_many(find_audio("hits"), workers=2)
build_pools(results)
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.drums.roles.clap import CLAP_RATE_HZ, ClapConfig, open_clap
from models.drums.roles.features import DSPConfig, measure_frames
from models.drums.roles.fusion import Fusion
from models.drums.roles.guards import Guards
from models.drums.roles.jury import Jury
from models.drums.roles.learned.scorer import open_scorer
from models.drums.roles.listening import BATCH_SAMPLES, AudioConfig, Clip, Frames, listen, prepare
from models.drums.roles.pools import PoolConfig
from models.drums.roles.rules import RuleScoring
from models.drums.roles.trust import Trust
from models.drums.roles.types import ROLES, DSPFeatures, SampleResult, ScoreVector
from models.music.audio import Audio, read_audio
from models.music.config import from_mapping, read_yaml
from models.music.errors import BadAudio, BadInput
from models.music.plain import readable

log = logging.getLogger(__name__)
SETTINGS_FILE = Path(__file__).with_name("role_assignment.yaml")
MAX_SECONDS_READ = 600.0  # a one-shot is short; a song dropped in by mistake is told so


@dataclass(frozen=True)
class RoleAssignerConfig:
    """All numbers of the role system, by section; role_assignment.yaml holds the defaults."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    dsp: DSPConfig = field(default_factory=DSPConfig)
    rule_scoring: RuleScoring = field(default_factory=RuleScoring)
    clap: ClapConfig = field(default_factory=ClapConfig)
    fusion: Fusion = field(default_factory=Fusion)
    guards: Guards = field(default_factory=Guards)
    pool: PoolConfig = field(default_factory=PoolConfig)

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str] = SETTINGS_FILE) -> RoleAssignerConfig:
        """Read a settings file; what it leaves out keeps its default."""
        return from_mapping(cls, read_yaml(path), Path(path).name)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RoleAssignerConfig:
        return from_mapping(cls, values, "role assignment")


@dataclass(frozen=True)
class _Sound:
    """One prepared one-shot."""

    sample_id: str
    filepath: str
    clip: Clip
    clip_for_clap: NDArray[np.float32] | None


class LearnedVoice(Protocol):
    """The learned scorer, in this process or behind a server."""

    @property
    def trust(self) -> Trust: ...
    def score_frames(self, frames: Frames, features: Sequence[DSPFeatures]) -> NDArray[np.float32]: ...


class RoleAssigner:
    """The voices, loaded once, and the jury over them."""

    def __init__(self, config: RoleAssignerConfig | None = None, learned: LearnedVoice | None = None) -> None:
        self.config = config or RoleAssignerConfig()
        self.clap = open_clap(self.config.clap)
        self.scorer = learned or open_scorer(self.config.fusion.scorer)
        trust = self.scorer.trust if self.scorer else Trust()
        self.jury = Jury(self.config.rule_scoring, self.config.fusion, self.config.guards, trust)

    def assign_file(self, path: str | os.PathLike[str], sample_id: str | None = None) -> SampleResult:
        """Give one file its role."""
        return self._judge([self._read(Path(path), sample_id)])[0]

    def assign_audio(self, y: ArrayLike, sr: int, sample_id: str = "sample", filepath: str = "") -> SampleResult:
        """Give samples, [frames] or [channels, frames] at a rate, their role."""
        return self._judge([self._prepare(Audio(np.asarray(y, np.float32), sr, sample_id), sample_id, filepath)])[0]

    def assign_many(
        self,
        paths: Sequence[str | os.PathLike[str]],
        sample_ids: Sequence[str] | None = None,
        *,
        workers: int = 2,
        progress: Callable[[int, int], None] | None = None,
        skip_bad: bool = False,
    ) -> list[SampleResult]:
        """Give many files their roles, in their order: read in parallel, measured in batches.

        progress(done, total) is told after each batch. A file that cannot be used ends the run, or with skip_bad is
        left out with a warning.
        """
        names = sample_ids or unique_ids(paths)
        if len(names) != len(paths):
            raise BadInput(f"assign_many: {len(paths)} files but {len(names)} sample_ids; give one for each.")
        results: list[SampleResult] = []
        done = 0
        with contextlib.closing(self._read_ahead(paths, names, workers, skip_bad)) as sounds:
            for seen, batch in _in_batches(sounds):
                results += self._judge(batch)
                done += seen
                if progress:
                    progress(done, len(paths))
        return results

    def _read_ahead(
        self, paths: Sequence[str | os.PathLike[str]], names: Sequence[str], workers: int, skip_bad: bool
    ) -> Generator[_Sound | None, None, None]:
        """Read files in parallel, a few at a time, so that a large library never stands in memory whole."""
        with ThreadPoolExecutor(max(1, workers)) as readers:
            for start in range(0, len(paths), 64):
                chosen = list(zip(paths[start : start + 64], names[start : start + 64], strict=True))
                for task in [readers.submit(self._read, Path(path), name) for path, name in chosen]:
                    try:
                        yield task.result()
                    except BadAudio as error:
                        if not skip_bad:
                            raise
                        log.warning("left out: %s", error)
                        yield None

    def _read(self, path: Path, sample_id: str | None) -> _Sound:
        return self._prepare(read_audio(path, max_seconds=MAX_SECONDS_READ), sample_id or path.stem, str(path))

    def _prepare(self, audio: Audio, sample_id: str, filepath: str) -> _Sound:
        settings = self.config.audio
        for_clap = prepare(audio, settings, CLAP_RATE_HZ) if self.clap else None
        return _Sound(sample_id, filepath, prepare(audio, settings), for_clap)

    def _judge(self, sounds: Sequence[_Sound]) -> list[SampleResult]:
        if not sounds:
            return []
        frames = listen([sound.clip for sound in sounds])
        features = measure_frames(frames, self.config.dsp)
        p_learned = self.scorer.score_frames(frames, features) if self.scorer else None
        cosines = p_clap = None
        if self.clap:
            cosines = self.clap.similarities([s.clip_for_clap for s in sounds if s.clip_for_clap is not None])
            p_clap = self.clap.probabilities(cosines)
        return [
            self.jury.decide(
                features[i],
                _vector(p_clap, i),
                _vector(p_learned, i),
                sample_id=sound.sample_id,
                filepath=sound.filepath,
                clap_similarities={} if cosines is None else dict(zip(ROLES, map(float, cosines[i]), strict=True)),
            )
            for i, sound in enumerate(sounds)
        ]


def unique_ids(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Name samples after their files; where a name is taken already, it is counted up."""
    names: dict[str, None] = {}
    for path in paths:
        name, again = readable(Path(path).stem), 1
        while name in names:
            again += 1
            name = f"{readable(Path(path).stem)}~{again}"
        names[name] = None
    return list(names)


def _in_batches(sounds: Iterator[_Sound | None]) -> Iterator[tuple[int, list[_Sound]]]:
    """Collect about BATCH_SAMPLES of sound: (how many files were seen, those that can be used)."""
    seen, held, batch = 0, 0, []
    for sound in sounds:
        seen += 1
        if sound is not None:
            batch.append(sound)
            held += len(sound.clip)
        if held >= BATCH_SAMPLES:
            yield seen, batch
            seen, held, batch = 0, 0, []
    if seen:
        yield seen, batch


def _vector(table: NDArray | None, row: int) -> ScoreVector | None:
    return None if table is None else ScoreVector(tuple(table[row]))
