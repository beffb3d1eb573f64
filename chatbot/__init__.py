"""Answers from a person's own documents, every sentence with its source.

    from chatbot import Chatbot
    answer = Chatbot.open().ask("Who met Kim Jong Un?")
    print(answer.text)

Cheap to import: what is heavy is imported when a chatbot is opened.
"""

from chatbot.answer import (
    Answer,
    Citation,
    Delta,
    Finished,
    Retrieved,
    SearchedFor,
    Sentence,
    Waiting,
)
from chatbot.bot import Chatbot
from chatbot.threads import Thread, Turn

__all__ = [
    "Chatbot",
    "Answer",
    "Sentence",
    "Citation",
    "Thread",
    "Turn",
    "SearchedFor",
    "Retrieved",
    "Waiting",
    "Delta",
    "Finished",
]
