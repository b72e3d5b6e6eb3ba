import pytest

from models.music.figures import Figure, figure, spoken

TIMING = Figure("timing error", "ms", better="lower")


@pytest.mark.parametrize(
    ("known", "value", "told"),
    [
        (TIMING, 19.2634, "timing error 19.26 ms"),
        (Figure("validation loss", "nats a window", better="lower"), 206.61, "validation loss 206.6 nats a window"),
        (Figure("one-shots"), 1145, "1145 one-shots"),
        (Figure("one-shots"), 1.0, "1 one-shot"),
        (Figure("loss"), 2, "loss 2"),
        (Figure("songs"), ["mixes/one.wav", "two.wav"], "2 songs: one.wav, two.wav"),
        (Figure("songs"), ["one.wav"], "1 song: one.wav"),
        (Figure("songs"), [str(n) for n in range(9)], "9 songs: 0, 1, 2 and 6 more"),
        (Figure("version"), 3, "version 3"),
        (Figure(""), "passed", "passed"),
        (Figure("local"), True, "local yes"),
    ],
)
def test_a_number_is_told_with_its_name_and_unit(known, value, told):
    assert known.told(value) == told


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2147483647, "2147483647"), (2147483647.0, "2147483647"), (999.96, "1000"), (12345.6, "12346"),
        (0.85714, "0.857"), (0.000123, "0.000123"), (float("nan"), "nan"), (-0.5, "-0.5"),
        ({"bpm": 96.0, "swing": 0.61}, "bpm 96, swing 0.61"), (("a", 2), "a, 2"), ([], ""), ("x" * 99, "x" * 59 + "…"),
    ],
)  # fmt: skip
def test_values_are_spoken_as_a_person_would(value, said):
    assert spoken(value) == said


def test_better_and_worse_follow_the_figure_and_what_reads_the_same_is_equal():
    assert TIMING.verdict(19.2, 20.6) == "better"
    assert TIMING.verdict(20.6, 19.2) == "worse"
    assert TIMING.verdict(19.2601, 19.2602) == "equal"
    assert Figure("accuracy", better="higher").verdict(0.9, 0.8) == "better"
    assert Figure("spread", better=1.0).verdict(1.1, 0.7) == "better"
    assert Figure("hits").verdict(1, 2) == ""
    assert [f.direction for f in (TIMING, Figure("spread", better=1.0), Figure("hits"))] == [
        "lower is better",
        "nearer 1 is better",
        "",
    ]


def test_an_undeclared_number_is_called_by_its_key():
    assert figure({}, "hits_heard").told(24.0) == "hits heard 24"
    assert figure({"timing_mae_ms": TIMING}, "timing_mae_ms") is TIMING
