"""Ask the system to be punctual, as far as it lets us.

take_priority(50)       # whether it was given: real-time on Linux, where that is allowed
"""

from __future__ import annotations

import gc
import os
import sys

WINDOWS_HIGH_PRIORITY = 0x80


def take_priority(level: int) -> bool:
    """Run before everybody else; whether as a real-time process."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.winmm.timeBeginPeriod(1)  # select would wake every 15.6 ms
        ctypes.windll.kernel32.SetPriorityClass(ctypes.windll.kernel32.GetCurrentProcess(), WINDOWS_HIGH_PRIORITY)
        return False
    if not hasattr(os, "sched_setscheduler"):  # macOS
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(level))
    except OSError:
        return False
    return True


def never_collect() -> None:
    """Leave cycles where they are: a collection takes as long as a note may be late."""
    gc.collect()
    gc.freeze()
    gc.disable()
