"""What the page refuses is answered by a code that both languages have a sentence for."""

from starlette.requests import Request
from starlette.responses import JSONResponse


class Refusal(Exception):
    """code: a key of the texts ("refused.<code>"). values: what the sentence names."""

    def __init__(self, code: str, status: int = 400, **values: str) -> None:
        super().__init__(code)
        self.code, self.status, self.values = code, status, values


async def refusal_response(_request: Request, refusal: Exception) -> JSONResponse:
    """The refusal as the page reads it."""
    assert isinstance(refusal, Refusal)
    return JSONResponse({"refused": refusal.code, "values": refusal.values}, refusal.status)
