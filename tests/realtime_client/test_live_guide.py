"""docs/live.md tells of what there is, and of all of it."""

import re
from pathlib import Path

import pytest

from pipelines import cli
from realtime_client.fl_studio import beacons
from realtime_client.settings import JamSettings

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/live.md").read_text(encoding="utf-8")


def test_every_command_is_told_of(capsys):
    with pytest.raises(SystemExit):
        cli.main(["jam", "--help"])
    commands = re.findall(r"jamflow jam (\w+)", capsys.readouterr().out)
    assert set(commands) <= set(re.findall(r"jamflow jam (\w+)", GUIDE))
    assert set(re.findall(r"`jamflow jam (\w+)", GUIDE)) <= set(commands)


def test_every_flag_that_is_told_of_is_there():
    flags = set(re.findall(r"--([a-z][a-z-]+)", GUIDE)) - {"help", "detach", "armed"}
    assert flags <= {name.replace("_", "-") for name in JamSettings._fields}


def test_the_script_has_the_name_that_is_told():
    assert Path(beacons.__file__).with_name("device_Jamflow.py").is_file()
    assert "device_Jamflow.py" in GUIDE
