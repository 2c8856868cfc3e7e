"""How a validator of pydantic's says what is wrong with a campaign's value: by a message, never by a sentence."""

from pydantic_core import PydanticCustomError

from heygem_pipeline.messages.message import Message

WRONG_VALUE = "wrong_value"
"""pydantic's type of the errors that carry a message of our own."""


def wrong_value(problem: Message) -> PydanticCustomError:
    """The error for a validator to raise.

    Args:
        problem: to be read after the key it is about.
    """
    return PydanticCustomError(WRONG_VALUE, "{problem}", {"problem": problem})
