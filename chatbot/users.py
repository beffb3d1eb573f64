"""Who may enter: names with passwords, from a setting or from a file.

    DOCENT_AUTH=ann:scrypt.15.8.3.<salt>.<hash>,bob:…     or     DOCENT_AUTH=@users

A password is kept as its scrypt hash, which `python app.py --hash-password NAME` makes;
a plain one is taken too, and complained about. In a file each user has a line, and a
line that begins with `#` is a remark; when the file changes, who may enter changes with
it. Knows nothing about sessions or the page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import os
import re
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from store.errors import SettingsError

KIND = "scrypt"
LOG2_N, R, P = 15, 8, 3  # OWASP's minimum for scrypt: 32 MiB and some 0.4 s a try
SHORTEST = 8  # characters of a password that is hashed here
LONGEST = 1_024  # characters of a password that is looked at: hashing more is work for nothing
MAX_MEMORY = 2**28  # bytes that one hash may take
HASHING = 2  # hashed at once: bounds memory and leaves the processor to the answers
_HOW = "python app.py --hash-password NAME prints a line to copy."

logger = logging.getLogger("docent")


@dataclass(frozen=True, slots=True)
class Secret:
    """A password as it is kept. Two are equal if they are of the same hash, salt and cost."""

    log2_n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        """The form that goes into settings: none of its characters means anything to a shell."""
        parts = (KIND, self.log2_n, self.r, self.p, _text(self.salt), _text(self.digest))
        return ".".join(map(str, parts))

    def __repr__(self) -> str:
        return "Secret(…)"

    def is_of(self, password: str) -> bool:
        """Whether it was made from `password`; takes the same time whatever the answer."""
        made = _scrypt(password, self.salt, self.log2_n, self.r, self.p)
        return hmac.compare_digest(made, self.digest)


class Users:
    """The users in force. Safe to share between threads."""

    def __init__(self, given: str) -> None:
        """`given`: the setting; empty means that everybody may enter. Raises SettingsError."""
        self._path = Path(given[1:]).expanduser() if given.startswith("@") else None
        self._hashing = threading.BoundedSemaphore(HASHING)
        self._stamp = self._stamped()
        self.plain: tuple[str, ...] = ()
        self._secrets = self._read(given)
        # No password makes this one; trying costs what it costs for the others.
        first = next(iter(self._secrets.values()), Secret(LOG2_N, R, P, b"", b""))
        self._nobody = replace(first, salt=secrets.token_bytes(16), digest=secrets.token_bytes(32))

    def __bool__(self) -> bool:
        return self._path is not None or bool(self._secrets)

    def check(self, name: str, password: str) -> bool:
        """Whether this is the name and password of a user.

        Takes as long for a name that nobody has, so that names cannot be found out.
        """
        self._refresh()
        secret = self._secrets.get(name)
        with self._hashing:
            right = (secret or self._nobody).is_of(password[:LONGEST])
        return right and secret is not None and len(password) <= LONGEST

    def secret(self, name: str) -> Secret | None:
        """What a session rests on: it ends when this is gone or another."""
        self._refresh()
        return self._secrets.get(name)

    def _read(self, given: str) -> dict[str, Secret]:
        if self._path is None:
            users, self.plain = _parsed(given.split(","), "DOCENT_AUTH")
            return users
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SettingsError(
                f"The file of users {str(self._path)!r} cannot be read: {reason}."
            ) from error
        where = f"the file of users {str(self._path)!r}"
        users, self.plain = _parsed((line for line in lines if line[:1] != "#"), where)
        if not users:
            raise SettingsError(f"There is nobody in {where}: {_HOW}")
        return users

    def _refresh(self) -> None:
        """Follow the file; one that cannot be used changes nothing, and is complained about."""
        if self._path is None or (stamp := self._stamped()) == self._stamp:
            return
        self._stamp = stamp
        try:
            self._secrets = self._read("")
        except SettingsError as error:
            logger.error("The users stay as they were: %s", error)

    def _stamped(self) -> tuple[int, ...]:
        if self._path is None:
            return ()
        try:
            found = os.stat(self._path)
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino


def hashed(password: str, *, checked: bool = True) -> Secret:
    """A secret with a salt of its own. Raises SettingsError for a password too short or long."""
    if checked and not SHORTEST <= len(password) <= LONGEST:
        raise SettingsError(f"A password has {SHORTEST} to {LONGEST:,} characters; choose another.")
    salt = secrets.token_bytes(16)
    return Secret(LOG2_N, R, P, salt, _scrypt(password, salt, LOG2_N, R, P))


def checked_name(name: str) -> str:
    """`name` if a user can have it. Raises SettingsError."""
    if not re.fullmatch(r"[^\s:,#@][^:,\x00-\x1f\x7f]{0,63}", name) or name != name.strip():
        raise SettingsError(
            f"No user can be called {name!r:.80}: a name has up to 64 characters, none of them "
            "a colon or a comma."
        )
    return name


def _parsed(lines: Iterable[str], where: str) -> tuple[dict[str, Secret], tuple[str, ...]]:
    """The users, and the names of those whose password stands there plainly."""
    users: dict[str, Secret] = {}
    plain = []
    for n, line in enumerate(filter(None, map(str.strip, lines)), 1):
        name, colon, kept = line.partition(":")
        if not (name and colon and kept):
            raise SettingsError(f"User {n} of {where} is not written name:password. {_HOW}")
        if checked_name(name) in users:
            raise SettingsError(f"User {name!r} stands twice in {where}: remove one of them.")
        secret = _parsed_secret(kept, name, where)
        if secret is None:
            plain.append(name)
            if kept.casefold() == name.casefold():
                raise SettingsError(
                    f"The password of {name!r} in {where} is the name: choose another. {_HOW}"
                )
            secret = hashed(kept, checked=False)
        users[name] = secret
    return users, tuple(plain)


def _parsed_secret(kept: str, name: str, where: str) -> Secret | None:
    """The secret that is written so; None if it is a plain password. Raises SettingsError."""
    if not kept.startswith(f"{KIND}."):
        return None
    try:
        _, log2_n, r, p, salt, digest = kept.split(".")
        secret = Secret(int(log2_n), int(r), int(p), _bytes(salt), _bytes(digest))
        if len(secret.digest) < 16 or len(secret.salt) < 8:
            raise ValueError("too short")
        if not (8 <= secret.log2_n <= 20 and 1 <= secret.r <= 32 and 1 <= secret.p <= 16):
            raise ValueError("out of bounds")
        if 128 * secret.r * 2**secret.log2_n > MAX_MEMORY // 2:
            raise ValueError("too much memory")
    except (ValueError, binascii.Error) as error:
        raise SettingsError(
            f"The hashed password of {name!r} in {where} is not whole: {_HOW}"
        ) from error
    return secret


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    words = password.encode("utf-8", "surrogatepass")
    n = 2**log2_n
    return hashlib.scrypt(words, salt=salt, n=n, r=r, p=p, maxmem=MAX_MEMORY, dklen=32)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
