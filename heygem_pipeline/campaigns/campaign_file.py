"""Reading a campaign's file: everything that is wrong with it is told at once, each with its line and column."""

from collections.abc import Collection
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import Node

from heygem_pipeline.campaigns.campaign import (
    SUFFIX,
    Campaign,
    CampaignSettings,
    CampaignText,
    Delivery,
    Speaker,
    VoiceChoice,
)
from heygem_pipeline.campaigns.campaign_yaml import LARGEST_FILE, PlainValue, Problems, compose, place_of, plain_values
from heygem_pipeline.campaigns.wrong_value import WRONG_VALUE
from heygem_pipeline.clip.render_spec import RenderSpec
from heygem_pipeline.errors import OutputRefused, UploadMissing
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import ClipSettings
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.printable_text import did_you_mean, is_whole, shown

_GROUPS: dict[str, type[BaseModel]] = {
    "voices": VoiceChoice,
    "speakers": Speaker,
    "settings": CampaignSettings,
    "delivery": Delivery,
}

_SHOULD = {
    "bool_parsing": Message("should.yes_or_no"),
    "bool_type": Message("should.yes_or_no"),
    "dict_type": Message("should.group"),
    "float_parsing": Message("should.number"),
    "float_type": Message("should.number"),
    "finite_number": Message("should.number"),
    "int_parsing": Message("should.whole_number"),
    "int_parsing_size": Message("should.whole_number"),
    "int_type": Message("should.whole_number"),
    "model_attributes_type": Message("should.group"),
    "model_type": Message("should.group"),
    "string_too_short": Message("should.not_be_empty"),
    "string_type": Message("should.one_text"),
    "too_short": Message("should.name_one"),
    "tuple_type": Message("should.list"),
}
"""pydantic's types of error in the words of people who do not program."""


def read_campaign(path: Path, usual: RenderSpec) -> Campaign:
    """Return the campaign of a YAML file. Raises UploadMissing, and CampaignWrong with every problem of the file.

    Args:
        usual: the engine and settings that hold where the file names none.
    """
    if not path.is_file():
        raise UploadMissing("campaign.missing", file=shown(path.name))
    problems = Problems(path.name)
    if path.suffix != SUFFIX:
        problems.note(None, Message("campaign.other_ending", suffix=SUFFIX))
    if not is_whole(path.name):
        problems.note(None, Message("campaign.name_not_shown"))
    root = compose(_content(path, problems), problems)
    values = {key: value for key, value in plain_values(root, problems).items() if not _is_left_out(key, value)}
    if not values.keys() & {"voices", "scripts"}:
        problems.note(root, Message("campaign.missing_key", key="voices"))
    for key in sorted(values.keys() & {"languages", "speakers"} if "scripts" not in values else ()):
        problems.note(place_of((key,), root, of_key=True), Message("campaign.needs_scripts", key=key))
    try:
        text = CampaignText.model_validate({"title": path.stem if is_whole(path.stem) else shown(path.stem)} | values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note(detail, root, problems)
        raise problems.as_error() from error
    problems.raise_any()
    return Campaign.completed(path.name, text, usual)


def write_example(folder: Path, name: str) -> Path:
    """Write a campaign that explains every key, under a name made safe; return its path.

    Raises OutputRefused where there is such a file already.
    """
    path = folder / f"{partition_key(name.removesuffix(SUFFIX))}{SUFFIX}"
    if path.exists():
        raise OutputRefused("campaign.exists", file=path.name)
    example = resources.files("heygem_pipeline.campaigns").joinpath("campaign_example.yaml").read_bytes()
    with atomic_path(path) as temporary:
        temporary.write_bytes(example)
    return path


def _is_left_out(key: str, value: PlainValue) -> bool:
    """Is only the key written? Then the lines below it count as comments, and the defaults hold."""
    return value is None and key in CampaignText.model_fields and key not in ("voices", "presenters")


def _content(path: Path, problems: Problems) -> bytes:
    """The file's bytes, and one more than is allowed where there are so many."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        problems.note(None, Message("campaign.unreadable", reason=str(error.strerror)))
        raise problems.as_error() from error


def _note(detail: ErrorDetails, root: Node, problems: Problems) -> None:
    location, kind = detail["loc"], detail["type"]
    names = [step for step in location if isinstance(step, str)]
    key, path = names[-1], ".".join(names)
    if kind == "extra_forbidden":
        known = _keys_beside(names)
        hint = did_you_mean(key, known) or Message("campaign.keys_there", known=", ".join(known))
        unknown = Message("campaign.unknown_key", key=shown(key), hint=hint)
        problems.note(place_of(location, root, of_key=True), unknown)
    elif kind == "missing":
        problems.note(place_of(location, root), Message("campaign.missing_key", key=key))
    else:
        wrong = Message("campaign.value", path=path, problem=_problem(detail, key))
        problems.note(place_of(location, root), wrong)


def _keys_beside(names: list[str]) -> Collection[str]:
    group = _GROUPS[names[0]] if len(names) > 1 else CampaignText
    return group.model_fields


def _problem(detail: ErrorDetails, key: str) -> Message:
    kind, value = detail["type"], detail["input"]
    if value is None:
        return Message("campaign.no_value")
    if kind == WRONG_VALUE:
        return detail["ctx"]["problem"] if "ctx" in detail else Message("campaign.no_value")
    should = _SHOULD.get(kind) or _should(detail, key)
    if isinstance(value, str) and value:
        return Message("campaign.should_not", should=should, value=shown(value))
    return Message("campaign.should", should=should)


def _should(detail: ErrorDetails, key: str) -> Message:
    """What was expected, where a limit or a list of choices belongs to it."""
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "string_pattern_mismatch":
            return Message("should.be_like", example=str(ClipSettings.model_fields[key].default))
        case "greater_than_equal":
            return Message("should.at_least", limit=limits["ge"])
        case "less_than_equal":
            return Message("should.at_most", limit=limits["le"])
        case "string_too_long":
            return Message("should.shorter", limit=limits["max_length"])
        case "enum" | "literal_error":
            *others, last = _choices(key)
            return Message("should.one_of", others=", ".join(others), last=last)
    told = detail["msg"].replace("Input should", "should").replace("String", "it")
    return Message("should.as_told", told=told)


def _choices(key: str) -> list[str]:
    kind = ClipSettings.model_fields[key].annotation
    names = list(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else get_args(kind)
    return [repr(str(name)) for name in names]
