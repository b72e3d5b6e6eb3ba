"""Which role a one-shot plays: rules, CLAP and a learned scorer, fused, guarded, pooled.

assigner = RoleAssigner(RoleAssignerConfig.from_yaml("role_assignment.yaml"))
build_pools(assigner.assign_many(paths)).as_dict()
"""

from models.drums.roles.assigner import RoleAssigner, RoleAssignerConfig
from models.drums.roles.pools import build_pools
from models.drums.roles.types import DSPFeatures, Role, RolePools, SampleResult, ScoreBundle, ScoreVector

__all__ = [
    "DSPFeatures",
    "Role",
    "RoleAssigner",
    "RoleAssignerConfig",
    "RolePools",
    "SampleResult",
    "ScoreBundle",
    "ScoreVector",
    "build_pools",
]
