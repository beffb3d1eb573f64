"""What was not added and why, as a visitor's browser keeps it until it is dismissed.

What comes back from a browser can be anything, and is looked at before it is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from chatbot.web.render import file_name

FAILURES = 50  # kept at most, the newest


def with_failed(
    failures: Sequence[dict[str, str]], failed: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """With what failed now, newest first; the same source is not listed twice."""
    new = []
    for one in failed:
        key = hashlib.sha256(one["source"].encode("utf-8", "replace")).hexdigest()[:16]
        new.append({"key": key, "name": file_name(one["source"]), "reason": one["reason"]})
    keys = {failure["key"] for failure in new}
    return [*new, *(old for old in failures if old["key"] not in keys)][:FAILURES]


def sound(kept: Any) -> list[dict[str, str]]:  # noqa: ANN401 (what a browser kept)
    """The failures that the browser kept, without what is none."""
    names = ("key", "name", "reason")
    listed = kept if isinstance(kept, list) else []
    return [
        {name: str(one[name])[:2_000] for name in names}
        for one in listed[:FAILURES]
        if isinstance(one, dict) and all(name in one for name in names)
    ]
