"""The web page: the only importer of gradio.

What an uploaded file becomes is the caller's: `add` is handed in, because the chatbot
knows no readers.
"""

import os

from chatbot.web import cache

# After each event gradio would make statistics of the last 10,000, with pandas.
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**12)

from chatbot.web.page import Page
from chatbot.web.server import PortInUse

__all__ = ["Page", "PortInUse", "cache"]
