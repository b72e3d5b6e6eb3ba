"""One place where gRPC's words become our errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from models.music.errors import Refused, TooLate, Unavailable


@contextlib.contextmanager
def spoken_errors(url: str, deadline_s: float) -> Iterator[None]:
    """Turn what a call to Triton raises into Unavailable, TooLate or Refused, each with a next step."""
    from tritonclient.utils import InferenceServerException

    try:
        yield
    except InferenceServerException as error:
        told = " ".join(str(error.message()).split()).split(" At: /")[0]  # what follows are lines of the model's source
        raise _typed(error.status() or "", told, url, deadline_s) from error


def _typed(status: str, told: str, url: str, deadline_s: float) -> Unavailable | TooLate | Refused:
    if "DEADLINE_EXCEEDED" in status:
        return TooLate(f"{url}: no answer within {deadline_s:g} s. Ask again, or allow more time.")
    if "This protocol is restricted" in told:
        return Refused(f"{url}: model control needs the server's own admin key. Use the serving.json of this server.")
    if "Stub process" in told:
        return Unavailable(
            f"{url}: the model's process has died; `jamflow serve` starts it again within seconds. Ask again."
        )
    if "unknown model" in told or "not ready" in told:
        return Unavailable(f"{url}: {told}. Deploy it with `jamflow deploy`.")
    if "UNAVAILABLE" in status or "CANCELLED" in status:
        return Unavailable(f"{url}: nobody answers. Start the server with `jamflow serve`.")
    return Refused(told)
