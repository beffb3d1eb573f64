"""How the page is reached: by which names, under which path, whether encrypted.

Pure values; knows nothing about who may enter.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from store.errors import SettingsError

_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Site:
    """Where the page listens, and the address that its users type if it is another."""

    host: str
    """The address that it listens on."""
    public: str = ""
    """`https://example.org/docent`, from DOCENT_URL: behind a proxy, or under a name."""
    prefix: str = field(init=False, default="")
    """The path of `public`, without a slash at its end."""
    names: frozenset[str] = field(init=False, default=frozenset())
    """Host names that a request may be for."""

    def __post_init__(self) -> None:
        """Raises SettingsError for a public address that is none."""
        parts = urlsplit(self.public)
        whole = re.fullmatch(r"https?://[^\s/?#@\\\"'<>]+(?:/[\w.~/-]*)?", self.public)
        if self.public and not (whole and _HOST.fullmatch(parts.netloc)):
            raise SettingsError(
                f"DOCENT_URL is {self.public!r}: it must be the address that users type, like "
                "https://example.org/docent"
            )
        names = {"localhost", "127.0.0.1", "::1", self.host.strip("[]").lower()}
        if not is_loopback(self.host):
            own = socket.gethostname().lower()
            names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local"}
        if parts.hostname:
            names.add(parts.hostname)
        object.__setattr__(self, "public", self.public.rstrip("/"))
        object.__setattr__(self, "prefix", re.sub(r"/{2,}", "/", parts.path).rstrip("/"))
        object.__setattr__(self, "names", frozenset(names))

    @property
    def scheme(self) -> str:
        """`https` if the public address says so."""
        return urlsplit(self.public).scheme or "http"

    @property
    def netloc(self) -> str:
        """Host and port of the public address; empty without one."""
        return urlsplit(self.public).netloc

    def admits(self, host: str) -> bool:
        """Whether a request with this `Host` may come in.

        A page elsewhere can have its own name lead to this machine, and would then count
        as the same site: so names are listed. An IP address cannot be turned around so.
        """
        name = host_name(host)
        if name in self.names:
            return True
        return bool(name) and not is_loopback(self.host) and _is_address(name)

    def same_origin(self, origin: str, host: str) -> bool:
        """Whether `Origin` names the page that this request is for."""
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https"):
            return False
        if self.public and (parts.scheme, parts.netloc) == (self.scheme, self.netloc):
            return True
        return _with_port(parts.netloc, parts.scheme) == _with_port(host, parts.scheme)


def host_name(host: str) -> str:
    """The name in a `Host` header, in lower case and without its port; empty if it is none."""
    found = _HOST.fullmatch(host)
    return found[1].strip("[]").lower().rstrip(".") if found else ""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _with_port(netloc: str, scheme: str) -> str:
    default = {"http": ":80", "https": ":443"}[scheme]
    return netloc.lower().removesuffix(default)
