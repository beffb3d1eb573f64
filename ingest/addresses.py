"""Web addresses: which are let through, judged twice, as written and as resolved.

As written: http or https, no name or password, a plain host and port; whatever can be
understood in two ways is refused, so that nobody behind us understands it otherwise.
As resolved: only addresses of the public internet, unless the caller allows private
ones. Pure functions; opens no connection and asks no name server.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

import idna

from ingest.errors import FetchError

LONGEST = 4_096  # characters of a web address

_AUTHORITY = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.\-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.I
)
_CONTROLS = re.compile("[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_USER = re.compile(r"(?<=://)[^/?#]*@")
_SAFE = "%/:@!$&'()*+,;=~-._"
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa", "localdomain")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _networks(*written: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(one) for one in written]


# Written out: `is_global` differs between versions of Python, and has been wrong.
_PRIVATE = _networks(
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)
_NEVER = _networks(
    "0.0.0.0/8",
    "100.100.100.200/32",  # Alibaba's metadata
    "168.63.129.16/32",  # Azure's
    "169.254.0.0/16",  # link-local; everybody else's metadata
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",  # Teredo and other special uses
    "2001:db8::/32",
    "2002::/16",  # 6to4: leads to any IPv4 address
    "3fff::/20",
    "fd00:ec2::/32",  # Amazon's metadata
    "fd20:ce::/32",  # Google's
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class Web:
    """A web address, taken apart and in its plain form."""

    scheme: str
    host: str
    """A name in ASCII, or an IP address, IPv6 without brackets."""
    port: int
    target: str
    """Path and query, in ASCII."""

    @property
    def netloc(self) -> str:
        """Host and port as in a Host header; the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


_PORTS = {"http": 80, "https": 443}


def parse(url: str) -> Web:
    """The address that `url` names, without its fragment. Raises FetchError."""
    shown = f"{without_password(url):.200}"
    if len(url) > LONGEST:
        raise FetchError(f"The web address {shown} … is longer than {LONGEST:,} characters")
    if _SURROGATES.search(url):
        raise _refused(ascii(shown), "it is no valid text")
    found = _AUTHORITY.fullmatch(url.strip(" \t\r\n"))
    scheme = found["scheme"].lower() if found else ""
    if not found or scheme not in _PORTS:
        raise _refused(shown, "only http:// and https:// are fetched")
    authority, rest = found["authority"], found["rest"].partition("#")[0]
    path, mark, query = rest.partition("?")
    if "\\" in authority + path or _CONTROLS.search(authority):
        raise _refused(shown, "it holds a character that can be read in two ways")
    if "@" in authority:
        raise _refused(shown, "leave out the name and password before the @")
    host, port = _split(authority, shown)
    number = int(port) if port else _PORTS[scheme]
    target = quote(path or "/", safe=_SAFE) + (mark and "?" + quote(query, safe=_SAFE + "?"))
    return Web(scheme, _host(host, shown), number, target)


def without_password(url: str) -> str:
    """`url` as it may be shown: what stands before an @ may be a password."""
    return _USER.sub("…@", url)


def _split(authority: str, shown: str) -> tuple[str, str]:
    """Host and port, as written; IPv6 keeps its brackets."""
    host, port = authority, ""
    if match := re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?", authority, re.ASCII):
        host, port = match[1], match[2] or ""
    else:
        raise _refused(shown, "its host and port cannot be told apart")
    if port and not 1 <= int(port) <= 65_535:
        raise _refused(shown, "its port is none")
    return host, port


def _host(written: str, shown: str) -> str:
    if written.startswith("["):
        try:
            return str(ipaddress.IPv6Address(written[1:-1]))
        except ValueError:
            raise _refused(shown, "it names no IPv6 address") from None
    host = written.translate(_DOTS)
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise _refused(shown, "its host is no domain name") from None
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(shown, "its host is no domain name")
    if _NUMBER.fullmatch(labels[-1]):
        # 127.1, 0x7f.1 and 2130706433 mean an address to some programs.
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise _refused(shown, "write an IP address as four decimal numbers") from None
    return host


def check_name(web: Web, *, allow_private: bool) -> None:
    """Refuse names that mean this machine or its network, whatever they resolve to."""
    local = any(web.host == name or web.host.endswith(f".{name}") for name in _LOCAL_NAMES)
    if web.host == "metadata.google.internal":
        raise _refused(str(web), _never(web.host))
    if local and not allow_private:
        raise _refused(str(web), _why_private(web.host))


def check_addresses(web: Web, addresses: list[str], *, allow_private: bool) -> bool:
    """Refuse `web` if any address of its host is not to be reached.

    Returns whether all of them are public. Raises FetchError.
    """
    parsed = [_parsed(address, web) for address in addresses]
    for address in parsed:
        if _is_never(address):
            raise _refused(str(web), _never(web.host))
        if not allow_private and not is_public(address):
            raise _refused(str(web), _why_private(web.host))
    return all(map(is_public, parsed))


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet, and leads to no other one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return is_public(_last_v4(address))
        if address not in _GLOBAL_V6:
            return False
        if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP and not is_public(_last_v4(address)):
            return False
    return not any(address in network for network in (*_PRIVATE, *_NEVER))


def _is_never(address: Address) -> bool:
    """Not to be reached even where private addresses are allowed."""
    private = any(address in network for network in _PRIVATE)
    return any(address in n for n in _NEVER) or not (private or is_public(address))


def _last_v4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address:
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _parsed(address: str, web: Web) -> Address:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        raise _refused(str(web), "its host has an address that is none") from None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed


def _never(host: str) -> str:
    return f"{host!r} stands for no machine that pages are fetched from"


def _why_private(host: str) -> str:
    return (
        f"{host!r} is a machine of a private network or this one. If you mean it, "
        "run `ingest --allow-private`"
    )


def _refused(shown: str, why: str) -> FetchError:
    return FetchError(f"{shown}: address not allowed: {why}")
