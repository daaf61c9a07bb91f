"""An OpenAI-compatible server that does as little as possible, so that clients are measured.

Every POST gets the same body after `--latency` seconds. Run as a process of its own; prints its
base URL, and answers GET /calls with the number of calls so far.
"""

import argparse
import asyncio
import json
import os
import signal


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length and keep-alive, one request at a time, as clients send it."""

    calls = 0
    reply = b""
    latency = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            _, _, after = head.partition(b"content-length:")
            length = int(after.partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                if b"100-continue" in head:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            del self._buffer[: end + 4 + length]
            if head.startswith(b"get"):
                self._send(_response(json.dumps({"calls": Connection.calls}).encode()))
                continue
            Connection.calls += 1
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self._send, self.reply)
            else:
                self._send(self.reply)

    def _send(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def completion(text: str) -> bytes:
    """The body of a chat completion with that text."""
    message = {"role": "assistant", "content": text, "refusal": None}
    usage = {
        "prompt_tokens": 700,
        "completion_tokens": 160,
        "total_tokens": 860,
        "prompt_tokens_details": {"cached_tokens": 512},
    }
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps(
        {
            "id": "chatcmpl-0",
            "object": "chat.completion",
            "created": 0,
            "model": "bench",
            "choices": [choice],
            "usage": usage,
        }
    ).encode()


async def serve(text: str, latency: float) -> None:
    Connection.reply, Connection.latency = _response(completion(text)), latency
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the fast endpoint until SIGTERM.")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--text", required=True, help="content of every reply")
    parser.add_argument("--core", default="", help="number of the core to run on")
    args = parser.parse_args()
    if args.core:
        os.sched_setaffinity(0, {int(args.core)})
    asyncio.run(serve(args.text, args.latency))
