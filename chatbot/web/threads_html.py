"""The conversations as HTML: the side list, and what was done with one of them.

From the page's allow-list: every title is escaped whole. A conversation's link is its
own address, so that it can be opened in another tab or kept. Pure functions; knows
nothing about gradio.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from urllib.parse import quote

from chatbot.web.icons import icon
from chatbot.web.render import html_text
from chatbot.web.strings import Words
from store.conversations import ThreadInfo

_ACTS = ("rename", "markdown", "html", "delete")


def list_html(
    threads: Sequence[ThreadInfo], current: str, query: str, shown: int, words: Words
) -> str:
    """The newest `shown` conversations, by age; `current`: the id of the one that is open.

    The root says in `data-current` which one that is, if it is kept already.
    """
    kept = current if any(thread.id == current for thread in threads) or query else ""
    if not threads:
        said = words("threads.nothing", query=query) if query else words("threads.none")
        return _root(kept, f'<p class="docent-hint" role="status">{html_text(said)}</p>')
    now = datetime.now(UTC)
    groups = groupby(threads[:shown], key=lambda thread: words.age(thread.started_at, now))
    parts = []
    for age, members in groups:
        items = "".join(_item(thread, thread.id == current, words) for thread in members)
        parts.append(f'<h3>{html_text(age)}</h3><ul role="list">{items}</ul>')
    if len(threads) > shown:
        label = html_text(words("threads.more"))
        parts.append(
            f'<button type="button" class="docent-text-button" data-act="more">{label}</button>'
        )
    return _root(kept, "".join(parts))


def _root(current: str, inner: str) -> str:
    return f'<div class="docent-thread-list" data-current="{html_text(current)}">{inner}</div>'


def _item(thread: ThreadInfo, current: bool, words: Words) -> str:
    title, key = html_text(thread.title), html_text(thread.id)
    mark = ' aria-current="page"' if current else ""
    menu = html_text(words("threads.menu", title=thread.title))
    buttons = "".join(_menu_button(act, thread, words) for act in _ACTS)
    return (
        f'<li class="docent-thread"><a href="?thread={quote(thread.id, safe="")}" data-act="open" '
        f'data-how="select" data-key="{key}" title="{title}"{mark}>{title}</a>'
        f'<details class="docent-menu"><summary aria-label="{menu}">{icon("more")}</summary>'
        f'<div class="docent-menu-items">{buttons}</div></details></li>'
    )


def _menu_button(act: str, thread: ThreadInfo, words: Words) -> str:
    ask = ""
    if act == "rename":
        ask = (
            f' data-ask="{html_text(words("threads.rename.title"))}" '
            f'data-label="{html_text(words("threads.rename.label"))}" '
            f'data-value="{html_text(thread.title)}"'
        )
    label = html_text(words(f"threads.{act}"))
    return (
        f'<button type="button" data-act="{act}" data-key="{html_text(thread.id)}"{ask}>'
        f"{label}</button>"
    )


def notice_html(said: str, words: Words, *, undo: str = "") -> str:
    """One sentence; `undo`: the key under which what was done can be undone."""
    button = (
        f'<button type="button" class="docent-text-button" data-act="undo" data-key="{undo}">'
        f"{html_text(words('undo'))}</button>"
        if undo
        else ""
    )
    close = html_text(words("dismiss"))
    return (
        f'<div class="docent-notice"><p role="status">{html_text(said)} {button}</p>'
        f'<button type="button" class="docent-icon-button" data-act="close" aria-label="{close}" '
        f'title="{close}">{icon("close")}</button></div>'
    )


def nav_html(words: Words) -> str:
    """The way between the views."""
    links = "".join(
        f'<a href="#{view}" data-view="{view}">{icon(view)}'
        f"<span>{html_text(words(f'nav.{view}'))}</span></a>"
        for view in ("chat", "documents", "settings")
    )
    return (
        f'<nav class="docent-nav" aria-label="{html_text(words("nav.label"))}" '
        f'data-cancel="{html_text(words("dialog.cancel"))}" '
        f'data-save="{html_text(words("dialog.save"))}">{links}</nav>'
    )


def toggle_html(words: Words) -> str:
    """The button that opens and closes the side list."""
    opened, closed = html_text(words("nav.close")), html_text(words("nav.open"))
    return (
        f'<button type="button" class="docent-icon-button docent-rail-toggle" '
        f'aria-controls="docent-rail" aria-expanded="false" aria-label="{closed}" '
        f'data-opened="{opened}" data-closed="{closed}">{icon("menu")}</button>'
    )
