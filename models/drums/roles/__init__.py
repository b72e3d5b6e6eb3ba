"""Which role a one-shot plays: rules, CLAP and a learned scorer, fused, guarded, pooled.

from models.drums.roles.assigner import RoleAssigner, RoleAssignerConfig
from models.drums.roles.pools import build_pools
"""
