"""What may lie between a listener and a real Triton: a slow road, one that breaks, and somebody who spoils the notes.

with SlowRoad(server.grpc_url) as road:          # road.url leads there; road.delay_s = 0.2; road.cut()
with spoiling(server.grpc_url) as spoiler:       # spoiler.url answers as Triton; spoiler.spoils = True
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
from tritonclient.grpc import service_pb2_grpc

NO_PITCH = 999


class SlowRoad:
    """Hands bytes on, as late as it is told, in their order; `cut` breaks what is under way."""

    def __init__(self, url: str) -> None:
        self._to = url.rsplit(":", 1)
        self.delay_s = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> SlowRoad:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._meet, "127.0.0.1", 0), self._loop
        ).result(5)
        self.url = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self.cut()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break every connection, as a lost network does."""
        for writer in list(self._writers):
            self._loop.call_soon_threadsafe(writer.transport.abort)

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(self._to[0], int(self._to[1]))
            self._writers |= {writer, back}
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                writer.write(data)
                await writer.drain()

        delivering = asyncio.create_task(deliver())
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                under_way.put_nowait((self._loop.time() + self.delay_s, data))
        delivering.cancel()
        writer.transport.abort()
        self._writers.discard(writer)


class Spoiler(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Asks a real Triton, and answers with what it said, or with notes that nobody can play."""

    def __init__(self, url: str) -> None:
        self.url = ""
        self.spoils = False
        self._channel = grpc.insecure_channel(url)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def ModelStreamInfer(self, request_iterator, context):  # noqa: N802 (gRPC's name)
        for message in self._stub.ModelStreamInfer(request_iterator):
            response = message.infer_response
            if self.spoils and response.raw_output_contents:
                note = np.frombuffer(response.raw_output_contents[0], np.int32).copy()
                note[0] = NO_PITCH
                response.raw_output_contents[0] = note.tobytes()
            yield message

    def close(self) -> None:
        self._channel.close()


@contextlib.contextmanager
def spoiling(url: str) -> Iterator[Spoiler]:
    spoiler = Spoiler(url)
    server = grpc.server(ThreadPoolExecutor(8))
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(spoiler, server)
    spoiler.url = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield spoiler
    finally:
        server.stop(0.2).wait()
        spoiler.close()
