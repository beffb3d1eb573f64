"""Many users at once on the real page, over its real protocol.

The page runs in a process of its own, with a login for each user and a scripted model
that says a user's marker at 50 tokens a second. Every user logs in, asks, reads the
stream, thinks for a moment and asks again. An answer with another's marker, or without
one's own, is mixed up. One more user may ask a hundred times a second meanwhile, which is
refused, and should not be felt by the others.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

TOKENS = 200  # of an answer: four seconds at 50 a second
TOKEN_S = 0.02
THINKING = (4.0, 12.0)  # seconds between an answer, which is to be read, and the next question
WARM = 0.4  # of the time is warming up, for the memory
PASSWORD = "a password for all"
FLOOD = 100  # requests a second of one who asks too often


@dataclass(slots=True)
class Load:
    """What came of it."""

    users: int
    seconds: float = 0.0
    answers: int = 0
    mixed: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    first_text: list[float] = field(default_factory=list)
    """Seconds from the question to the first text of its answer, the model's own taken off."""
    whole: list[float] = field(default_factory=list)
    """Seconds to the end of the answer, over what the model took to say it."""
    cpu_s: float = 0.0
    """Seconds of the processor that the page's process took, all of its children aside."""
    refused: int = 0
    """Requests of the one who asks too often that were told to slow down."""
    memory: list[tuple[float, int]] = field(default_factory=list)
    """(seconds since the start, bytes that the page's process holds)."""

    def percentile(self, values: list[float], percent: int) -> float:
        """In seconds; not a number where nothing was measured."""
        if len(values) < 2:
            return float("nan")
        return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]

    def growth(self) -> float:
        """How much memory grew after the warm-up, as a part of it: medians of two fifths."""
        warm = [size for at, size in self.memory if at > WARM * self.seconds]
        part = max(len(warm) // 3, 1)
        return statistics.median(warm[-part:]) / statistics.median(warm[:part]) - 1


def measure(users: int, minutes: float, *, flood: bool = False) -> Load:
    """Open a page, have so many users ask for so long, and close it.

    `flood`: one more user asks FLOOD times a second.
    """
    with tempfile.TemporaryDirectory() as home:
        page = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.loaded_page", home, str(users + flood)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert page.stdout
        try:
            address = page.stdout.readline().strip()
            return asyncio.run(_drive(address, page.pid, users, 60 * minutes, flood=flood))
        finally:
            page.terminate()
            page.wait()
            page.stdout.close()


async def _drive(
    address: str, pid: int, users: int, seconds: float, *, flood: bool = False
) -> Load:
    load = Load(users)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60) as client:
        everybody = [_User(client, load, n) for n in range(users + flood)]
        people, hasty = everybody[:users], everybody[users:]
        for some in range(0, len(everybody), 8):  # more at once from one address are slowed down
            await asyncio.gather(*(user.log_in() for user in everybody[some : some + 8]))
        config = (await client.get("/config", headers=people[0].headers)).json()
        began, before = time.perf_counter(), _cpu(pid)
        watching = asyncio.create_task(_watch(pid, load, began))
        floods = [asyncio.create_task(user.flood(_asking(config))) for user in hasty]
        await asyncio.gather(*(user.use(_asking(config), began + seconds) for user in people))
        for task in (watching, *floods):
            task.cancel()
        load.cpu_s = _cpu(pid) - before
        load.seconds = time.perf_counter() - began
    return load


async def _watch(pid: int, load: Load, began: float) -> None:
    """Note the memory of the page's process, every second."""
    status = Path(f"/proc/{pid}/status")
    while True:
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmRSS")]
        load.memory.append((time.perf_counter() - began, int(line.split()[1]) * 1024))
        await asyncio.sleep(1)


def _cpu(pid: int) -> float:
    """Seconds of the processor that a process has taken so far."""
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def _asking(config: dict[str, Any]) -> tuple[int, int, int]:
    """The event of a question, how many values it takes, and where the chat is in what it gives."""
    kinds = {part["id"]: part["type"] for part in config["components"]}
    (event,) = [
        event
        for event in config["dependencies"]
        if any(target[1] == "submit" for target in event["targets"])
        and "chatbot" in [kinds[part] for part in event["outputs"]]
    ]
    chat = [kinds[part] for part in event["outputs"]].index("chatbot")
    return event["id"], len(event["inputs"]), chat


