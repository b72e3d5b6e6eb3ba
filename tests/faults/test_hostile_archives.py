"""Fault 5: an archive whose members reach outside is refused whole."""

import io
import zipfile

import pytest

from backstage import storage
from models.music.errors import BadInput


def test_an_archive_that_reaches_outside_is_refused_whole(tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("fine.mid", "x")
        packed.writestr("../../outside.mid", "x")
    (tmp_path / "evil.zip").write_bytes(made.getvalue())
    with pytest.raises(BadInput, match="outside"):
        storage.bring(str(tmp_path / "evil.zip"), tmp_path / "deep" / "down" / "here")
    assert not list(tmp_path.rglob("*.mid"))
