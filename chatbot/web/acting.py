"""HTML whose buttons are heard of: `shelves.js` turns a press into the event `docent-act`."""

from __future__ import annotations

import gradio as gr

ACTS = "element.addEventListener('docent-act', (event) => trigger(event.detail.how, event.detail))"


def acting(value: str = "", *, name: str) -> gr.HTML:
    """The component of that element id."""
    return gr.HTML(
        value,
        elem_id=name,
        elem_classes="docent-acting",
        js_on_load=ACTS,
        apply_default_css=False,
    )
