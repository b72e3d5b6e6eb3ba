"""The stage that listens for the tempo."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-audio")
def find_tempo(drums: Input[Dataset], tempo: Output[Dataset], bpm: str = "auto") -> float:
    """Hear the tempo of drums and where their bars begin; the tempo comes back, every beat is in tempo_N.json.

    Args:
        drums: A sound file of drums alone, or a folder tree of them; of many the surest one counts.
        bpm: auto hears the tempo in the drums; a number of quarters a minute, 20 to 400, is taken as it is.

    Returns:
        bpm
    """
    from backstage.tracking import log_metrics, log_note, log_picture
    from models.drums.tempo import PICTURE, write_tempo

    heard = write_tempo(drums.path, tempo.path, bpm)
    log_note(heard.said)
    log_metrics({"bpm": heard.bpm, "sure": heard.sure, "beats": len(heard.beats_s), "bars": len(heard.downbeats_s)})
    log_picture("tempo", f"{tempo.path}/{PICTURE}")
    return heard.bpm
