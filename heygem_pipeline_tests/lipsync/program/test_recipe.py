"""What a recipe's file may say, and what is said of a wrong one."""

from fractions import Fraction
from pathlib import Path

import pytest

from heygem_pipeline.errors import RecipeWrong
from heygem_pipeline.lipsync.program.recipe import filled, filled_in, read_recipe

GOOD = "name: A\nlicence: any\ncommand: {program: sh}\n"


def refusal(tmp_path: Path, text: str) -> str:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(RecipeWrong) as told:
        read_recipe(tmp_path / "own.yaml")
    return str(told.value)


def test_a_short_recipe_is_enough(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(GOOD + "rate: 30000/1001\n")
    recipe, text = read_recipe(tmp_path / "own.yaml")
    assert recipe.rate == Fraction(30000, 1001) and text.startswith("name: A")
    assert recipe.exclusive and recipe.licence_name == "a"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "should hold keys"),
        ("- a", "should hold keys"),
        ("name: [", "cannot be read as YAML"),
        ("!!python/object/apply:os.system [ls]", "cannot be read as YAML"),
        ("name: A\ncommand: {program: sh}\n", "licence: Field required"),
        ("name: A\nlicence: any\n", "either command or service"),
        (GOOD + "colour: red\n", "colour: Extra inputs"),
        (GOOD + "rate: fast\n", "rate: "),
        (GOOD + "rate: 0\n", "rate: "),
        (GOOD + "rate: 1/0\n", "own.yaml"),
        (GOOD + "time_limit_seconds: -1\n", "time_limit_seconds: "),
        (GOOD.replace("sh}", "sh, arguments: ['{vidoe}']}"), "{vidoe} is none of {video}"),
        (GOOD.replace("sh}", "sh, arguments: a b}"), "command.arguments: "),
        ("a: " + "x" * 70_000, "too large"),
    ],
)
def test_a_wrong_one_is_told_with_its_key(tmp_path: Path, text: str, told: str) -> None:
    said = refusal(tmp_path, text)
    assert told in said and "own.yaml" in said


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeWrong, match=r"none.yaml.*No such file"):
        read_recipe(tmp_path / "none.yaml")


def test_braces_are_filled_once_and_only_where_they_name_a_place() -> None:
    assert filled("{a} {b", {"a": "{b}"}) == "{b} {b"
    assert filled_in({"x": ["{a}", 1], "y": None}, {"a": "b"}) == {"x": ["b", 1], "y": None}
