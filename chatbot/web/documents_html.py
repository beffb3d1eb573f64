"""The documents as HTML: the list, what became of files, what is chosen to be asked.

From the page's allow-list: every word of a document, a file name or a message is
escaped whole. A button says what it does in `data-act`, and to what in `data-key`, a
key made from the source. Pure functions; knows nothing about gradio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.web.icons import icon
from chatbot.web.listing import PAGE, Shown
from chatbot.web.render import file_name, html_text
from chatbot.web.strings import Words
from store.records import INSIDE, DocumentInfo

CHIPS = 6  # chosen documents that are named above the question
ROWS = 6  # files shown while they are being read
_COLUMNS = ("title", "format", "pages", "chunks", "added")
_WORDS = {"text": "Text", "feed": "Feed", "markdown": "Markdown", "subtitles": "Subtitles"}


@dataclass(frozen=True, slots=True)
class Source:
    """A source that is being brought in, and how far it is."""

    name: str
    state: str = "waiting"
    """`waiting`, `reading`, `ready`, or `failed`."""
    reason: str = ""


def key_of(source: str) -> str:
    """What a button calls a document: 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def title_of(document: DocumentInfo) -> str:
    """What a document is called."""
    return document.title or file_name(document.source)


# --- the list ----------------------------------------------------------------------


def head_html(total: int, words: Words) -> str:
    """The view's heading."""
    count = html_text(words.count("documents.count", total)) if total else ""
    return (
        f'<h2 id="docent-documents-title" tabindex="-1">{html_text(words("documents.title"))} '
        f'<span class="docent-total">{count}</span></h2>'
        f'<p class="docent-hint">{html_text(words("documents.shared"))}</p>'
    )


def list_html(
    shown: Shown, chosen: Collection[str], states: Mapping[str, str], words: Words
) -> str:
    """The list: what is chosen, the table of one page, the way to the others.

    `states`: by source, where it is not `ready`: `changed` or `gone`.
    """
    if not shown.total:
        return _hint(words("documents.none"))
    if not shown.found:
        return _hint(words("documents.nothing", query=shown.view.query))
    rows = "".join(
        _row(d, d.source in chosen, states.get(d.source, "ready"), words) for d in shown.documents
    )
    label = html_text(words("documents.table"))
    return (
        f"{_choosing(shown, chosen, words)}"
        f'<table role="table" class="docent-table" aria-label="{label}">'
        f'<thead role="rowgroup"><tr role="row">{_headings(shown, words)}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table>{_pager(shown, words)}'
    )


def _choosing(shown: Shown, chosen: Collection[str], words: Words) -> str:
    said = words.count("documents.found", shown.found, all=shown.total)
    parts = [f"<span>{html_text(said)}</span>" if shown.view.query else ""]
    if chosen:
        parts = [
            f"<strong>{html_text(words.count('scope.chosen', len(chosen)))}</strong>",
            _text_button("ask", words.count("scope.ask", len(chosen)), kind="primary"),
            _text_button("clear", words("scope.clear.short")),
        ]
    if shown.view.query and not all(d.source in chosen for d in shown.documents):
        parts.append(_text_button("choose-all", words("documents.choose.all", n=shown.found)))
    inner = "".join(parts)
    return f'<div class="docent-choosing" role="status">{inner}</div>' if inner else ""


def _headings(shown: Shown, words: Words) -> str:
    cells = [
        _heading_cell("choose", f'<span class="docent-aloud">{_column("choose", words)}</span>')
    ]
    for column in _COLUMNS:
        sort, mark = "none", ""
        if column == shown.view.column:
            sort = "descending" if shown.view.falling else "ascending"
            mark = "↓" if shown.view.falling else "↑"
        label = words("documents.sort", column=words(f"documents.column.{column}"))
        cells.append(
            _heading_cell(
                column,
                f'<button type="button" data-act="sort" data-key="{column}" '
                f'title="{html_text(label)}">{_column(column, words)}'
                f'<span class="docent-sorted" aria-hidden="true">{mark}</span></button>',
                f' aria-sort="{sort}"',
            )
        )
    cells.append(_heading_cell("state", _column("state", words)))
    cells.append(
        _heading_cell("actions", f'<span class="docent-aloud">{_column("actions", words)}</span>')
    )
    return "".join(cells)


