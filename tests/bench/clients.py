"""Clients of one OpenAI-compatible server, measured in processes of their own.

The server (`fast_server.py`) runs on one core and the client on another, where there are two. The
ideal is what the server's latency alone allows: calls under way divided by latency.
"""

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from goalcover.memory.records import Subgoal

SUBGOALS = [
    Subgoal(id=f"s{i}", name=f"Capability {i}", description="Explains what it does, plainly.")
    for i in range(4)
]
EXPLANATION = "The answer names the condition and a dose. It lacks a word on when to see a doctor."
REPLY = json.dumps(
    {"judgements": [{"id": s.id, "explanation": EXPLANATION, "score": 0.4} for s in SUBGOALS]}
)
UNDER_WAY, LATENCY = 256, 0.2
"""The reference point: so many calls under way, each taking so many seconds."""

AT_ONCE = 64
"""Calls under way where the server has no latency."""


class Clock:
    """Wall and CPU time of the calls alone, without imports and files."""

    def start(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.wall, self.cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu


def write_rows(path: Path, count: int) -> None:
    with path.open("w") as file:
        for i in range(count):
            row = {
                "question": f"Patient {i}: what helps against a headache after {i % 40} hours of "
                "work at a screen? " + "There is no fever and no other pain. " * 8,
                "answer": f"Rest and water, and {i % 7 + 1} tablets at most. "
                + "See a doctor if it comes back every day or the sight changes. " * 8,
            }
            file.write(json.dumps(row) + "\n")


def prompt() -> list[Any]:
    """The prompt of an ordinary judgement."""
    from goalcover.tools.datasets import DataSource, load
    from goalcover.tools.judge import asks_of

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        write_rows(path, 1)
        sample = load(DataSource(path=str(path)), Path(folder)).sample(0)
        assert sample
        return next(iter(asks_of(sample, SUBGOALS, "joint"))).messages()


async def bare(url: str, calls: int, under_way: int, clock: Clock) -> None:
    """Sockets and fixed bytes: the least that a client can do, and so the server's own limit."""
    host, port = url.removeprefix("http://").removesuffix("/v1").split(":")
    body = json.dumps({"model": "bench", "messages": prompt()}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    left = calls
    done = asyncio.get_running_loop().create_future()

    class Caller(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            self.seen = 0
            self.send()

        def send(self) -> None:
            self.transport.write(head.encode() + body)

        def data_received(self, data: bytes) -> None:
            nonlocal left
            if not data.endswith(b"}"):  # a reply ends so, and is sent in one piece
                return
            left -= 1
            if left == 0:
                done.set_result(None)
            elif left >= under_way:
                self.send()

    loop = asyncio.get_running_loop()
    clock.start()
    for _ in range(under_way):
        await loop.create_connection(Caller, host, int(port))
    await done
    clock.stop()


async def raw(url: str, calls: int, under_way: int, clock: Clock) -> None:
    """aiohttp and json alone, as the fastest client one would write by hand."""
    import aiohttp

    messages = prompt()
    left = iter(range(calls))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def work() -> None:
            for _ in left:
                body = {"model": "bench", "messages": messages}
                async with session.post(f"{url}/chat/completions", json=body) as response:
                    answer = json.loads(await response.read())
                    json.loads(answer["choices"][0]["message"]["content"])

        clock.start()
        await asyncio.gather(*(work() for _ in range(under_way)))
        clock.stop()


async def goalcover(url: str, calls: int, under_way: int, clock: Clock) -> None:
    """The whole scorer: rows from a data file, prompts, validation, store, progress."""
    from goalcover.app.terminal import Display
    from goalcover.memory.store import open_store
    from goalcover.tools.chat_model import ChatModel
    from goalcover.tools.datasets import DataSource, load
    from goalcover.tools.model import Door
    from goalcover.tools.scorer import Scorer

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_rows(place / "rows.jsonl", calls)
        table = load(DataSource(path=str(place / "rows.jsonl")), place)
        model = ChatModel("bench", url, max_concurrency=under_way)
        _ = model.client  # imports langchain, once
        with open_store(place) as store, Display() as display:
            scorer = Scorer(Door(model, store, "bench"), store, under_way)
            clock.start()
            await scorer.score("bench", table, calls, SUBGOALS, display.scored)
            clock.stop()
            rows = store.scores.rows("bench", scorer.judge, SUBGOALS)
            assert sum(len(scores) for *_, scores in rows) == calls * len(SUBGOALS)
        await model.aclose()


async def chat_openai(url: str, calls: int, under_way: int, clock: Clock) -> None:
    """langchain's own way: ChatOpenAI with structured output."""
    from langchain_openai import ChatOpenAI

    from goalcover.tools.judge import Judgements

    model = ChatOpenAI(model="bench", base_url=url, api_key="none", max_retries=6)  # pyright: ignore[reportArgumentType]
    judge = model.with_structured_output(Judgements, method="json_schema", strict=True)
    messages = prompt()
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            found: Any = await judge.ainvoke(messages)
            assert len(found.judgements) == len(SUBGOALS)

    clock.start()
    await asyncio.gather(*(work() for _ in range(under_way)))
    clock.stop()


CLIENTS = {"bare": bare, "raw": raw, "goalcover": goalcover, "chat_openai": chat_openai}


def main() -> None:
    """NAME URL CALLS UNDER_WAY CORE: prints what one client took, as JSON."""
    name, url, calls, under_way, core = sys.argv[1:]
    if hasattr(os, "sched_setaffinity") and core:
        os.sched_setaffinity(0, {int(core)})
    clock = Clock()
    asyncio.run(CLIENTS[name](url, int(calls), int(under_way), clock))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_mb = peak / (1024 if sys.platform == "linux" else 1024**2)
    print(json.dumps({"wall_s": clock.wall, "cpu_s": clock.cpu, "peak_mb": peak_mb}))


if __name__ == "__main__":
    main()
