"""Opens chat models by name, through LangChain: `openai:NAME`, `anthropic:NAME`, `ollama:NAME`.

The only importer of what providers need. A model is proved when it is opened: its extra,
its key, its server and its name, as far as the server says what it has. Knows nothing
about how it is asked.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chatbot.errors import ModelSilent, ModelUnavailable, UnknownModel
from chatbot.faults import CONNECT_S, Subject, fault_of
from store.settings import Service

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

EXTRACTIVE = "extractive"
CHECK_S = 4.0  # a slow server does not hold the start up for longer
MOST_BYTES = 16 << 20  # of one response; a long answer has some 100 kB
LISTED = 8  # models named in a message


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
            "timeout": tuple(self.timeouts().values()),
            "event_hooks": {"response": [_bound]},
        }

    def timeouts(self) -> dict[str, float]:
        """Seconds, by what is waited for, in the order of an HTTP client."""
        said = {"read": self.timeout, "write": self.timeout}
        return {"connect": CONNECT_S, **said, "pool": CONNECT_S}


@dataclass(frozen=True, slots=True)
class Client:
    """A model as LangChain has it, and what else there is to do with its service."""

    model: BaseChatModel
    listed: Callable[[str], Coroutine[Any, Any, set[str]]]
    """The names that the server has, empty if it does not say; it may raise."""
    close: Callable[[], Coroutine[Any, Any, None]]


async def open_client(
    name: str, service: Service, *, timeout: float, context: int
) -> tuple[Client, Provider, Subject]:
    """The model of that name, proved, to be asked in the loop that this runs in.

    `timeout`: seconds of silence; `context`: tokens. Raises UnknownModel or ModelUnavailable.
    """
    kind, _, model = name.partition(":")
    provider = _provider(name, kind, model)
    _refuse_missing(name, kind, provider, service)
    key = service.key.get_secret_value() if service.key else ""
    url = _with_scheme(service.url or provider.default_url)
    subject = Subject(
        name,
        _host(url),
        provider.key,
        provider.url,
        timeout,
        tls=url.startswith("https:"),
        secrets=_secrets(key, url),
    )
    opener = _Opener(model, url, key, timeout, context, own=bool(service.url))
    client = {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama}[kind](opener)
    try:
        await _prove(client, model, subject)
    except ModelUnavailable:
        await client.close()
        raise
    return client, provider, subject


async def _prove(client: Client, model: str, subject: Subject) -> None:
    """Refuse a model that cannot work; a slow or reticent server is given the benefit."""
    try:
        async with asyncio.timeout(CHECK_S):
            names = await client.listed(model)
    except TimeoutError:
        return
    except Exception as error:
        fault = fault_of(error, subject)
        status = getattr(error, "status_code", None)
        if status in {404, 405, 501} or (fault.passing and isinstance(status, int)):
            return
        if isinstance(fault, ModelSilent):
            return
        raise ModelUnavailable(str(fault)) from error
    if names and model not in names and f"{model}:latest" not in names:
        shown = ", ".join(sorted(names)[:LISTED])
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        raise ModelUnavailable(
            f"There is no model {model!r} at {subject.host}: set DOCENT_MODEL to one "
            f"that is there ({shown}{more})."
        )


def _openai(opener: _Opener) -> Client:
    import openai
    from langchain.chat_models import init_chat_model

    http = openai.DefaultAsyncHttpxClient(**opener.http())
    options: dict[str, Any] = {"temperature": 0} if opener.own else {}
    model: Any = init_chat_model(
        opener.model,
        model_provider="openai",
        api_key=opener.key or "none",
        base_url=opener.url,
        timeout=openai.Timeout(**opener.timeouts()),  # a number would take the client's place
        max_retries=0,
        http_async_client=http,
        # Its wait_for loses a cancellation that meets a chunk, before Python 3.12.
        stream_chunk_timeout=None,
        **options,
    )

    async def listed(_: str) -> set[str]:
        page = await model.root_async_client.models.list()
        return {entry.id for entry in page.data}

    return Client(model, listed, http.aclose)


def _anthropic(opener: _Opener) -> Client:
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
        timeout=anthropic.Timeout(**opener.timeouts()),
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

    return Client(model, listed, client.close)


def _ollama(opener: _Opener) -> Client:
    import ollama
    from langchain.chat_models import init_chat_model

    headers = {"headers": {"Authorization": f"Bearer {opener.key}"}} if opener.key else {}
    model: Any = init_chat_model(
        opener.model,
        model_provider="ollama",
        base_url=opener.url,
        temperature=0,
        num_ctx=opener.context,  # its default cuts a long prompt without a word
        client_kwargs={**opener.http(), **headers},
    )
    client: ollama.AsyncClient = model._async_client

    async def listed(_: str) -> set[str]:
        answer = await client.list()
        return {entry.model for entry in answer.models if entry.model}

    return Client(model, listed, client.close)


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
