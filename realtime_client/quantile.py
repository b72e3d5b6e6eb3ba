"""What share of values lies below: the same for figures that are told and for those that are acted upon.

percentile(round_trips_ms, 0.95)
"""

from __future__ import annotations

from collections.abc import Iterable


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which such a share of them lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
