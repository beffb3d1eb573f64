"""What went wrong with a chat model, in words, with the setting to change.

The providers' packages raise errors of their own, and those of the HTTP libraries and
parsers below them; they are told apart by what they carry (a status, a cause), not by
class, so that no package is imported for it. No key and nothing of an address but its
host goes into a message.
"""

from __future__ import annotations

import math
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from chatbot.errors import ModelFault, ModelSilent

CONNECT_S = 3.0  # a server that is there takes the call at once
REACHED_S = 5.0  # until a server that cannot be reached is given up
QUOTED = 160  # characters of a server's own words that are shown

_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 529})
_TOO_LONG = re.compile(r"context|too long|too large|maximum.{0,20}tokens|exceed", re.IGNORECASE)
_UNREACHABLE = {"ConnectTimeout", "ConnectError", "APIConnectionError", "ConnectionError"}
_BROKEN = {"RemoteProtocolError", "ReadError", "WriteError", "LocalProtocolError", "CloseError"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message needs to know of a model's subject."""

    model: str
    """The model's name as it is set: `openai:NAME`."""
    host: str
    key: str
    """The setting of the key."""
    url: str
    """The setting of the address."""
    timeout: float
    """Seconds."""
    tls: bool = False
    """Whether its address begins with https."""
    secrets: tuple[str, ...] = ()
    """What no message may hold."""


def fault_of(error: Exception, subject: Subject) -> ModelFault:
    """The error in words; see the module."""
    causes = list(_chain(error))
    status = next((s for e in causes if (s := _status(e))), None)
    if status and status != 200:
        return _of_status(status, causes, subject)
    if fault := _of_connection(causes, subject):
        return fault
    names = _names(causes)
    if any(name.endswith(("Timeout", "TimeoutError")) for name in names):
        return late(subject)
    if names & _BROKEN:
        plain = "" if subject.tls else f", and whether {subject.url} should begin with https"
        return _passing(
            f"{_named(subject)} broke off",
            f": ask again, or see what is wrong with its server at {subject.host}{plain}",
        )
    words = _words(causes, subject) if status or _is_event(causes) else ""
    if words:
        return _passing(f"{_named(subject)} reported an error: {words}")
    return ModelFault(
        f"{_named(subject)} sent what is no answer: check that {subject.url} is the address of "
        f"its interface (now at {subject.host})."
    )


def _of_connection(causes: Sequence[BaseException], subject: Subject) -> ModelFault | None:
    """The fault of a connection that did not come about; None if one did."""
    name, host = _named(subject), subject.host
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = str(cause.verify_message).rstrip(".")
            return ModelFault(
                f"{name} was not asked, because the certificate of {host} is not valid ({why}): "
                f"set SSL_CERT_FILE to its authority's, or {subject.url} to the right name."
            )
        if isinstance(cause, ssl.SSLError) and cause.reason:
            why = cause.reason.replace("_", " ").lower()
            return ModelFault(
                f"{name} cannot be reached by TLS at {host} ({why}): set {subject.url} to an "
                "address that begins with http, if it is to be without."
            )
    patience = REACHED_S - CONNECT_S  # as long as the last try may take
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return _passing(
            f"{name} cannot be reached, as the name of {host} is not known",
            f": set {subject.url} to where it is, or see to the network",
            patience=patience,
        )
    names = _names(causes)
    if not names & _UNREACHABLE or names & _BROKEN:
        return None
    return _passing(
        f"{name} cannot be reached at {host}",
        f": start its server, or set {subject.url} to where it is",
        patience=patience,
    )


def late(subject: Subject) -> ModelSilent:
    """The fault of a model that is silent for too long."""
    return ModelSilent(
        f"{_named(subject)} was silent for {subject.timeout:g} seconds: ask again, or raise "
        "DOCENT_MODEL_TIMEOUT."
    )


def _passing(what: str, remedy: str = "", **again: Any) -> ModelFault:  # noqa: ANN401
    """A fault that may be over at the next try; `again` as for ModelFault."""
    return ModelFault(f"{what}{remedy}.", passing=what, **again)


def _of_status(status: int, causes: Sequence[BaseException], subject: Subject) -> ModelFault:
    name, words = _named(subject), _words(causes, subject)
    if 300 <= status < 400:
        return ModelFault(
            f"{name} is not at {subject.host}, which sends elsewhere; that is not followed, "
            f"for the key's sake: set {subject.url} to the address itself."
        )
    if status in {401, 403}:
        return ModelFault(f"{name} does not accept the key: set {subject.key} (HTTP {status}).")
    if status == 404:
        return ModelFault(
            f"{name} is not known at {subject.host}: set DOCENT_MODEL to one that is there, or "
            f"{subject.url} to the right address (HTTP 404)."
        )
    if status in {400, 413, 422} and (status == 413 or _TOO_LONG.search(words)):
        return ModelFault(
            f"{name} takes less text than it was given: set DOCENT_MODEL_CONTEXT to the "
            f"number of tokens that it takes (HTTP {status}: {words})."
        )
    said = f": {words}" if words else ""
    if status in _AGAIN or status >= 500:
        what = "has too much to do" if status in {429, 529} else "is out of order"
        return _passing(
            f"{name} {what}",
            f"; ask again later, or choose another with DOCENT_MODEL (HTTP {status}{said})",
            after=_retry_after(causes),
        )
    return ModelFault(
        f"{name} refused the request: check DOCENT_MODEL and {subject.url} (HTTP {status}{said})."
    )


def cleaned(words: str, secrets: Sequence[str]) -> str:
    """A server's words on one line, cut, without secrets or anything that looks like a key."""
    for secret in filter(None, secrets):
        words = words.replace(secret, "…")
    words = re.sub(r"\b(?:sk|key|pk)-[\w*.-]{4,}|(?i:bearer)\s+\S+", "…", words)
    words = " ".join(words.split())
    return words if len(words) <= QUOTED else words[:QUOTED] + "…"


def _names(causes: Sequence[BaseException]) -> set[str]:
    """Of their classes and those above them."""
    return {kind.__name__ for cause in causes for kind in type(cause).__mro__}


def _named(subject: Subject) -> str:
    return f"The model {subject.model!r}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int | None:
    found = getattr(error, "status_code", None)
    if not isinstance(found, int):
        found = getattr(getattr(error, "response", None), "status_code", None)
    return found if isinstance(found, int) and found > 0 else None


def _is_event(causes: Sequence[BaseException]) -> bool:
    """Whether the server itself said, within a stream, that something is wrong."""
    return any(type(cause).__name__ in {"APIError", "ResponseError"} for cause in causes)


def _words(causes: Sequence[BaseException], subject: Subject) -> str:
    """The server's own words for it, or nothing; a whole page is none."""
    for cause in causes:
        body = getattr(cause, "body", None) or {"error": getattr(cause, "error", None)}
        inner = body.get("error", body) if isinstance(body, dict) else None
        said = inner.get("message") if isinstance(inner, dict) else inner
        if said is None and _is_event([cause]):
            said = str(cause)
        if isinstance(said, str) and said.strip() and "<" not in said:
            return cleaned(said, subject.secrets).rstrip(".")
    return ""


def _retry_after(causes: Sequence[BaseException]) -> float | None:
    """Seconds that the server asks to wait, from its header in either form."""
    for cause in causes:
        headers = getattr(getattr(cause, "response", None), "headers", None)
        given = headers.get("retry-after") if headers is not None else None
        if given is None:
            continue
        try:
            seconds = float(given)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(given).timestamp() - time.time()
            except ValueError:
                return None
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    return None
