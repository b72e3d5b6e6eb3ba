"""Every error a user can meet, as one small tree.

    JamflowError
    ├── BadInput          what you gave us cannot be used
    │   ├── BadAudio
    │   ├── BadMidi
    │   └── BadConfig     a setting, a flag, a YAML file
    ├── StageFailed       a pipeline stage ended badly; the message is the cause
    ├── StorageError      a file, a disk or a bucket did not do what it should
    ├── ServingError      the server, or the road to it
    │   ├── Unavailable   nobody answers
    │   │   └── NotLoaded the server does, without that model at this moment
    │   ├── TooLate       the deadline passed
    │   └── Refused       the server answered no, and said why
    │       └── Busy      it has no place for one more at this moment
    └── RegistryError     the model registry
        └── GateFailed    a model was not good enough to be served

A message has four parts in one line: what, which, value, next step.
"""

from __future__ import annotations


class JamflowError(Exception):
    """Anything that ends in one clear line instead of a traceback."""


class BadInput(JamflowError):
    """What was given cannot be used."""


class BadAudio(BadInput):
    """A sound file, or samples, that cannot be used."""


class BadMidi(BadInput):
    """A MIDI file, or notes, that cannot be used."""


class BadConfig(BadInput):
    """A setting that cannot be used."""


class StageFailed(JamflowError):
    """A pipeline stage failed; the message carries its cause."""


class StorageError(JamflowError):
    """A file, a disk or a bucket failed."""


class ServingError(JamflowError):
    """A model server could not do what was asked."""


class Unavailable(ServingError):
    """Nobody answers at the address."""


class NotLoaded(Unavailable):
    """The server plays no version of the model: it is being loaded, or nobody has asked for it."""


class TooLate(ServingError):
    """The deadline passed before the answer came."""


class Refused(ServingError):
    """The server understood and said no."""


class Busy(Refused):
    """Every place is taken; a later request may find one."""


class RegistryError(JamflowError):
    """The model registry refused or is inconsistent."""


class GateFailed(RegistryError):
    """A model did not pass its gate; nothing was promoted."""