class _User:
    """One who asks."""

    def __init__(self, client: httpx.AsyncClient, load: Load, number: int) -> None:
        self._client = client
        self._load = load
        self._chooser = random.Random(number)
        self._name = f"user-{number}"
        self._session = f"session-{number}-{self._chooser.random()}"
        self.headers: dict[str, str] = {}

    async def log_in(self) -> None:
        form = {"username": self._name, "password": PASSWORD}
        reply = await self._client.post("/login", data=form)
        reply.raise_for_status()
        self.headers = {"cookie": "; ".join(f"{n}={v}" for n, v in reply.cookies.items())}
        self._client.cookies.clear()

    async def use(self, asking: tuple[int, int, int], until: float) -> None:
        """Ask until the time is over."""
        await asyncio.sleep(self._chooser.uniform(0, THINKING[1]))
        turn = 0
        while time.perf_counter() < until:
            turn += 1
            try:
                await asyncio.wait_for(self._ask(asking, f"mark-{self._name}-{turn}-end"), 120)
            except Exception as error:
                self._load.errors[f"{type(error).__name__}: {error}"[:90]] += 1
            await asyncio.sleep(self._chooser.uniform(*THINKING))

    async def flood(self, asking: tuple[int, int, int]) -> None:
        """Ask FLOOD times a second, in sessions whose answers nobody reads."""
        event, inputs, _ = asking
        data = ["Who visited, mark-flood-end?", *[None] * (inputs - 1)]
        for n in itertools.count():
            due = asyncio.create_task(asyncio.sleep(1 / FLOOD))
            body = {"fn_index": event, "session_hash": f"{self._session}-{n % 10}", "data": data}
            reply = await self._client.post(
                "/gradio_api/queue/join", json=body, headers=self.headers
            )
            self._load.refused += reply.status_code == 429
            await due

    async def _ask(self, asking: tuple[int, int, int], marker: str) -> None:
        event, inputs, chat = asking
        body = {
            "fn_index": event,
            "session_hash": self._session,
            "data": [f"Who visited, {marker}?", *[None] * (inputs - 1)],
        }
        began = time.perf_counter()
        joined = await self._client.post("/gradio_api/queue/join", json=body, headers=self.headers)
        joined.raise_for_status()
        values: list[Any] = []
        first = 0.0
        query = {"session_hash": self._session}
        async with self._client.stream(
            "GET", "/gradio_api/queue/data", params=query, headers=self.headers
        ) as stream:
            stream.raise_for_status()
            async for line in stream.aiter_lines():
                message = json.loads(line[6:]) if line.startswith("data: ") else {}
                values = _applied(values, message)
                if not first and values and _said(values[chat]):
                    first = time.perf_counter()
                if message.get("msg") == "process_completed":
                    self._note(message, values[chat], marker, began, first)
                    return
        raise RuntimeError("the stream ended before its answer")

    def _note(
        self, message: dict[str, Any], chat: object, marker: str, began: float, first: float
    ) -> None:
        if not message["success"]:
            raise RuntimeError(f"the page said: {message['output']}")
        self._load.answers += 1
        said = _said(chat)
        others = "mark-" in said.replace(marker, "")
        if said.count(marker) != TOKENS // 10 or others:
            self._load.mixed += 1
        self._load.first_text.append(first - began - TOKEN_S)
        self._load.whole.append(time.perf_counter() - began - TOKENS * TOKEN_S)


def _applied(values: list[Any], message: dict[str, Any]) -> list[Any]:
    """The outputs after this message: whole, or what changed since the last one."""
    data = message.get("output", {}).get("data") or []
    if message.get("msg") == "process_generating" and values:
        from gradio_client.utils import apply_diff

        return [apply_diff(old, new) for old, new in zip(values, data, strict=True)]
    if message.get("msg") in ("process_generating", "process_completed") and data:
        if values and message["msg"] == "process_completed":
            return [old if _kept(new) else new for old, new in zip(values, data, strict=True)]
        return list(data)
    return values


def _kept(value: object) -> bool:
    """Whether this output was left as it is."""
    return isinstance(value, dict) and value.get("__type__") == "update" and len(value) == 1


def _said(chat: object) -> str:
    """The newest answer in the chat, as plain text; empty if there is none yet."""
    messages = chat if isinstance(chat, list) else []
    if not messages or messages[-1].get("role") != "assistant":
        return ""
    content = messages[-1]["content"]
    text = content if isinstance(content, str) else json.dumps(content)
    return text.replace("&#45;", "-")
