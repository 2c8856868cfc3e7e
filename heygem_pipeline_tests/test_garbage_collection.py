import gc
import subprocess
import sys

import pytest

from heygem_pipeline.garbage_collection import collected_afterwards


def test_garbage_is_looked_for_again_after_imports_also_where_they_fail() -> None:
    with pytest.raises(ImportError), collected_afterwards():
        assert not gc.isenabled()
        raise ImportError
    assert gc.isenabled()


def test_who_looks_for_none_goes_on_looking_for_none() -> None:
    gc.disable()
    try:
        with collected_afterwards():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_dagster_loads_is_not_searched() -> None:
    code = "import gc, heygem_pipeline.definitions; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == ["True", "True"]
