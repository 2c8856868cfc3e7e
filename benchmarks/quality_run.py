"""What one run of the benchmark measures, where its clips lie, and the tables it prints."""

from pathlib import Path

from benchmarks.quality_footage import Footage, MadeClip, Speaker, cut_voice, make_clip
from heygem_pipeline.clip.presenter import Presenter

SECONDS, QUICK_SECONDS = 10.0, 6.0
"""How much of each voice is used."""

PRESENTERS_EACH = 2
QUICK_PAIRS = 8
QUICK_PRESENTERS = 3


class Run:
    """Footage in, clips in ``work``, pictures in ``sheets``. quick: fewer and shorter clips."""

    def __init__(self, footage: Footage, work: Path, sheets: Path, quick: bool) -> None:
        self.footage, self.work, self.sheets, self.quick = footage, work, sheets, quick
        self.seconds = QUICK_SECONDS if quick else SECONDS
        self._made: dict[Path, MadeClip] = {}
        work.mkdir(parents=True, exist_ok=True)

    def clip(self, speaker: Speaker, presenter: Presenter) -> MadeClip:
        """The clip in which a presenter says what a speaker says; made once a run."""
        path = self.work / f"{speaker.name}.{presenter.path.stem}.mp4"
        if path not in self._made:
            voice = cut_voice(speaker.presenter.path, self.seconds, self.work)
            self._made[path] = make_clip(voice, presenter, path)
        return self._made[path]

    def pairs(self) -> list[tuple[Speaker, Presenter]]:
        """Every speaker with several presenters, in turn, so that each presenter is met as often as the others."""
        speakers, presenters = self.footage.speakers(), self.footage.presenters()
        step = max(1, len(presenters) // PRESENTERS_EACH)
        pairs = [
            (speaker, presenters[(place + step * turn) % len(presenters)])
            for turn in range(PRESENTERS_EACH)
            for place, speaker in enumerate(speakers)
        ]
        return pairs[:QUICK_PAIRS] if self.quick else pairs

    def one_voice_each(self, shortest: float = 0.0) -> list[tuple[Speaker, Presenter]]:
        """Every presenter with one speaker who speaks for at least ``shortest`` seconds."""
        speakers = [speaker for speaker in self.footage.speakers() if speaker.seconds >= shortest]
        presenters = self.footage.presenters()[: QUICK_PRESENTERS if self.quick else None]
        return [(speakers[place % len(speakers)], presenter) for place, presenter in enumerate(presenters)]

    def speaking_presenters(self) -> list[tuple[Speaker, Presenter]]:
        """People who speak in their own clip, each made to say what another says: their own mouths can be shown."""
        speakers = self.footage.speakers()
        pairs = [(speakers[place - 1], speaker.presenter) for place, speaker in enumerate(speakers)]
        return pairs[:: len(pairs) // QUICK_PRESENTERS] if self.quick else pairs


def print_head(*cells: str) -> None:
    """The head of a Markdown table."""
    print_row(*cells)
    print("|" + "---|" * len(cells), flush=True)


def print_row(*cells: str) -> None:
    """A row of a Markdown table."""
    print("| " + " | ".join(cells) + " |", flush=True)