def _column(name: str, words: Words) -> str:
    return html_text(words(f"documents.column.{name}"))


def _heading_cell(name: str, inner: str, more: str = "") -> str:
    return f'<th role="columnheader" scope="col" class="docent-col-{name}"{more}>{inner}</th>'


def _row(document: DocumentInfo, chosen: bool, state: str, words: Words) -> str:
    title, key = title_of(document), key_of(document.source)
    choose = (
        f'<button type="button" role="checkbox" class="docent-check" data-act="choose" '
        f'data-key="{key}" data-on="{int(not chosen)}" aria-checked="{str(chosen).lower()}" '
        f'aria-label="{html_text(words("documents.choose", title=title))}">'
        f"{icon('check')}</button>"
    )
    where = html_text(document.source)
    name = (
        f'<span class="docent-title">{html_text(title)}</span>'
        f'<span class="docent-source" title="{where}">{html_text(_place(document.source))}</span>'
    )
    cells = {
        "format": html_text(format_words(document.format)),
        "pages": _number("pages", document.pages, words) if document.pages else "",
        "chunks": _number("chunks", document.chunk_count, words),
        "added": html_text(words.date(document.added_at)),
        "state": _state(document, state, words),
        "actions": _actions(title, key, words),
    }
    rest = "".join(_cell(column, inner) for column, inner in cells.items())
    return (
        f'<tr role="row"{" class=docent-chosen" if chosen else ""}>'
        f'<td role="cell" class="docent-col-choose">{choose}</td>'
        f'<th role="rowheader" scope="row" class="docent-col-title">{name}</th>{rest}</tr>'
    )


def _cell(column: str, inner: str) -> str:
    return f'<td role="cell" class="docent-col-{column}">{inner}</td>'


def _number(column: str, n: int, words: Words) -> str:
    """The number; on a phone, where the heading is far, all of `14 pages` is shown instead."""
    said = html_text(words.count(f"report.{column}", n))
    return f'<span data-said="{said}">{words.number(n)}</span>'


def _place(source: str) -> str:
    """The file's name; of a file inside another, both."""
    outer, inside, inner = source.partition(INSIDE)
    return f"{file_name(outer)} › {inner}" if inside else file_name(source)


def format_words(name: str) -> str:
    """A format's short name as people write it."""
    return _WORDS.get(name, name.upper())


def _state(document: DocumentInfo, state: str, words: Words) -> str:
    if state != "ready":
        title = html_text(words(f"state.{state}.title"))
        said = html_text(words(f"state.{state}"))
        return f'<span class="docent-state docent-state-{state}" title="{title}">{said}</span>'
    if not document.notes:
        said = html_text(words("state.ready"))
        return f'<span class="docent-state docent-state-ready">{said}</span>'
    notes = "".join(f"<li>{html_text(note)}</li>" for note in document.notes)
    said = html_text(words.count("state.notes", len(document.notes)))
    return (
        f'<details class="docent-notes"><summary class="docent-state docent-state-notes">{said}'
        f"</summary><ul>{notes}</ul></details>"
    )


def _actions(title: str, key: str, words: Words) -> str:
    buttons = []
    for act in ("refresh", "rename", "remove"):
        ask = ""
        if act == "rename":
            ask = (
                f' data-ask="{html_text(words("rename.title"))}" '
                f'data-label="{html_text(words("rename.label"))}" data-value="{html_text(title)}"'
            )
        label = html_text(words(f"documents.{act}", title=title))
        buttons.append(
            f'<button type="button" class="docent-icon-button" data-act="{act}" data-slow="1" '
            f'data-key="{key}" aria-label="{label}" '
            f'title="{html_text(words(f"documents.{act}.short"))}"{ask}>{icon(act)}</button>'
        )
    return f'<div class="docent-actions">{"".join(buttons)}</div>'


