"""The pages of settings say what the code says."""

import pytest

from docs.settings import FOLDER, PAGES, chinese_page
from heygem_pipeline.settings import Settings


@pytest.mark.parametrize("file", PAGES)
def test_the_page_is_what_the_settings_make_of_it(file: str) -> None:
    written = (FOLDER / file).read_text(encoding="utf-8")
    assert written == PAGES[file](), "run: .venv/bin/python docs/settings.py --write"


@pytest.mark.parametrize("file", PAGES)
def test_every_setting_stands_there_once(file: str) -> None:
    page = PAGES[file]()
    for name in Settings.model_fields:
        assert page.count(f"\n| `HEYGEM_{name.upper()}` |") == 1, name


def test_a_setting_without_a_chinese_meaning_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class More(Settings):
        teleprompter: bool = True

    monkeypatch.setattr("docs.settings.Settings", More)
    with pytest.raises(ValueError, match="teleprompter"):
        chinese_page()
