"""The two dimensions of the graph and their product."""

import dagster as dg

from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.uploads.registry import UploadKind

audio_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.AUDIO.value)
template_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.TEMPLATE.value)
clip_partitions = dg.MultiPartitionsDefinition(
    {UploadKind.AUDIO.value: audio_partitions, UploadKind.TEMPLATE.value: template_partitions}
)


def multi_partition_key(clip: ClipKey) -> dg.MultiPartitionKey:
    """The partition key of one clip, for what launches runs; as text it is ``clip.partition``."""
    return dg.MultiPartitionKey({UploadKind.AUDIO.value: clip.voice, UploadKind.TEMPLATE.value: clip.presenter})