def _pager(shown: Shown, words: Words) -> str:
    if shown.found <= PAGE:
        return ""
    last = shown.first + len(shown.documents) - 1
    said = words("documents.range", first=shown.first, last=last, all=shown.found)
    before = _text_button("previous", words("documents.previous"), off=shown.first == 1)
    after = _text_button("next", words("documents.next"), off=last >= shown.found)
    label = html_text(words("documents.pages"))
    return (
        f'<nav class="docent-pager" aria-label="{label}">{before}'
        f'<span role="status">{html_text(said)}</span>{after}</nav>'
    )


# --- adding ------------------------------------------------------------------------


def drop_html(formats: str, words: Words) -> str:
    """The box to drop files on; how far the sending is stands in it, in the browser's words."""
    sending = words("add.uploading", name="{name}", percent="{percent}")
    kinds = (
        f'<details class="docent-formats"><summary>{html_text(words("add.formats"))}</summary>'
        f"<p>{html_text(formats)}</p></details>"
        if formats
        else ""
    )
    return (
        f'<div class="docent-drop" role="group" aria-label="{html_text(words("add.drop.region"))}" '
        f'data-uploading="{html_text(sending)}">'
        f'{icon("upload")}<p>{html_text(words("add.drop"))} <label class="docent-pick">'
        '<input type="file" multiple class="docent-aloud">'
        f"{html_text(words('add.pick'))}</label></p>"
        f'<p class="docent-sending" role="status"></p>{kinds}</div>'
    )


# --- what became of files ----------------------------------------------------------


def progress_html(sources: Sequence[Source], words: Words) -> str:
    """How far the reading is: a bar, what failed so far, and the files around the present one."""
    done = sum(source.state in ("ready", "failed") for source in sources)
    failed = [s for s in sources if s.state == "failed"]
    coming = [s for s in sources if s.state in ("reading", "waiting")]
    ready = [s for s in sources if s.state == "ready"][-2:]
    rows = [*failed[-ROWS:], *ready, *coming][: 2 * ROWS]
    more = len(sources) - len(rows)
    items = "".join(
        f'<li class="docent-file docent-file-{s.state}"><span class="docent-file-name">'
        f'{html_text(s.name)}</span> <span class="docent-file-state">'
        f"{html_text(s.reason or words(f'add.{s.state}'))}</span></li>"
        for s in rows
    )
    said = html_text(words.count("add.read", len(sources), done=done))
    rest = f"<li>{html_text(words.count('scope.more', more))}</li>" if more > 0 else ""
    return (
        f'<div class="docent-progress"><p role="status">{said}</p>'
        f'<progress max="{len(sources)}" value="{done}" '
        f'aria-label="{html_text(words("add.progress"))}"></progress>'
        f"<ul>{items}{rest}</ul></div>"
    )


def report_html(report: Mapping[str, Any], words: Words) -> str:
    """What became of sources, in words; what failed is said by `failures_html`."""
    said = [
        words.count(f"report.{what}", len(report[what]))
        for what in ("added", "changed", "unchanged")
        if report[what]
    ]
    if not said and not report["failed"]:
        said = [words("report.nothing")]
    lines = "".join(f"<p>{html_text(line)}</p>" for line in said)
    lines += "".join(f'<p class="docent-hint">{html_text(w)}</p>' for w in report["warnings"])
    details = report.get("details", ())
    if details:
        items = "".join(_detail(detail, words) for detail in details[:PAGE])
        more = len(details) - PAGE
        rest = f"<li>{html_text(words.count('scope.more', more))}</li>" if more > 0 else ""
        opened = " open" if len(details) <= ROWS else ""
        lines += (
            f"<details{opened}><summary>{html_text(words('report.details'))}</summary>"
            f"<ul>{items}{rest}</ul></details>"
        )
    return _card(lines, words) if lines else ""


def _detail(detail: Mapping[str, Any], words: Words) -> str:
    facts = [format_words(detail["format"])]
    if detail["pages"]:
        facts.append(words.count("report.pages", detail["pages"]))
    facts.append(words.count("report.chunks", detail["chunks"]))
    notes = "".join(f"<li>{html_text(note)}</li>" for note in detail["notes"])
    name = html_text(_place(detail["source"]))
    return (
        f'<li><span class="docent-file-name">{name}</span> '
        f'<span class="docent-file-state">{html_text(", ".join(facts))}</span>'
        f"{f'<ul>{notes}</ul>' if notes else ''}</li>"
    )


