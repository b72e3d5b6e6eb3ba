"""Pools: nobody missing, nobody crowded."""

from __future__ import annotations

from models.drums.roles.pools import PoolConfig, build_pools
from models.drums.roles.types import ROLES, DSPFeatures, Role, SampleResult, ScoreBundle, ScoreVector

FITS_ALL = {"low_ratio": 0.5, "sharpness": 0.6, "high_ratio": 0.5}


def sample(name: str, first: Role, second: Role, margin: float, **features: float) -> SampleResult:
    """A sample whose two best roles are a margin apart."""
    shares = dict.fromkeys(ROLES, 0.05) | {first: 0.425 + margin / 2, second: 0.425 - margin / 2}
    vector = ScoreVector(tuple(shares[role] for role in ROLES))
    measured = dict.fromkeys(DSPFeatures.__dataclass_fields__, 0.5) | {**FITS_ALL, **features}
    return SampleResult(
        name, f"{name}.wav", first, ScoreBundle(vector, None, None, vector, 0.5 + margin / 2), DSPFeatures(**measured)
    )


def names(samples) -> list[str]:
    return [one.sample_id for one in samples]


def test_samples_stand_in_the_pool_of_their_role_the_surest_first():
    pools = build_pools(
        [
            sample("b", Role.CORE, Role.FILL, 0.2),
            sample("a", Role.CORE, Role.FILL, 0.6),
            sample("s", Role.ACCENT, Role.FILL, 0.3),
            sample("h", Role.MOTION, Role.FILL, 0.3),
        ]
    )
    assert names(pools[Role.CORE]) == ["a", "b"]
    assert pools.counts == {"CORE": 2, "ACCENT": 1, "MOTION": 1, "FILL": 0, "TEXTURE": 0}


def test_an_empty_required_pool_is_filled_by_the_likeliest_candidate():
    pools = build_pools(
        [
            sample("k", Role.CORE, Role.FILL, 0.5),
            sample("h", Role.MOTION, Role.FILL, 0.5),
            sample("t", Role.FILL, Role.ACCENT, 0.2),
            sample("u", Role.FILL, Role.ACCENT, 0.4),
        ]
    )
    assert names(pools[Role.ACCENT]) == ["t"]
    assert pools[Role.ACCENT][0].debug["pool"] == "promoted from FILL"
    assert names(pools[Role.FILL]) == ["u"]


def test_nobody_is_promoted_against_its_conditions():
    pools = build_pools(
        [
            sample("k", Role.CORE, Role.FILL, 0.5),
            sample("s", Role.ACCENT, Role.FILL, 0.5),
            sample("t", Role.FILL, Role.MOTION, 0.1, high_ratio=0.0),
            sample("u", Role.FILL, Role.CORE, 0.4),
        ]
    )
    assert names(pools[Role.MOTION]) == ["u"]
    dark = [sample("k", Role.CORE, Role.FILL, 0.5), sample("t", Role.FILL, Role.MOTION, 0.1, high_ratio=0.0)]
    assert build_pools(dark)[Role.MOTION] == ()


def test_a_required_pool_never_gives_its_last_sample_away():
    pools = build_pools([sample("k", Role.CORE, Role.ACCENT, 0.1)])
    assert names(pools[Role.CORE]) == ["k"]
    assert pools[Role.ACCENT] == ()


def test_a_crowded_pool_sends_its_unsure_samples_to_their_second_role():
    crowd = [sample(f"k{i}", Role.CORE, Role.FILL, 0.5) for i in range(4)]
    unsure = [sample("x", Role.CORE, Role.FILL, 0.05), sample("y", Role.CORE, Role.TEXTURE, 0.07)]
    others = [sample("s", Role.ACCENT, Role.FILL, 0.5), sample("h", Role.MOTION, Role.FILL, 0.5)]
    pools = build_pools([*crowd, *unsure, *others])
    assert len(pools[Role.CORE]) == 4
    assert names(pools[Role.FILL]) == ["x"]
    assert names(pools[Role.TEXTURE]) == ["y"]
    assert pools[Role.FILL][0].debug["pool"] == "rebalanced from CORE"


def test_a_pool_keeps_the_surest_and_no_more_than_its_maximum():
    crowd = [sample(f"h{i:02d}", Role.MOTION, Role.FILL, 0.3 + i / 100) for i in range(13)]
    pools = build_pools(crowd)
    assert len(pools[Role.MOTION]) == 10
    assert "h00" not in names(pools[Role.MOTION])
    assert len(build_pools(crowd, PoolConfig(motion_max=2))[Role.MOTION]) == 2


def test_the_file_has_the_users_fields():
    written = build_pools([sample("k", Role.CORE, Role.FILL, 0.5)]).as_dict()
    assert list(written) == ["CORE_POOL", "ACCENT_POOL", "MOTION_POOL", "FILL_POOL", "TEXTURE_POOL", "counts"]
    assert written["CORE_POOL"] == [{"sample_id": "k", "filepath": "k.wav", "confidence": 0.75}]
    assert written["counts"]["CORE"] == 1
