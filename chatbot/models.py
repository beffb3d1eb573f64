"""Chat models by name, through LangChain: `openai:NAME`, `anthropic:NAME`, `ollama:NAME`.

The only importer of what providers need. A model is proved when it is opened: its extra,
its key, its server and its name, as far as the server says what it has. It is asked in
the background, so that its request ends when nobody waits any more. Knows nothing about
documents, prompts or citations.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from chatbot.errors import ModelFault, ModelUnavailable, UnknownModel
from chatbot.faults import Subject, fault_of, late
from chatbot.loop import Loop, Stream
from chatbot.pieces import Piece, piece_of
from store.settings import Service

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger("docent")

EXTRACTIVE = "extractive"
TRIES = 3
PATIENCE_S = 30.0  # waited between tries, all together
PAUSE_S = 0.5  # before the second try, where the server does not say; doubled before the third
CONNECT_S = 4.0  # a server that is there takes the call at once
CHECK_S = 3.0  # a slow server does not hold the start up for longer
LONGEST = 5  # times the timeout: the whole of one answer
MOST_BYTES = 16 << 20  # of one response; a long answer has some 100 kB
LISTED = 8  # models named in a message

Messages = Sequence[dict[str, Any]]
"""Each `{"role": "system" | "user" | "assistant", "content": text or blocks}`."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What is particular to one provider."""

    package: str
    key: str
    url: str
    default_url: str
    documents: bool = False
    """Whether documents can be handed in apart from the text, and are cited natively."""


PROVIDERS = {
    "openai": Provider(
        "langchain_openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1"
    ),
    "anthropic": Provider(
        "langchain_anthropic",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "https://api.anthropic.com",
        documents=True,
    ),
    "ollama": Provider(
        "langchain_ollama", "OLLAMA_API_KEY", "OLLAMA_HOST", "http://127.0.0.1:11434"
    ),
}


class ChatModel:
    """One model, opened and proved."""

    def __init__(
        self,
        name: str,
        service: Service,
        *,
        loop: Loop,
        timeout: float,
        context: int,
        pause: float = PAUSE_S,
    ) -> None:
        """`timeout`: seconds of silence; `context`: tokens; `pause`: seconds before a second try.

        Raises UnknownModel or ModelUnavailable.
        """
        kind, _, model = name.partition(":")
        self.provider = _provider(name, kind, model)
        self.name = name
        self.context = context
        self._loop = loop
        self._pause = pause
        _refuse_missing(name, kind, self.provider, service)
        key = service.key.get_secret_value() if service.key else ""
        url = _with_scheme(service.url or self.provider.default_url)
        self._subject = Subject(
            name, _host(url), self.provider.key, self.provider.url, timeout, _secrets(key, url)
        )
        opener = _Opener(model, url, key, timeout, context, own=bool(service.url))
        self._model, self._listed = loop.wait(_opened(kind, opener))
        loop.wait(self._prove(model))

    def write(self, messages: Messages) -> Stream[Piece]:
        """The answer as it comes; its batches raise ModelFault. Close it to let go of it."""

        async def work(put: Callable[[Piece], None]) -> None:
            await self._patiently(messages, put)

        return self._loop.stream(work)

    def reply(self, messages: Messages, *, within: float) -> Stream[Piece]:
        """A short answer, tried once, in `within` seconds. Errors and closing as for `write`."""

        async def work(put: Callable[[Piece], None]) -> None:
            try:
                async with asyncio.timeout(within):
                    await self._once(messages, put)
            except TimeoutError as error:
                raise late(self._subject) from error

        return self._loop.stream(work)

    async def _patiently(self, messages: Messages, put: Callable[[Piece], None]) -> None:
        begun = False

        def noted(piece: Piece) -> None:
            nonlocal begun
            begun = begun or bool(piece.text)
            put(piece)

        give_up = time.monotonic() + PATIENCE_S
        for attempt in range(1, TRIES + 1):
            try:
                return await self._once(messages, noted)
            except ModelFault as fault:
                pause = self._pause * 2 ** (attempt - 1) if fault.after is None else fault.after
                late_then = time.monotonic() + pause > give_up
                if begun or not fault.again or attempt == TRIES or late_then:
                    raise
                logger.info("Trying the model again in %.1f s: %s", pause, fault)
            await asyncio.sleep(pause)

    async def _once(self, messages: Messages, put: Callable[[Piece], None]) -> None:
        """One request. Raises ModelFault for whatever the provider's package raises."""
        clock = asyncio.get_running_loop().time
        timeout = self._subject.timeout
        ended = False
        chunked = self._model.astream(list(messages))
        try:
            async with (
                asyncio.timeout(LONGEST * timeout),
                asyncio.timeout(timeout) as silence,
                aclosing(cast("AsyncGenerator[Any]", chunked)) as chunks,
            ):
                async for chunk in chunks:
                    piece, alive = piece_of(chunk)
                    if alive:
                        silence.reschedule(clock() + timeout)
                    ended = ended or bool(piece.ended)
                    put(piece)
        except Exception as error:
            # Whatever comes after the end, the answer is whole.
            if not ended:
                raise fault_of(error, self._subject) from error

    async def _prove(self, model: str) -> None:
        """Refuse a model that cannot work; a slow or reticent server is given the benefit."""
        try:
            async with asyncio.timeout(CHECK_S):
                names = await self._listed(model)
        except TimeoutError:
            return
        except Exception as error:
            fault = fault_of(error, self._subject)
            status = getattr(error, "status_code", None)
            if status in {404, 405, 501} or (fault.again and isinstance(status, int)):
                return
            if "Timeout" in type(error).__name__:
                return
            raise ModelUnavailable(str(fault)) from error
        if names and model not in names and f"{model}:latest" not in names:
            shown = ", ".join(sorted(names)[:LISTED])
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            raise ModelUnavailable(
                f"There is no model {model!r} at {self._subject.host}: set DOCENT_MODEL to one "
                f"that is there ({shown}{more})."
            )


