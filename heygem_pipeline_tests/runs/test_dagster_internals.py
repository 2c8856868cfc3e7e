from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from operator import attrgetter
from threading import Barrier, BrokenBarrierError
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage.sql import get_alembic_config
from sqlalchemy import event

from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.storage.paths import DataFolders


def test_whoever_opens_a_database_again_shares_its_engine_but_no_connection(data: DataFolders) -> None:
    with open_instance(data) as first, open_instance(data) as second:
        for connect in ("run_storage.connect", "schedule_storage.connect", "event_log_storage.index_connection"):
            with attrgetter(connect)(first)() as one, attrgetter(connect)(second)() as other:
                assert one.engine is other.engine and one.connection is not other.connection


def test_of_two_that_ask_at_one_moment_one_is_given_the_only_slot(data: DataFolders) -> None:
    with open_instance(data) as first, open_instance(data) as second, ThreadPoolExecutor(2) as threads:
        first.event_log_storage.set_concurrency_slots("gpu", 1)
        with attrgetter("event_log_storage.index_connection")(first)() as connection:
            engine = connection.engine
        both_have_looked = Barrier(2)

        def wait_before_taking(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith(("INSERT INTO pending_steps", "UPDATE concurrency_slots")):
                with suppress(BrokenBarrierError):
                    both_have_looked.wait(1)

        event.listen(engine, "before_cursor_execute", wait_before_taking)
        try:
            asked = [
                threads.submit(instance.event_log_storage.claim_concurrency_slot, "gpu", run, "step")
                for run, instance in (("one", first), ("other", second))
            ]
            assert sum(answer.result().is_claimed for answer in asked) == 1
        finally:
            event.remove(engine, "before_cursor_execute", wait_before_taking)


def test_many_threads_ask_at_once(data: DataFolders) -> None:
    with open_instance(data) as first, open_instance(data) as second, ThreadPoolExecutor(8) as threads:
        asked = [
            threads.submit(instance.get_dynamic_partitions, "audio") for instance in (first, second) for _ in range(40)
        ]
        first.add_dynamic_partitions("audio", ["talk"])
        assert all(answer.result() in ([], ["talk"]) for answer in asked)
        assert second.get_dynamic_partitions("audio") == ["talk"]


def test_migrations_of_a_place_are_read_once() -> None:
    first, second = (ScriptDirectory.from_config(get_alembic_config(__file__)) for _ in range(2))
    assert first is second
    elsewhere = Config()
    elsewhere.set_main_option("script_location", "alembic:templates")
    assert ScriptDirectory.from_config(elsewhere) is not first
