"""Coroutines run from a test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def in_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """What `work` returns; in a thread of its own, as the driver of a browser may have a loop in
    this one."""
    with ThreadPoolExecutor(1) as one:
        return one.submit(asyncio.run, work).result()
