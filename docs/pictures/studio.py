"""Make ``studio.png`` from the Studio after the demo: ``python docs/pictures/studio.py http://127.0.0.1:7860/``."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1280, 800


def main() -> None:
    """Open the page in Debian's chromium, and keep what it shows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB", color_scheme="light")
        page.goto(sys.argv[1])
        page.locator(".cell[data-kind=done] img").first.wait_for()
        page.locator(".looking").first.wait_for(state="detached")
        for box in page.locator(".cards input[type=checkbox]").all():
            box.check()
        page.mouse.move(WIDTH - 1, HEIGHT - 1)
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(__file__).with_suffix(".png"))
        browser.close()


if __name__ == "__main__":
    main()
