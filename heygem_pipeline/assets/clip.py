"""The two assets of one clip, always made together: the mouth patches and the finished clip."""

import dagster as dg

from heygem_pipeline.assets.encoded_video import CHECKS, REPORT, encoded_video
from heygem_pipeline.assets.generated_frames import generated_frames
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.runs.partitions import clip_partitions


@dg.graph_multi_asset(
    name="clip",
    partitions_def=clip_partitions,
    group_name="talking_heads",
    ins={"voice": dg.AssetIn("audio_features"), "presenter": dg.AssetIn("face_tracks")},
    outs={
        "generated_frames": dg.AssetOut(
            description="The mouth of every output frame, losslessly, and the presenter's frame it lies on.",
            kinds={"parquet"},
        ),
        "encoded_video": dg.AssetOut(
            description="The clip in ``outputs/<audio>/<template>.mp4``, streamable, with the upload's own sound.",
            kinds={"mp4"},
        ),
    },
    check_specs=[
        dg.AssetCheckSpec(name, asset="encoded_video", partitions_def=clip_partitions, description=description)
        for name, description in CHECKS.items()
    ],
)
def clip(voice: Voice, presenter: Presenter) -> dict[str, object]:
    """Draw, then encode, in one run.

    Two assets of their own would be two runs a clip in a backfill whose presenters are tracked one after another.
    No dependency of one on the other is declared: with one, Dagster begins no clip before all presenters are tracked,
    and none at all where one of them fails.
    """
    patches = generated_frames(voice, presenter)
    encoded = encoded_video(voice, presenter, patches)
    checks = {f"encoded_video_{name}": getattr(encoded, name) for name in CHECKS}
    return {"generated_frames": patches, "encoded_video": getattr(encoded, REPORT)} | checks
