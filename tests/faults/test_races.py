"""Fault 14: processes that open a new database at once, and two promotions at once, of which one wins."""

import subprocess
import sys
import threading
from pathlib import Path

from served_house import tiny_groove

from models.music.errors import RegistryError
from serving.registration import register

ROOT = Path(__file__).resolve().parents[2]


def test_two_promotions_at_once_have_one_winner(registry, tmp_path, monkeypatch):
    versions = [register(registry, "groove", tiny_groove(tmp_path / str(seed), seed), {}) for seed in range(3)]
    registry.promote("groove", versions[0])
    seen, outcomes = threading.Barrier(2), []
    look = registry.alias

    def looked(name, alias):  # both look at the same champion before either moves it
        found = look(name, alias)
        if (
            alias == "champion"
            and found == versions[0]
            and not seen.broken
            and threading.current_thread().name not in met
        ):
            met.add(threading.current_thread().name)
            seen.wait(10)
        return found

    def promote(version):
        try:
            registry.promote("groove", version)
            outcomes.append("won")
        except RegistryError as error:
            outcomes.append(str(error))

    met: set[str] = set()
    monkeypatch.setattr(registry, "alias", looked)
    threads = [threading.Thread(target=promote, args=(version,)) for version in versions[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    champion = look("groove", "champion")
    assert sorted(outcome == "won" for outcome in outcomes) == [False, True]
    assert any(f"lost the race, champion is {champion}." in outcome for outcome in outcomes)
    assert champion in versions[1:]
    assert look("groove", "previous") == versions[0]


def test_four_processes_may_open_a_new_database_at_once(tmp_path):
    script = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from serving.store import open_store\n"
        f"print(len(open_store('sqlite:///{tmp_path}/new/mlflow.db').search_experiments()))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    ended = [process.communicate(timeout=110) for process in processes]
    assert [said.strip() for said, _ in ended] == ["1"] * 4, ended
