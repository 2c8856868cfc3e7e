"""The recipes that come with the pipeline: to be copied and given the paths of an installation."""

from pathlib import Path

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.lipsync.program.recipe import Recipe, read_recipe

FOLDER = Path(__file__).parent / "recipes"


def shipped_recipes() -> dict[str, Recipe]:
    """By name."""
    return {path.stem: read_recipe(path)[0] for path in sorted(FOLDER.glob("*.yaml"))}


def recipe_text(name: str) -> str:
    """The YAML of one. Raises UnknownChoice."""
    path = FOLDER / f"{name}.yaml"
    known = {one.stem: one for one in FOLDER.glob("*.yaml")}
    if name not in known:
        raise UnknownChoice("recipe.unknown", name=name, known=", ".join(sorted(known)))
    return path.read_text(encoding="utf-8")
