"""One place where gRPC's and Triton's words become our errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from models.music.errors import Busy, NotLoaded, Refused, ServingError, TooLate, Unavailable

FULL = "places are taken"
"""How a backend says that it has no room; a stream carries words alone, no codes."""
ENDED = "this session has ended"


@contextlib.contextmanager
def spoken_errors(url: str, deadline_s: float) -> Iterator[None]:
    """Turn what a call to Triton raises into Unavailable, TooLate or Refused, each with a next step."""
    from grpc import RpcError
    from tritonclient.utils import InferenceServerException

    try:
        yield
    except InferenceServerException as error:
        raise spoken(error.status() or "", str(error.message()), url, deadline_s) from error
    except RpcError as error:
        raise spoken_rpc(error, url, deadline_s) from error


def spoken_rpc(error: Exception, url: str, deadline_s: float) -> ServingError:
    """Say what ended a call."""
    return spoken(str(error.code()), str(error.details()), url, deadline_s)  # type: ignore[attr-defined]


def spoken(status: str, words: str, url: str, deadline_s: float) -> ServingError:
    """Say what a status and Triton's words mean, and what to do next."""
    told = " ".join(words.split()).split(" At: /")[0]  # what follows are lines of the model's source
    if "DEADLINE_EXCEEDED" in status:
        return TooLate(f"{url}: no answer within {deadline_s:g} s. Ask again, or allow more time.")
    if "This protocol is restricted" in told:
        return Refused(f"{url}: model control needs the server's own admin key. Use the serving.json of this server.")
    if "Stub process" in told:
        return Unavailable(
            f"{url}: the model's process has died; `jamflow serve` starts it again within seconds. Ask again."
        )
    if "must specify the START flag" in told or ENDED in told:
        return Unavailable(f"{url}: {ENDED}: it was idle too long, or another model took its place. Open a new one.")
    if "shared memory pool" in told:
        return Busy(f"{url}: other requests take more memory than all may. Ask again in a moment.")
    if "no available versions" in told or "not ready" in told:
        return NotLoaded(f"{url}: the model is being loaded ({told}). Ask again in a few seconds.")
    if "unknown model" in told:
        return NotLoaded(
            f"{url}: the model is not loaded at this moment ({told}). Ask again in a few seconds; if it stays away,"
            " `jamflow status` says what plays, and `jamflow deploy` puts one to work."
        )
    if "UNAVAILABLE" in status or "CANCELLED" in status:
        return Unavailable(f"{url}: nobody answers. Start the server with `jamflow serve`.")
    return (Busy if FULL in told else Refused)(told)
