"""What the Studio costs with 500 finished clips: ``python -m benchmarks.studio``.

The clips and Dagster's records of them are made up, the page, its process and the browser (Debian's chromium) are real.
First paint and all cells: from asking for the page. Idle: what the page's process takes of a core while nothing is
made, watched by one browser and by nobody. Timings depend on what else the machine does: the load is printed first.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter, sleep

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.synthetic_uploads import make_up
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.listening import answers, free_port

VOICES, PRESENTERS = 25, 20
LOOKS = 5
SECONDS = 60.0
"""For which idling is watched."""


def main() -> None:
    """Make the clips up, open the page, and print the figures."""
    folder = Path(mkdtemp(prefix="studio-"))
    os.environ |= {"HEYGEM_DATA": str(folder), "HEYGEM_AUTOMATIC": "off", "HEYGEM_KEEP_FREE_GB": "0"}
    settings.cache_clear()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    finish_clips()
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "heygem_pipeline", "studio", "--port", str(port)])
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            measure(browser, f"http://127.0.0.1:{port}/", psutil.Process(server.pid))
            browser.close()
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def finish_clips() -> None:
    """A finished clip with a filmstrip for every voice and presenter."""
    import cv2
    from matplotlib import cbook

    folders = data_folders()
    folders.make()
    face = cv2.imread(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    assert face is not None
    strip = cv2.imencode(".jpg", np.concatenate([cv2.resize(face, (160, 160))] * 8, axis=1))[1].tobytes()
    with open_instance(folders) as instance:
        # It brings two of each along.
        house = House(folders, instance)
        make_up(folders, VOICES - 2, PRESENTERS - 2)
        house.take_in()
        house.make_inputs()
        for clip in house.plan().clips:
            house.make_clip(clip.voice, clip.presenter)
            filmstrip = folders.filmstrip(clip)
            filmstrip.parent.mkdir(parents=True, exist_ok=True)
            filmstrip.write_bytes(strip)


def measure(browser: Browser, address: str, server: psutil.Process) -> None:
    """Print how soon the page is there, and what it costs to leave it open."""
    while not answers(address):
        sleep(0.1)
    for number in range(LOOKS):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        paint, cells = look(page, address)
        print(
            f"look {number + 1}: first paint {paint:.2f} s, all {VOICES * PRESENTERS} cells {cells:.2f} s", flush=True
        )
        if number + 1 < LOOKS:
            context.close()
    # What looked at the uploads ends a minute after the last one; multiprocessing's own helper stays.
    while any("spawn_main" in " ".join(child.cmdline()) for child in server.children()):
        sleep(1)
    print(f"idle, one browser watching: {idle(server):.2%} of a core")
    for context in browser.contexts:
        context.close()
    print(f"idle, nobody watching: {idle(server):.2%} of a core")


def look(page: Page, address: str) -> tuple[float, float]:
    """Seconds until something is seen, and until every clip has its place."""
    started = perf_counter()
    page.goto(address)
    page.locator(".cell").nth(VOICES * PRESENTERS - 1).wait_for(state="attached")
    cells = perf_counter() - started
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return paint / 1000, cells


def idle(server: psutil.Process) -> float:
    """The share of a core that the page's process takes."""
    before = sum(server.cpu_times()[:2])
    sleep(SECONDS)
    return (sum(server.cpu_times()[:2]) - before) / SECONDS


if __name__ == "__main__":
    main()
