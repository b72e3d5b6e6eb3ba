import pytest

from models.music.errors import BadConfig
from pipelines.settings import Profile


def test_a_laptop_needs_no_settings(home):
    profile = Profile.load({"JAMFLOW_HOME": str(home)})
    assert (profile.profile, profile.runner, profile.images) == ("laptop", "subprocess", "localhost/jamflow")
    assert profile.mlflow_uri == f"sqlite:///{home}/mlflow.db"
    assert profile.mlflow_command.endswith(f"mlflow ui --backend-store-uri sqlite:///{home}/mlflow.db")
    assert not home.exists(), "looking is not making"


def test_the_environment_comes_before_the_file(home):
    home.mkdir()
    (home / "settings.yaml").write_text("profile: cluster\nkfp_host: http://kfp\nimages: registry.example/band\n")
    profile = Profile.load({"JAMFLOW_HOME": str(home), "JAMFLOW_IMAGES": "other/place", "JAMFLOW_TRACKING_URI": "off"})
    assert (profile.profile, profile.kfp_host, profile.images) == ("cluster", "http://kfp", "other/place")
    assert profile.mlflow_uri is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kfp_hosst: http://kfp", "did you mean 'kfp_host'"),
        ("runner: podman", "'podman'"),
        ("profile: cluster", "JAMFLOW_KFP_HOST"),
    ],
)
def test_a_wrong_setting_is_told_with_its_way_out(home, text, told):
    home.mkdir()
    (home / "settings.yaml").write_text(text)
    with pytest.raises(BadConfig, match=told):
        Profile.load({"JAMFLOW_HOME": str(home)})
