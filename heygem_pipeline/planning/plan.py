"""What the planner found: where everything stands, and what it would be made of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.planning.run_inputs import RunInputs
from heygem_pipeline.planning.status import State, Status
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.storage.clip_table import ClipTable


@dataclass(frozen=True)
class Plan:
    """Where everything stands.

    Attributes:
        voices: every one that was taken in.
        presenters: likewise.
        clips: the wanted ones.
        deliveries: of the voices they speak with.
        wanting: the campaigns that want each clip.
        languages: of voices whose clips are named by it.
        delivery_versions: what the ZIPs of voices would be made of, where all their clips are settled.
    """

    voices: Mapping[str, Status]
    presenters: Mapping[str, Status]
    clips: ClipTable[Status]
    deliveries: Mapping[str, Status]
    wanting: ClipTable[tuple[Campaign, ...]]
    languages: Mapping[str, str]
    inputs: RunInputs
    delivery_versions: Mapping[str, str]

    @cached_property
    def counts(self) -> Counter[State]:
        """How many clips stand where."""
        return Counter(status.state for status in self.clips.values())

    def of_stage(self, stage: Stage) -> Mapping[str, Status]:
        """The uploads or deliveries, by key; clips are in ``clips``."""
        return {Stage.VOICE: self.voices, Stage.PRESENTER: self.presenters, Stage.DELIVERY: self.deliveries}[stage]

    def status(self, subject: Subject) -> Status | None:
        """Where this stands; None where it is not there, or not wanted."""
        if subject.stage is not Stage.CLIP:
            return self.of_stage(subject.stage).get(subject.key)
        return self.clips.get(subject.clip)

    def inputs_digest(self, subject: Subject) -> str:
        """All that a run would be made of now; while it is the same, what failed would fail again."""
        match subject.stage:
            case Stage.VOICE:
                return self.inputs.of_voice(subject.key)
            case Stage.PRESENTER:
                return self.inputs.of_presenter(subject.key)
            case Stage.CLIP:
                return self.inputs.of_clip(subject.clip, self.wanting[subject.clip])
            case Stage.DELIVERY:
                return self.delivery_versions[subject.key]
