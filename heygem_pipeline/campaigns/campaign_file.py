"""Reading a campaign's file: everything that is wrong with it is told at once, each with its line and column."""

from collections.abc import Collection
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import Node

from heygem_pipeline.campaigns.campaign import (
    SUFFIX,
    Campaign,
    CampaignSettings,
    CampaignText,
    Delivery,
    VoiceChoice,
)
from heygem_pipeline.campaigns.campaign_yaml import LARGEST_FILE, PlainValue, Problems, compose, place_of, plain_values
from heygem_pipeline.errors import OutputRefused, UploadMissing
from heygem_pipeline.settings import ClipSettings
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.keys import partition_key
from heygem_pipeline.storage.printable import did_you_mean, is_whole, shown

_GROUPS: dict[str, type[BaseModel]] = {"voices": VoiceChoice, "settings": CampaignSettings, "delivery": Delivery}

_PLAIN_WORDS = {
    "bool_parsing": "should be yes or no",
    "bool_type": "should be yes or no",
    "dict_type": "should be a group of keys, a line each",
    "int_parsing": "should be a whole number",
    "int_parsing_size": "should be a whole number",
    "int_type": "should be a whole number",
    "model_attributes_type": "should be a group of keys, a line each",
    "model_type": "should be a group of keys, a line each",
    "string_too_short": "should not be empty",
    "string_type": "should be one text",
    "too_short": "should name at least one",
    "tuple_type": 'should be a list, a line each that begins with "- "',
}
"""pydantic's kinds of error in the words of people who do not program."""


def read_campaign(path: Path) -> Campaign:
    """Return the campaign of a YAML file. Raises UploadMissing, and CampaignWrong with every problem of the file."""
    if not path.is_file():
        raise UploadMissing(f"There is no campaign file {shown(path.name)}; heygem campaign new writes one.")
    problems = Problems(path.name)
    if path.suffix != SUFFIX:
        problems.note(None, f"the name of a campaign's file should end with {SUFFIX}")
    if not is_whole(path.name):
        problems.note(None, "the name of the file holds characters that cannot be shown; give it another name")
    root = compose(_content(path, problems), problems)
    values = {key: value for key, value in plain_values(root, problems).items() if not _is_left_out(key, value)}
    try:
        text = CampaignText.model_validate({"title": path.stem if is_whole(path.stem) else shown(path.stem)} | values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note(detail, root, problems)
        raise problems.as_error() from error
    problems.raise_any()
    return Campaign.model_construct(file=path.name, **dict(text))


def write_example(folder: Path, name: str) -> Path:
    """Write a campaign that explains every key, under a name made safe; return its path.

    Raises OutputRefused where there is such a file already.
    """
    path = folder / f"{partition_key(name.removesuffix(SUFFIX))}{SUFFIX}"
    if path.exists():
        raise OutputRefused(f"{path.name} is there already; change that one, or choose another name.")
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
        problems.note(None, f"the file cannot be read: {error.strerror}")
        raise problems.as_error() from error


def _note(detail: ErrorDetails, root: Node, problems: Problems) -> None:
    location, kind = detail["loc"], detail["type"]
    names = [step for step in location if isinstance(step, str)]
    key, path = names[-1], ".".join(names)
    if kind == "extra_forbidden":
        known = _keys_beside(names)
        hint = did_you_mean(key, known) or f"; there are: {', '.join(known)}"
        problems.note(place_of(location, root, of_key=True), f'there is no key "{shown(key)}" here{hint}')
    elif kind == "missing":
        problems.note(place_of(location, root), f'the key "{key}" is missing here')
    else:
        problems.note(place_of(location, root), f"{path} {_sentence(detail, key)}")


def _keys_beside(names: list[str]) -> Collection[str]:
    group = _GROUPS[names[0]] if len(names) > 1 else CampaignText
    return group.model_fields


def _sentence(detail: ErrorDetails, key: str) -> str:
    kind, value = detail["type"], detail["input"]
    if value is None:
        return "has no value"
    if kind == "value_error":
        return str(detail["ctx"]["error"]) if "ctx" in detail else detail["msg"]
    if kind == "string_pattern_mismatch":
        words = f'should be written like "{ClipSettings.model_fields[key].default}"'
    else:
        words = _PLAIN_WORDS.get(kind) or detail["msg"].replace("Input should", "should").replace("String", "it")
    return f'{words}, not "{shown(value)}"' if isinstance(value, str) and value else words
