"""Engines, trackers and speech engines are Python entry points, our own too: any installed package can add some.

An entry point is called with the settings and returns an engine or a tracker. Nothing of a package is imported before
somebody asks for what it adds, so that a broken one disturbs nobody else.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from heygem_pipeline.errors import PipelineError, PlugInUnusable
from heygem_pipeline.messages.message import Message

PACKAGE = "heygem-pipeline"
NAME = re.compile(r"[a-z][a-z0-9_]*")
"""Names stand in versions and settings: without spaces, dashes and commas."""

Made = TypeVar("Made")
Factory = Callable[[Any], Made]


@dataclass(frozen=True)
class Registration:
    """One entry point, and the installed package that it belongs to."""

    package: str
    point: EntryPoint


class PlugIns(Mapping[str, Factory[Made]]):
    """Name -> what makes the engine or tracker of that name from the settings; raises PlugInUnusable where it cannot.

    Our own names stay ours: a package that registers one of them too is told of by ``problems``.
    """

    def __init__(self, kind: str, needed: Mapping[str, type | None]) -> None:
        """Look up a group of entry points when it is first needed.

        Args:
            kind: "engine", "tracker", or "voice" of speech engines.
            needed: attributes that what is made must have, and their types; None for a method.
        """
        self._kind, self._needed = kind, needed

    def __getitem__(self, name: str) -> Factory[Made]:
        if name not in self._registered:
            raise KeyError(name)
        return lambda settings: self._make(name, settings)

    def __iter__(self) -> Iterator[str]:
        return iter(self._registered)

    def __len__(self) -> int:
        return len(self._registered)

    def package_of(self, name: str) -> str:
        """The package that registers a name; several, where they contend for it."""
        return ", ".join(one.package for one in self._registered[name])

    def added(self) -> list[str]:
        """The names that other packages add."""
        return [name for name, found in self._registered.items() if found[0].package != PACKAGE]

    def problems(self) -> Iterator[Message]:
        """What is wrong with other packages' registrations, as far as it is known without importing them."""
        for name, found in self._registered.items():
            if found[0].package != PACKAGE:
                try:
                    self._only(name)
                except PlugInUnusable as error:
                    yield error.message
        for one in self._outvoted:
            yield Message("plug_in.name_is_ours", owner=self._owner(one.point.name), package=one.package)

    @cached_property
    def _found(self) -> list[Registration]:
        group = f"heygem_pipeline.{self._kind}s"
        others = [
            Registration(point.dist.name if point.dist else "?", point)
            for point in dict.fromkeys(entry_points(group=group))
        ]
        own = (
            [one for one in others if one.package == PACKAGE] if (points := _of_source_tree(group)) is None else points
        )
        if not own:
            raise PlugInUnusable("plug_in.installation_is_old")
        return own + sorted((one for one in others if one.package != PACKAGE), key=lambda one: one.package)

    @cached_property
    def _registered(self) -> dict[str, list[Registration]]:
        found: dict[str, list[Registration]] = defaultdict(list)
        for one in self._found:
            if one not in self._outvoted:
                found[one.point.name].append(one)
        return dict(found)

    @cached_property
    def _outvoted(self) -> list[Registration]:
        ours = {one.point.name for one in self._found if one.package == PACKAGE}
        return [one for one in self._found if one.package != PACKAGE and one.point.name in ours]

    def _owner(self, name: str) -> Message:
        match self._kind:
            case "engine":
                return Message("owner.engine", name=name)
            case "tracker":
                return Message("owner.tracker", name=name)
        return Message("owner.speech_engine", name=name)

    def _only(self, name: str) -> Registration:
        found = self._registered[name]
        if len(found) > 1:
            raise PlugInUnusable("plug_in.twice", owner=self._owner(name), packages=self.package_of(name))
        if not NAME.fullmatch(name):
            raise PlugInUnusable("plug_in.name", owner=self._owner(name), package=found[0].package)
        return found[0]

    def _make(self, name: str, settings: object) -> Made:
        one = self._only(name)
        try:
            factory = one.point.load()
            if not callable(factory):
                raise self._wrong(one, Message("plug_in.not_callable", target=one.point.value))
            made: Any = factory(settings)
            self._check(one, made)
        except PipelineError:
            raise
        # A package that ends the process when it is imported ends no clip of others.
        except (Exception, SystemExit) as error:
            if one.package == PACKAGE:
                raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise PlugInUnusable(
                "plug_in.cannot_be_loaded", owner=self._owner(name), package=one.package, reason=reason
            ) from error
        return made

    def _check(self, one: Registration, made: Any) -> None:  # noqa: ANN401 - whatever a package returns
        for attribute, kind in self._needed.items():
            value = getattr(made, attribute, None)
            if not (callable(value) if kind is None else isinstance(value, kind)):
                raise self._wrong(one, Message("plug_in.lacks", attribute=attribute))
        if made.name != one.point.name:
            raise self._wrong(one, Message("plug_in.other_name", name=made.name))

    def _wrong(self, one: Registration, what: Message) -> PlugInUnusable:
        return PlugInUnusable("plug_in.wrong", owner=self._owner(one.point.name), package=one.package, what=what)


def _of_source_tree(group: str) -> list[Registration] | None:
    """Our own as the source tree's ``pyproject.toml`` lists them; None where the package lies in no source tree.

    What pip noted of an editable package when it was installed may be older than its code.
    """
    try:
        written = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        return None
    if written.get("name") != PACKAGE:
        return None
    points = written.get("entry-points", {}).get(group, {})
    return [Registration(PACKAGE, EntryPoint(name, value, group)) for name, value in points.items()]
