from backstage import tracking
from backstage.record import Record


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
        tracking.log_params({"seed": 7})
    record = Record(folder)
    assert record.metrics() == {"loss": 1.0, "hits": 3.0}
    assert [e["step"] for e in record.of_kind("metrics")] == [1, 2]
    [picture] = record.of_kind("picture")
    assert (folder / picture["file"]).read_bytes() == b"png"
    assert (folder / picture["file"]).resolve().parent == folder.resolve()
    assert record.of_kind("params")[0]["values"] == {"seed": "7"}
    tracking.log_metrics({"late": 1.0})
    assert "late" not in record.metrics()


def test_a_journal_can_be_read_while_it_grows(tmp_path):
    with tracking.recording(tmp_path) as folder:
        tracking.log_metrics({"loss": 2.0})
        first, position = Record(folder).entries()
        with open(folder / tracking.JOURNAL, "a") as journal:
            journal.write('{"kind": "metrics", "half')
        assert Record(folder).entries(position) == ([], position)
    assert [e["kind"] for e in first if e["kind"] == "metrics"] == ["metrics"]