def failures_html(failures: Sequence[Mapping[str, str]], words: Words) -> str:
    """What is not in and why, each until it is dismissed: name, reason and key."""
    if not failures:
        return ""
    items = []
    for failure in failures:
        name, reason = failure["name"], failure["reason"]
        shown = (
            "" if name in reason else f'<span class="docent-file-name">{html_text(name)}</span> '
        )
        items.append(
            f"<li><p>{shown}{html_text(reason)}</p>"
            f'<button type="button" class="docent-icon-button" data-act="dismiss" '
            f'data-key="{html_text(failure["key"])}" '
            f'aria-label="{html_text(words("failed.dismiss", name=name))}">'
            f"{icon('close')}</button></li>"
        )
    title = html_text(words.count("failed.title", len(failures)))
    clear = _text_button("dismiss-all", words("dismiss.all")) if len(failures) > 1 else ""
    return (
        f'<section class="docent-failed" aria-label="{title}"><header><h3>{icon("warning")}{title}'
        f'</h3>{clear}</header><ul role="list">{"".join(items)}</ul></section>'
    )


def notice_html(said: str, words: Words, *, undo: str = "", more: str = "") -> str:
    """One sentence about what was done; `undo`: the key under which it can be undone."""
    button = _text_button("undo", words("undo"), key=undo, slow=True) if undo else ""
    rest = f' <span class="docent-hint">{html_text(more)}</span>' if more else ""
    return _card(f"<p>{html_text(said)}{rest}{button}</p>", words)


def asked_html(key: str, said: str, words: Words) -> str:
    """What would be lost with a document, and the button that removes it even so."""
    button = _text_button("remove-for-good", words("remove.anyway"), key=key, slow=True)
    return _card(f"<p>{html_text(said)}{button}</p>", words)


def error_html(message: str, words: Words) -> str:
    """What could not be done."""
    return _card(f'<p class="docent-error">{html_text(message)}</p>', words)


def _card(inner: str, words: Words) -> str:
    dismiss = html_text(words("dismiss"))
    return (
        f'<div class="docent-report"><div role="status">{inner}</div>'
        f'<button type="button" class="docent-icon-button" data-act="close" '
        f'aria-label="{dismiss}" title="{dismiss}">{icon("close")}</button></div>'
    )


# --- what is asked -----------------------------------------------------------------


def scope_html(chosen: Sequence[tuple[str, str]], words: Words) -> str:
    """The chosen documents (source, title) above the question; nothing if all are asked."""
    if not chosen:
        return ""
    chips = "".join(
        f'<li><button type="button" class="docent-chip" data-act="choose" data-on="0" '
        f'data-key="{key_of(source)}" '
        f'aria-label="{html_text(words("scope.drop", title=title))}">'
        f"<span>{html_text(title)}</span>{icon('close')}</button></li>"
        for source, title in chosen[:CHIPS]
    )
    more = len(chosen) - CHIPS
    rest = f"<li>{html_text(words.count('scope.more', more))}</li>" if more > 0 else ""
    said = html_text(words("scope.title"))
    return (
        f'<div class="docent-scope"><span id="docent-scope-label">{said}</span>'
        f'<ul role="list" aria-labelledby="docent-scope-label">{chips}{rest}</ul>'
        f"{_text_button('clear', words('scope.clear'))}</div>"
    )


# --- parts -------------------------------------------------------------------------


def _text_button(
    act: str, label: str, *, key: str = "", kind: str = "", off: bool = False, slow: bool = False
) -> str:
    classes = f"docent-text-button{f' docent-{kind}' if kind else ''}"
    more = f' data-key="{key}"' if key else ""
    more += ' data-slow="1"' if slow else ""
    more += " disabled" if off else ""
    inner = html_text(label)
    return f'<button type="button" class="{classes}" data-act="{act}"{more}>{inner}</button>'


def _hint(said: str) -> str:
    return f'<p class="docent-hint" role="status">{html_text(said)}</p>'
