from backstage.pipeline_run import PipelineRun, StageRun
from backstage.record import Record
from backstage.report import MAX_INLINE_BYTES, report_html
from backstage.tracking import log_audio, log_metrics, recording


def test_the_page_tells_the_failure_first_and_escapes_what_users_name():
    stages = [
        StageRun("slice", "done", seconds=1.5, number=("hits", 12.0)),
        StageRun("roles", "failed", cause="<b>.wav: silent."),
    ]
    page = report_html(PipelineRun("drums", "drums-1", stages, {"song": "<script>alert(1)</script>"}), {})
    assert "<script>" not in page
    assert page.index("&lt;b&gt;.wav: silent.") < page.index("<h2>Stages</h2>")
    assert "hits 12" in page
    assert "1.5 s" in page


def test_a_long_list_of_numbers_is_folded_and_a_long_sound_is_named(tmp_path):
    (tmp_path / "long.wav").write_bytes(bytes(MAX_INLINE_BYTES + 1))
    with recording(tmp_path / "record") as folder:
        log_metrics({f"metric_{n}": float(n) for n in range(20)})
        log_audio("The whole song", tmp_path / "long.wav")
    page = report_html(PipelineRun("drums", "drums-1", [StageRun("render", "done", record=Record(folder))]), {})
    assert "8 more" in page
    assert "data:audio" not in page
    assert "The whole song: " in page


def test_a_run_file_survives_a_round_trip(tmp_path):
    stage = StageRun(
        "slice", "done", 1.0, 2.0, ("hits", 12.0), params={"max_hits": 64}, record=Record(tmp_path / "record")
    )
    run = PipelineRun("drums", "drums-1", [stage], {"bpm": 120, "limits": (1, float("nan"))}, "done", 3.0, 4.0)
    run.save(tmp_path)
    back = PipelineRun.load(tmp_path)
    assert back.stages[0].record == stage.record
    assert list(back.stages[0].number or ()) == ["hits", 12.0]
    assert back.params == {"bpm": 120, "limits": [1, "nan"]}
    assert not back.alive
