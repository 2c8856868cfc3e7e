"""What requests hold: JSON of a known form, and clips named in addresses."""

import json
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.studio.refusals import Refusal

LARGEST_REQUEST = 256 * 1024
"""Bytes of JSON."""

Key = Annotated[str, Field(min_length=1, max_length=200)]
Line = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
Keys = Annotated[list[Key], Field(max_length=5000)]


class Form(BaseModel):
    """Nothing but what is named may stand in it."""

    model_config = ConfigDict(extra="forbid")


Wanted = TypeVar("Wanted", bound=Form)


async def body_of(request: Request, form: type[Wanted]) -> Wanted:
    """What a request holds. Raises Refusal where it is something else, HTTPException where it is too much."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_REQUEST:
            raise HTTPException(413)
    try:
        return form.model_validate(json.loads(body))
    except (ValueError, RecursionError, ValidationError) as error:
        raise Refusal("unknown_choice") from error


def named_clip(request: Request) -> ClipKey:
    """The clip of an address. Raises HTTPException for what can be none, such as a path."""
    voice, presenter = request.path_params["voice"], request.path_params["presenter"]
    if partition_key(voice) != voice or partition_key(presenter) != presenter:
        raise HTTPException(404)
    return ClipKey(voice, presenter)
