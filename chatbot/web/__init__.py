"""The web page: the only importer of gradio.

`serve` builds the page over a chatbot and keeps it on the air. What an uploaded file
becomes is the caller's: `add` is handed in, because the chatbot knows no readers.
"""

from chatbot.web.page import Add, PortInUse, serve

__all__ = ["serve", "Add", "PortInUse"]
