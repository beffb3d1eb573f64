"""What the chatbot says when it cannot answer.

ChatbotError                 base: its message is shown to the user as it stands
├── BadQuestion              what was asked is no text
│   └── EmptyQuestion        nothing was asked
├── QuestionTooLong          more was asked than a question can be
├── BadHistory               the earlier turns are not a list of role and content
├── UnknownModel             no chat model of that name
├── ModelUnavailable         a chat model that is set cannot be used: its extra, key or server
├── ModelFault               a chat model failed while it was asked
│   └── ModelSilent          it gave no sign for too long
├── BadTitle                 a conversation cannot be called that
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


class ModelUnavailable(ChatbotError):
    """A chat model that is set cannot be used: its extra, key or server is missing."""


class ModelFault(ChatbotError):
    """A chat model failed while it was asked; the message says which setting to change."""

    def __init__(
        self,
        message: str,
        *,
        passing: str = "",
        after: float | None = None,
        patience: float = 30.0,
    ) -> None:
        """`passing`: what is the matter, if it may pass and another try help, in words without
        an end; `after`: seconds its server asks to wait; `patience`: seconds from the first try
        within which the next must begin.
        """
        super().__init__(message)
        self.passing = passing
        self.patience = patience
        self.after = after


class ModelSilent(ModelFault):
    """A chat model gave no sign for as long as it may be silent."""


class BadTitle(ChatbotError):
    """A conversation cannot be called that."""


class UnknownThread(ChatbotError):
    """No conversation of that id."""


class UnknownTurn(ChatbotError):
    """No such turn in the conversation."""
