"""The two dimensions of the graph and their product."""

import dagster as dg

from heygem_pipeline.uploads.registry import UploadKind

audio_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.AUDIO.value)
template_partitions = dg.DynamicPartitionsDefinition(name=UploadKind.TEMPLATE.value)
clip_partitions = dg.MultiPartitionsDefinition(
    {UploadKind.AUDIO.value: audio_partitions, UploadKind.TEMPLATE.value: template_partitions}
)


def clip_key(audio: str, template: str) -> dg.MultiPartitionKey:
    """The partition key of one clip."""
    return dg.MultiPartitionKey({UploadKind.AUDIO.value: audio, UploadKind.TEMPLATE.value: template})


def keys_of_clip(key: str) -> tuple[str, str]:
    """The audio and the template key of a clip's partition key."""
    by_dimension = clip_partitions.get_partition_key_from_str(key).keys_by_dimension
    return by_dimension[UploadKind.AUDIO.value], by_dimension[UploadKind.TEMPLATE.value]