class Models:
    """The models that are configured, by name; the first is the default."""

    def __init__(
        self,
        names: str,
        services: Mapping[str, Service],
        *,
        timeout: float,
        context: int,
        pause: float = PAUSE_S,
    ) -> None:
        """`names`: separated by commas. Raises UnknownModel or ModelUnavailable."""
        wanted = list(dict.fromkeys(n for name in names.split(",") if (n := name.strip())))
        self._loop: Loop | None = None
        self._opened: dict[str, ChatModel | None] = {}
        try:
            for name in wanted:
                self._opened[name] = None
                if name != EXTRACTIVE:
                    self._loop = self._loop or Loop()
                    self._opened[name] = ChatModel(
                        name,
                        services.get(name.partition(":")[0], Service()),
                        loop=self._loop,
                        timeout=timeout,
                        context=context,
                        pause=pause,
                    )
        except Exception:
            self.close()
            raise
        self._opened.setdefault(EXTRACTIVE, None)
        self.names = tuple(self._opened)

    def find(self, name: str | None) -> ChatModel | None:
        """The model of that name, or the default; None: quote. Raises UnknownModel."""
        if name is None:
            return self._opened[self.names[0]]
        if name not in self._opened:
            raise UnknownModel(
                f"There is no model {name!r} here, but {', '.join(self.names)}: choose one of "
                "these, or set DOCENT_MODEL to several, separated by commas."
            )
        return self._opened[name]

    def close(self) -> None:
        """End all requests."""
        if self._loop:
            self._loop.close()


# --- opening ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Opener:
    """What a model is opened with."""

    model: str
    url: str
    key: str
    timeout: float
    context: int
    own: bool
    """Whether the address was set, as for a server of one's own."""

    def http(self) -> dict[str, Any]:
        """Options of an HTTP client: no redirect is followed, which could carry a key away."""
        return {
            "follow_redirects": False,
            "timeout": (CONNECT_S, self.timeout, self.timeout, CONNECT_S),
            "event_hooks": {"response": [_bound]},
        }


Listed = Callable[[str], Coroutine[Any, Any, set[str]]]
"""The names that the server has, empty if it does not say; it may raise."""


async def _opened(kind: str, opener: _Opener) -> tuple[BaseChatModel, Listed]:
    """Within the loop that the model is asked in: its connections belong to it."""
    return {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama}[kind](opener)


