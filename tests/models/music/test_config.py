from dataclasses import dataclass, field

import pytest

from models.music.config import from_mapping, read_yaml
from models.music.errors import BadConfig


@dataclass(frozen=True)
class Reverb:
    seconds: float = 1.0


@dataclass(frozen=True)
class Sound:
    gain_db: float = 0.0
    bits: int | None = None
    reverb: Reverb = field(default_factory=Reverb)
    colours: tuple[float, ...] = ()


def test_a_mapping_becomes_a_checked_dataclass():
    built = from_mapping(Sound, {"gain_db": 3, "reverb": {"seconds": 2}, "colours": [1, 2.5]}, "here")
    assert built == Sound(3.0, None, Reverb(2.0), (1.0, 2.5))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"gain_dbb": 1}, "here: unknown key 'gain_dbb'; did you mean 'gain_db'"),
        ({"gain_db": "loud"}, "here: gain_db is 'loud'; float is needed"),
        ({"bits": True}, "here: bits is True; int is needed"),
        ({"reverb": {"second": 1}}, "here: reverb: unknown key 'second'; did you mean 'seconds'"),
    ],
)
def test_a_wrong_setting_names_the_place_and_the_way_out(values, said):
    with pytest.raises(BadConfig, match=said):
        from_mapping(Sound, values, "here")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!python/object/apply:os.system ['true']", "not safe, plain YAML"),
        ("a: &x [1, 2]\nb: [*x, *x]", "anchors and aliases"),
        ("- 1", "holds list; a mapping"),
        ("a: [1", "not safe, plain YAML"),
        ("#" * (1 << 20) + "\na: 1", "at most"),
    ],
)
def test_dangerous_or_broken_yaml_is_refused_in_one_line(tmp_path, text, said):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(BadConfig, match=said) as caught:
        read_yaml(tmp_path / "bad.yaml")
    assert "\n" not in str(caught.value)
