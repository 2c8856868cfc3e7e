"""The tensors of a TorchScript archive, read as data: the program inside is neither loaded nor run."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

LARGEST_PICKLE = 2**24
"""Bytes; that of a network of this kind has some 100 kB."""

DEEPEST = 50

STORAGES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class Module:
    """Stands for every class of the archive: holds what it held, and does nothing."""

    def __setstate__(self, state: object) -> None:
        self.held = state if isinstance(state, Mapping) else {}


def tensors_of(path: Path) -> dict[str, Tensor]:
    """The state dict of the module in the archive. Raises pickle.UnpicklingError for what is no plain data.

    Raises what zipfile, pickle and torch raise for damaged files.
    """
    with zipfile.ZipFile(path) as archive:
        records = {name.partition("/")[2]: name for name in archive.namelist()}
        reader = _Reader(io.BytesIO(_record(archive, records["data.pkl"], LARGEST_PICKLE)), archive, records)
        return dict(_named(reader.load(), "", DEEPEST))


def _record(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    found = archive.getinfo(name)
    if found.compress_type != zipfile.ZIP_STORED or found.file_size > most:
        raise pickle.UnpicklingError(f"{name}: compressed or too large")
    return archive.read(found)


def _named(module: object, prefix: str, depth: int) -> Iterator[tuple[str, Tensor]]:
    if depth == 0:
        raise pickle.UnpicklingError("modules within modules without end")
    for name, value in getattr(module, "held", {}).items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, Module):
            yield from _named(value, f"{prefix}{name}.", depth - 1)


class _Reader(pickle.Unpickler):
    """Knows tensors, ordered dicts and lists of numbers; nothing else of what a pickle may name is looked up."""

    def __init__(self, file: io.BytesIO, archive: zipfile.ZipFile, records: Mapping[str, str]) -> None:
        super().__init__(file)
        self._archive = archive
        self._records = records
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module_name: str, global_name: str) -> object:
        if module_name.startswith("__torch__"):
            return Module
        if module_name == "torch" and global_name in STORAGES:
            return STORAGES[global_name]
        known = KNOWN.get((module_name, global_name))
        if known is None:
            raise pickle.UnpicklingError(f"{module_name}.{global_name}")
        return known

    def persistent_load(self, pid: tuple[str, torch.dtype, str, str, int]) -> Tensor:
        _, kind, key, _, _ = pid
        if key not in self._storages:
            name = self._records[f"data/{key}"]
            content = bytearray(_record(self._archive, name, self._archive.getinfo(name).file_size))
            self._storages[key] = torch.frombuffer(content, dtype=kind) if content else torch.empty(0, dtype=kind)
        return self._storages[key]


def _tensor(storage: Tensor, offset: int, size: Sequence[int], stride: Sequence[int], *_: object) -> Tensor:
    return torch.as_strided(storage, size, stride, offset).contiguous()


def _parameter(tensor: Tensor, *_: object) -> Tensor:
    return tensor


def _same(value: object) -> object:
    return value


KNOWN: dict[tuple[str, str], Callable[..., object]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.jit._pickle", "build_intlist"): _same,
    ("torch.jit._pickle", "build_doublelist"): _same,
    ("torch.jit._pickle", "build_boollist"): _same,
    ("torch.jit._pickle", "build_tensorlist"): _same,
}
