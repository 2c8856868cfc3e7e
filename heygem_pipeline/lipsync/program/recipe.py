"""One YAML file describes a lip-sync program: how it is called, how one knows that it is done, and what it is like."""

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from heygem_pipeline.errors import RecipeWrong
from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.storage.printable_text import shown

LARGEST_FILE = 64 * 1024
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
PLACES = ("video", "sound", "result", "work", "id", "video_name", "sound_name", "rate", "frames")
"""What a recipe's texts may name in braces: full paths (the first four), an own name for the task, the names of the two
files alone, frames a second, and their number."""

Answer = Mapping[str, str | int | float | bool | list[str | int]]
"""Dotted path in a service's JSON -> its value, or any one of several."""


def _rate(value: object) -> object:
    if value == "any" or value is None:
        return None
    return Fraction(str(value))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _known_placeholders(self) -> Self:
        for text in _texts(self.__dict__):
            unknown = [name for name in PLACEHOLDER.findall(text) if name not in PLACES]
            if unknown:
                raise ValueError(f"{{{unknown[0]}}} is none of {', '.join(f'{{{name}}}' for name in PLACES)}")
        return self


class Command(_Part):
    """A program that is started for every piece of a clip, without a shell.

    Attributes:
        program: file to start, or a name on the PATH.
        arguments: each is handed over as it is, its placeholders filled in.
        folder: in which it works; default, a folder of this piece.
        environment: variables added.
        files: path in the work folder -> text, written before.
        result: where it leaves its video.
        needs: files in its folder that must be there.
    """

    program: Annotated[str, Field(min_length=1)]
    arguments: tuple[str, ...] = ()
    folder: Path | None = None
    environment: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    result: str = "{result}"
    needs: tuple[str, ...] = ()

    @field_validator("arguments", mode="before")
    @classmethod
    def _as_texts(cls, value: object) -> object:
        return (
            [str(one) if isinstance(one, int | float) else one for one in value] if isinstance(value, list) else value
        )


class Call(_Part):
    """One request.

    Attributes:
        body: JSON of a POST; without, it is a GET.
        message: dotted path of what it says of a failure.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    body: Mapping[str, Any] | None = None
    message: str = ""


class Submit(Call):
    """Hands a task over.

    Attributes:
        accepted: what an answer must hold.
    """

    accepted: Answer = {}


class Query(Call):
    """Asks how far it is.

    Attributes:
        done: all must hold.
        failed: any one of them that holds whole.
    """

    every_seconds: Annotated[float, Field(ge=0.05, le=600)] = 2.0
    done: Annotated[Answer, Field(min_length=1)]
    failed: tuple[Answer, ...] = ()


class Service(_Part):
    """An HTTP service that shares a folder with the pipeline.

    Attributes:
        folder: where both find video, sound and result.
        result: dotted path, in the answer that says it is done, of the result's place in that folder.
    """

    folder: Path
    submit: Submit
    query: Query
    result: Annotated[str, Field(min_length=1)]


class Recipe(_Part):
    """A lip-sync program.

    Attributes:
        name: for reports and sentences.
        licence: what may be done with its clips, for people.
        research_only: HEYGEM_ACKNOWLEDGED_LICENCES must name it (its name in small letters, words joined by "-").
        rate: frames a second it works with; None, any.
        sound_rate: samples a second of the WAV it is given.
        padding_seconds: what the last frame is held longer, in silence, for programs that cut the end.
        shortest_seconds: shorter pieces stay as they are.
        time_limit_seconds: of one piece.
        exclusive: no second one may work at the same time on this machine.
        late_seconds: how much later than the sound its mouths come; negative: earlier.
        device: what it draws on, for reports.
    """

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f]+$")]
    licence: Annotated[str, Field(min_length=1)]
    research_only: bool = False
    rate: Annotated[Fraction | None, BeforeValidator(_rate)] = None
    sound_rate: Literal[16000, 22050, 24000, 44100, 48000] = 16000
    padding_seconds: Annotated[float, Field(ge=0, le=5)] = 0.25
    shortest_seconds: Annotated[float, Field(ge=0, le=10)] = 0.5
    time_limit_seconds: Annotated[float, Field(gt=0, le=7 * 24 * 3600)] = 1800
    exclusive: bool = True
    late_seconds: Annotated[float, Field(ge=-1, le=1)] = 0
    device: str = "outside"
    command: Command | None = None
    service: Service | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.command is None) == (self.service is None):
            raise ValueError("either command or service is needed")
        return self

    @field_validator("rate")
    @classmethod
    def _sensible(cls, rate: Fraction | None) -> Fraction | None:
        if rate is not None and not 1 <= rate <= 240:
            raise ValueError("a rate is any, or 1 to 240 frames a second")
        return rate

    @property
    def licence_name(self) -> str:
        """As HEYGEM_ACKNOWLEDGED_LICENCES names it."""
        return "-".join(re.findall(r"[a-z0-9.]+", self.name.lower()))


def read_recipe(path: Path) -> tuple[Recipe, str]:
    """Return the recipe of a file, and its text. Raises RecipeWrong with all that is wrong, each with its key."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError("it is too large")
        text = path.read_text(encoding="utf-8")
        written = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise RecipeWrong("recipe.unreadable", file=shown(path.name), reason=reason or "") from error
    if not isinstance(written, dict):
        raise RecipeWrong("recipe.no_keys", file=shown(path.name))
    try:
        return Recipe.model_validate(written), text
    except ValidationError as error:
        problems = tuple(
            Message(
                "recipe.problem",
                key=".".join(map(str, detail["loc"])) or "command",
                problem=verbatim(detail["msg"].removeprefix("Value error, ")),
            )
            for detail in error.errors(include_url=False)
        )
        raise RecipeWrong("recipe.wrong", file=shown(path.name), problems=problems) from error
    except ZeroDivisionError as error:
        raise RecipeWrong("recipe.unreadable", file=shown(path.name), reason=str(error)) from error


def filled(text: str, places: Mapping[str, str]) -> str:
    """A text with its placeholders filled in."""
    return PLACEHOLDER.sub(lambda found: places[found[1]], text)


def filled_in(value: Any, places: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """JSON with the placeholders of its texts filled in."""
    if isinstance(value, str):
        return filled(value, places)
    if isinstance(value, Mapping):
        return {key: filled_in(one, places) for key, one in value.items()}
    return [filled_in(one, places) for one in value] if isinstance(value, list | tuple) else value


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - YAML
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    return [text for one in value for text in _texts(one)] if isinstance(value, list | tuple) else []
