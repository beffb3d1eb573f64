"""What the chatbot says when it cannot answer.

ChatbotError                 base: its message is shown to the user as it stands
├── BadQuestion              what was asked is no text
│   └── EmptyQuestion        nothing was asked
├── QuestionTooLong          more was asked than a question can be
├── BadHistory               the earlier turns are not a list of role and content
├── UnknownModel             no chat model of that name
├── UnknownThread            no conversation of that id
└── UnknownTurn              no such turn in the conversation
"""


class ChatbotError(Exception):
    """Base of all errors of the chatbot."""


class BadQuestion(ChatbotError):
    """What was asked is no text."""


class EmptyQuestion(BadQuestion):
    """Nothing was asked."""


class QuestionTooLong(ChatbotError):
    """More was asked than a question can be."""


class BadHistory(ChatbotError):
    """The earlier turns are not a list of role and content."""


class UnknownModel(ChatbotError):
    """No chat model of that name."""


class UnknownThread(ChatbotError):
    """No conversation of that id."""


class UnknownTurn(ChatbotError):
    """No such turn in the conversation."""
