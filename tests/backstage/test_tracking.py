from backstage import tracking
from backstage.record import Record
from models.music.figures import Figure


def test_logging_without_a_record_does_nothing(tmp_path):
    tracking.log_metrics({"loss": 1.0})
    tracking.log_picture("nowhere", tmp_path / "missing.png")
    assert list(tmp_path.iterdir()) == []


def test_what_is_logged_is_read_back_in_order(tmp_path):
    (tmp_path / "a.png").write_bytes(b"png")
    with tracking.recording(tmp_path / "record") as folder:
        tracking.log_metrics({"loss": 2.0}, step=1)
        tracking.log_metrics({"loss": 1.0, "hits": 3}, step=2)
        tracking.log_picture("A/../picture", tmp_path / "a.png")
    record = Record(folder)
    assert record.metrics() == {"loss": 1.0, "hits": 3.0}
    assert [e["step"] for e in record.of_kind("metrics")] == [1, 2]
    [picture] = record.of_kind("picture")
    assert (folder / picture["file"]).read_bytes() == b"png"
    assert (folder / picture["file"]).resolve().parent == folder.resolve()
    tracking.log_metrics({"late": 1.0})
    assert "late" not in record.metrics()


def test_what_numbers_are_called_is_noted_once_and_apart_from_them(tmp_path):
    figures = {"loss": Figure("validation loss", "nats", better="lower"), "other": Figure("other")}
    for place in ("first", "second"):
        with tracking.recording(tmp_path / place) as folder:
            for step in (1, 2):
                tracking.log_metrics({"loss": 3.0 - step}, step, figures, {"champion": {"loss": 4.0, "more": 1.0}})
        record = Record(folder)
        assert record.figures() == {"loss": figures["loss"]}
        assert record.beside() == {"champion": {"loss": 4.0}}
        assert record.metrics() == {"loss": 1.0}
        assert [entry["kind"] for entry in record.entries()[0]].count("figures") == 1


def test_a_journal_can_be_read_while_it_grows(tmp_path):
    with tracking.recording(tmp_path) as folder:
        tracking.log_metrics({"loss": 2.0})
        first, position = Record(folder).entries()
        with open(folder / tracking.JOURNAL, "a") as journal:
            journal.write('{"kind": "metrics", "half')
        assert Record(folder).entries(position) == ([], position)
    assert [e["kind"] for e in first if e["kind"] == "metrics"] == ["metrics"]
