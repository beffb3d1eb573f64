"""The page's icons: outlines in the colour of the words beside them, hidden from readers aloud."""

from __future__ import annotations

_PATHS = {
    "refresh": "M13.5 8a5.5 5.5 0 1 1-1.6-3.9M13.5 2v3h-3",
    "rename": "M10.5 3.5l2 2M3 13l.6-2.6 8-8a1 1 0 0 1 1.4 0l.6.6a1 1 0 0 1 0 1.4l-8 8L3 13z",
    "remove": "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.5 8.5h6l.5-8.5M6.8 7v3.5M9.2 7v3.5",
    "more": "M3.5 8h.01M8 8h.01M12.5 8h.01",
    "close": "M4 4l8 8M12 4l-8 8",
    "menu": "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
    "chat": "M2.5 3.5h11v7.5h-6l-3 2.5V11h-2z",
    "documents": "M4 2h5.5L12 4.5V14H4zM9 2v3h3M6 8h4M6 10.5h4",
    "settings": "M2.5 5h6M12 5h1.5M2.5 11H4M7.5 11h6M10.2 6.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 "
    "3.4zM5.8 12.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4z",
    "check": "M3.5 8.5l3 3 6-7",
    "upload": "M8 10.5V3M5 5.5L8 2.5l3 3M3 10.5V13h10v-2.5",
    "warning": "M8 2.5L14 13H2zM8 6.5v3M8 11.3h.01",
}


def icon(name: str) -> str:
    """The icon of that name, in SVG."""
    return (
        '<svg class="docent-icon" viewBox="0 0 16 16" width="16" height="16" fill="none" '
        'stroke="currentColor" stroke-width="1.5" stroke-linecap="round" '
        f'stroke-linejoin="round" aria-hidden="true"><path d="{_PATHS[name]}"></path></svg>'
    )