def _openai(opener: _Opener) -> tuple[BaseChatModel, Listed]:
    import openai
    from langchain.chat_models import init_chat_model

    http = openai.DefaultAsyncHttpxClient(**opener.http())
    options: dict[str, Any] = {"temperature": 0} if opener.own else {}
    model: Any = init_chat_model(
        opener.model,
        model_provider="openai",
        api_key=opener.key or "none",
        base_url=opener.url,
        timeout=opener.timeout,
        max_retries=0,
        http_async_client=http,
        **options,
    )

    async def listed(_: str) -> set[str]:
        page = await model.root_async_client.models.list()
        return {entry.id for entry in page.data}

    return model, listed


def _anthropic(opener: _Opener) -> tuple[BaseChatModel, Listed]:
    import anthropic
    from langchain.chat_models import init_chat_model

    model: Any = init_chat_model(
        opener.model,
        model_provider="anthropic",
        api_key=opener.key or "none",
        base_url=opener.url,
        timeout=opener.timeout,
        max_retries=0,
        max_tokens=4096,
    )
    client = anthropic.AsyncAnthropic(
        api_key=opener.key or "none",
        base_url=opener.url,
        timeout=opener.timeout,
        max_retries=0,
        http_client=anthropic.DefaultAsyncHttpxClient(**opener.http()),
    )
    # It takes no client of ours, and its own follows redirects with the key in a header.
    model.__dict__["_async_client"] = client

    async def listed(name: str) -> set[str]:
        try:
            await client.models.retrieve(name)  # knows aliases, which the list does not have
        except anthropic.NotFoundError:
            page = await client.models.list(limit=100)
            return {entry.id for entry in page.data}
        return set()

    return model, listed


def _ollama(opener: _Opener) -> tuple[BaseChatModel, Listed]:
    import ollama
    from langchain.chat_models import init_chat_model

    headers = {"headers": {"Authorization": f"Bearer {opener.key}"}} if opener.key else {}
    model = init_chat_model(
        opener.model,
        model_provider="ollama",
        base_url=opener.url,
        temperature=0,
        num_ctx=opener.context,  # its default cuts a long prompt without a word
        client_kwargs={**opener.http(), **headers},
    )
    client = ollama.AsyncClient(host=opener.url, **opener.http(), **headers)

    async def listed(_: str) -> set[str]:
        answer = await client.list()
        return {entry.model for entry in answer.models if entry.model}

    return model, listed


async def _bound(response: Any) -> None:  # noqa: ANN401 (of whichever HTTP library the package uses)
    """Have a response end in an error after MOST_BYTES, and begin without a byte order mark."""
    read = response.aiter_bytes

    async def aiter_bytes(*args: Any) -> Any:  # noqa: ANN401 (as the method it stands for)
        total = 0
        async for chunk in read(*args):
            if not total:
                chunk = chunk.removeprefix(b"\xef\xbb\xbf")
            total += len(chunk)
            if total > MOST_BYTES:
                raise ValueError(f"the response has more than {MOST_BYTES:,} bytes")
            yield chunk

    response.aiter_bytes = aiter_bytes


def _provider(name: str, kind: str, model: str) -> Provider:
    if kind not in PROVIDERS or not model:
        raise UnknownModel(
            f"There is no model {name!r}: set DOCENT_MODEL={EXTRACTIVE} or leave it unset, or set "
            "it to openai:NAME, anthropic:NAME or ollama:NAME."
        )
    return PROVIDERS[kind]


def _refuse_missing(name: str, kind: str, provider: Provider, service: Service) -> None:
    """Raises ModelUnavailable for an extra or a key that is not there."""
    if importlib.util.find_spec(provider.package) is None:
        raise ModelUnavailable(
            f"The model {name!r} needs an extra: pip install 'docent-chat[{kind}]'."
        )
    if service.key is None and service.url is None and kind != "ollama":
        raise ModelUnavailable(
            f"The model {name!r} needs a key: set {provider.key}, or {provider.url} for a server "
            "of your own."
        )


def _with_scheme(url: str) -> str:
    return url if "://" in url else f"http://{url}"


def _host(url: str) -> str:
    """An address as it may be shown: without user, password, path or query."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2]


def _secrets(key: str, url: str) -> tuple[str, ...]:
    password = urlsplit(url).password
    return tuple(filter(None, [key, password]))
