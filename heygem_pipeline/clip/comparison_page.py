"""A page that shows compared clips side by side; it needs nothing but the clips beside it."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from heygem_pipeline.clip.comparison import ComparedClip
from heygem_pipeline.quality.report import ClipReport

STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; margin: 2rem; color: #1c2126; background: #f5f6f7 }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1.5rem }
article { background: #fff; border: 1px solid #d8dde1; border-radius: .5rem; padding: 1rem; overflow-wrap: anywhere }
video { width: 100%; background: #000; border-radius: .25rem }
h1, h2 { font-weight: 600; margin: 0 0 .5rem }
dl { display: grid; grid-template-columns: auto 1fr; gap: .2rem .8rem; margin: .8rem 0 0 }
dt { color: #5b6670 } dd { margin: 0 }
.lack { color: #8a3b12 }
button { font: inherit; margin: .5rem 0 1.5rem; padding: .4rem 1rem }
"""

SCRIPT = """
const videos = [...document.querySelectorAll("video")];
document.querySelector("button").addEventListener("click", () => {
  videos.forEach((video, place) => { video.currentTime = 0; video.muted = place > 0; video.play(); });
});
"""


def comparison_page(voice: str, presenter: str, clips: Sequence[ComparedClip]) -> str:
    """The page, HTML.

    Args:
        voice: its file's name.
        presenter: likewise.
    """
    articles = "\n".join(map(_article, clips))
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Engines compared</title><style>{STYLE}</style>
<h1>{escape(voice)} with {escape(presenter)}</h1>
<p>The same seconds with each engine. All clips are synthetic.</p>
<button type="button">Play all together</button>
<main>
{articles}
</main>
<script>{SCRIPT}</script>
</html>
"""


def facts_of(clip: ComparedClip) -> dict[str, str]:
    """What is said of a clip, by its heading."""
    facts = _measured(clip.report) if clip.report is not None else {}
    return facts | {"Licence": str(clip.terms)}


def _measured(report: ClipReport) -> dict[str, str]:
    offset = report.sync_offset_frames
    late = "-" if offset is None else f"sound {offset:+z.1f} frames"
    return {
        "Time": f"{report.own_seconds:.1f} s for {report.duration:.1f} s ({report.speed:.2f} x), on {report.device}",
        "Sync": f"{late}, confidence {report.sync_confidence:.1f}",
        "Checks": report.verdict.value,
        "Version": f"{report.engine} {report.engine_version}",
    }


def _article(clip: ComparedClip) -> str:
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts_of(clip).items())
    if clip.report is None:
        shown = f'<p class="lack">No clip: {escape(str(clip.lack))}</p>'
    else:
        shown = f'<video controls loop playsinline preload="auto" src="{quote(clip.engine.file)}"></video>'
    return f"<article><h2>{escape(clip.engine.label)}</h2>{shown}<dl>{facts}</dl></article>"
