"""The pages for logging in and out: plain HTML that needs no script.

Pure functions; each returns status, body, type and headers, as `asgi.reply` takes them.
"""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path

from chatbot.web.strings import Words

Reply = tuple[int, bytes, str, list[tuple[str, str]]]

_STYLE = (Path(__file__).parent / "login.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; img-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_PAGE = """<!doctype html>
<html lang="{language}">
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
_LOGIN = """<p class="lead">{lead}</p>
{said}<form method="post" action="{action}">
<input type="hidden" name="next" value="{after}">
<label for="username">{name_label}</label>
<input id="username" name="username" value="{name}" autocomplete="username" autocapitalize="none"
 spellcheck="false" maxlength="64" required{describe}{first}>
<label for="password">{password_label}</label>
<input id="password" name="password" type="password" autocomplete="current-password"
 maxlength="1024" required{describe}{then}>
<button type="submit">{title}</button>
</form>
<p class="hint">{hint}</p>
"""
_LOGOUT = """<p class="lead">{lead}</p>
<form method="post" action="{action}"><button type="submit">{title}</button></form>
<p class="hint"><a href="{home}">{back}</a></p>
"""


def login_page(
    prefix: str, words: Words, after: str, name: str = "", *, status: int = 200, wait: int = 0
) -> Reply:
    """The form. `status`: 401 after a wrong login, 429 with the seconds to `wait`."""
    said = ""
    if status == 401:
        said = html.escape(words("login.wrong"))
    elif status == 429:
        said = html.escape(words.count("login.wait", wait))
    focus = " autofocus"
    title = words("login.in")
    body = _LOGIN.format(
        lead=html.escape(words("login.lead")),
        name_label=html.escape(words("login.name")),
        password_label=html.escape(words("login.password")),
        title=html.escape(title),
        hint=html.escape(words("login.hint")),
        said=f'<p class="wrong" id="wrong" role="alert">{said}</p>\n' if said else "",
        action=html.escape(f"{prefix}/login"),
        after=html.escape(after),
        name=html.escape(name[:64]),
        describe=' aria-describedby="wrong" aria-invalid="true"' if said else "",
        first="" if name else focus,
        then=focus if name else "",
    )
    return _reply(status, words, title, body)


def logout_page(prefix: str, words: Words) -> Reply:
    """The question whether to log out."""
    title = words("login.out")
    body = _LOGOUT.format(
        lead=html.escape(words("login.out.about")),
        title=html.escape(title),
        back=html.escape(words("login.back")),
        action=html.escape(f"{prefix}/logout"),
        home=html.escape(f"{prefix}/"),
    )
    return _reply(200, words, title, body)


def user_html(name: str | None, words: Words) -> str:
    """Who is logged in, with a button to log out, for the top of the page; else nothing."""
    if not name:
        return ""
    return (
        '<form method="post" action="logout" class="docent-user">'
        f"<span>{html.escape(name)}</span>"
        f'<button type="submit">{html.escape(words("login.out"))}</button></form>'
    )


def _reply(status: int, words: Words, title: str, body: str) -> Reply:
    page = _PAGE.format(language=words.language, title=html.escape(title), style=_STYLE, body=body)
    return status, page.encode(), "text/html", [("content-security-policy", _POLICY)]
