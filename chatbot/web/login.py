"""The pages for logging in and out: plain HTML that needs no script.

Pure functions; each returns status, body, type and headers, as `asgi.reply` takes them.
"""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path

Reply = tuple[int, bytes, str, list[tuple[str, str]]]

_STYLE = (Path(__file__).parent / "login.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Docent</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>Docent</h1>
{body}
</main>
</body>
</html>
"""
_LOGIN = """<p class="lead">Ask your documents, and check every sentence of the answer.</p>
{said}<form method="post" action="{action}">
<input type="hidden" name="next" value="{after}">
<label for="username">Name</label>
<input id="username" name="username" value="{name}" autocomplete="username" autocapitalize="none"
 spellcheck="false" maxlength="64" required{describe}{first}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"
 maxlength="1024" required{describe}{then}>
<button type="submit">Log in</button>
</form>
<p class="hint">Your conversations are yours alone; the documents are shared by all who log in.</p>
"""
_LOGOUT = """<p class="lead">Your conversations stay; log in again to go on with them.</p>
<form method="post" action="{action}"><button type="submit">Log out</button></form>
<p class="hint"><a href="{home}">Back to the documents</a></p>
"""


def login_page(
    prefix: str, after: str, name: str = "", *, status: int = 200, wait: int = 0
) -> Reply:
    """The form. `status`: 401 after a wrong login, 429 with the seconds to `wait`."""
    said = ""
    if status == 401:
        said = "Name and password do not belong together. Check both, and try again."
    elif status == 429:
        said = f"Too many tries. Wait {wait} second{'s' * (wait != 1)}, and try again."
    focus = " autofocus"
    body = _LOGIN.format(
        said=f'<p class="wrong" id="wrong" role="alert">{said}</p>\n' if said else "",
        action=html.escape(f"{prefix}/login"),
        after=html.escape(after),
        name=html.escape(name[:64]),
        describe=' aria-describedby="wrong" aria-invalid="true"' if said else "",
        first="" if name else focus,
        then=focus if name else "",
    )
    return _reply(status, "Log in", body)


def logout_page(prefix: str) -> Reply:
    """The question whether to log out."""
    action, home = html.escape(f"{prefix}/logout"), html.escape(f"{prefix}/")
    return _reply(200, "Log out", _LOGOUT.format(action=action, home=home))


def user_html(name: str | None) -> str:
    """Who is logged in, with a button to log out, for the top of the page; else nothing."""
    if not name:
        return ""
    return (
        '<form method="post" action="logout" class="docent-user">'
        f'<span>{html.escape(name)}</span><button type="submit">Log out</button></form>'
    )


def _reply(status: int, title: str, body: str) -> Reply:
    page = _PAGE.format(title=title, style=_STYLE, body=body)
    return status, page.encode(), "text/html", [("content-security-policy", _POLICY)]
