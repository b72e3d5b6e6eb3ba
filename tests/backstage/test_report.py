from backstage.pipeline_run import PipelineRun, StageRun
from backstage.record import Record
from backstage.report import MAX_INLINE_BYTES, report_html
from backstage.tracking import log_audio, log_metrics, log_note, log_picture, recording


def a_stage(tmp_path, name, *logs) -> StageRun:
    with recording(tmp_path / name) as folder:
        for log in logs:
            log()
    return StageRun(name, "done", seconds=1.0, record=Record(folder))


def test_the_page_tells_the_failure_first_and_escapes_what_users_name():
    stages = [
        StageRun("slice", "done", seconds=1.5, number=("hits", 12.0)),
        StageRun("roles", "failed", cause="<b>.wav: silent."),
    ]
    page = report_html(PipelineRun("drums", "drums-1", stages, {"song": "<script>alert(1)</script>"}), {})
    assert "<script>" not in page
    assert page.index("&lt;b&gt;.wav: silent.") < page.index("<h2>Stages</h2>")
    assert "12 hits" in page
    assert "1.5 s" in page


def test_the_sound_made_last_and_its_picture_come_first_and_the_table_of_stages_last(tmp_path):
    (tmp_path / "a.png").write_bytes(b"png")
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    stages = [
        a_stage(tmp_path, "cut", lambda: log_metrics({"hits": 3})),
        a_stage(
            tmp_path,
            "sketch",
            lambda: log_picture("the sketch's picture", tmp_path / "a.png"),
            lambda: log_audio("the sketch's sound", tmp_path / "a.wav"),
        ),
        a_stage(tmp_path, "groove", lambda: log_audio("the groove's sound", tmp_path / "a.wav")),
        a_stage(tmp_path, "judge", lambda: log_metrics({"error": 3.5})),
    ]
    page = report_html(PipelineRun("drums", "drums-1", stages, {"bpm": 96.0, "home": ""}), {"log": "log.txt"})
    order = [
        "the groove&#x27;s sound",
        "the sketch&#x27;s sound",
        "the sketch&#x27;s picture",
        "<b>3.5</b>",
        "<b>3</b>",
    ]
    places = [page.index(each) for each in [*order, "log.txt", "<h2>Settings</h2>", "<h2>Stages</h2>"]]
    assert places == sorted(places)
    assert page.rindex("<h2>") == page.index("<h2>Stages</h2>")
    assert "96<" in page
    assert ">home<" not in page, "a setting that was left empty says nothing"


def test_a_stages_heading_says_what_it_came_to_and_why(tmp_path):
    gate = a_stage(tmp_path, "gate", lambda: log_note("The timing is worse than the champion's."))
    gate.number = ("", "held back")
    page = report_html(
        PipelineRun("train", "train-1", [gate, StageRun("deploy", "skipped")]), {"files": "file:///a", "MLflow": "off"}
    )
    assert "<h2>gate <small>held back</small></h2><p>The timing is worse than the champion&#x27;s.</p>" in page
    assert "deploy not reached" in page
    assert "<a href='file:///a'>" in page


def test_a_long_list_of_numbers_is_folded_and_a_long_sound_is_named(tmp_path):
    (tmp_path / "long.wav").write_bytes(bytes(MAX_INLINE_BYTES + 1))
    render = a_stage(
        tmp_path,
        "render",
        lambda: log_metrics({f"metric_{n}": float(n) for n in range(20)}),
        lambda: log_audio("The whole song", tmp_path / "long.wav"),
    )
    page = report_html(PipelineRun("drums", "drums-1", [render]), {})
    assert "8 more" in page
    assert "data:audio" not in page
    assert "The whole song: " in page


def test_a_run_file_survives_a_round_trip(tmp_path):
    stage = StageRun(
        "slice",
        "done",
        1.0,
        2.0,
        "hits",
        ("hits", 12.0),
        "",
        params={"max_hits": 64},
        record=Record(tmp_path / "record"),
    )
    run = PipelineRun("drums", "drums-1", [stage], {"bpm": 120, "limits": (1, float("nan"))}, "done", 3.0, 4.0)
    run.save(tmp_path)
    back = PipelineRun.load(tmp_path)
    assert back.stages[0].record == stage.record
    assert back.stages[0].number_text() == "12 hits"
    assert back.params == {"bpm": 120, "limits": [1, "nan"]}
    assert not back.alive
