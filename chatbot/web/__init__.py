"""The web page: the only importer of gradio.

What an uploaded file becomes is the caller's: `add` is handed in, because the chatbot
knows no readers.
"""

from chatbot.web.page import Page, PortInUse

__all__ = ["Page", "PortInUse"]
