"""Which objects a cluster's bucket holds, each a row of its PostgreSQL: asked often, and without the bucket."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import sqlalchemy as db
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert

from heygem_pipeline.storage.postgres import transaction

# By bytes: a folder's rows, and those of its folders, follow one another in the index.
_Name = db.Text(collation="C")

TABLE = db.Table(
    "heygem_objects",
    db.MetaData(),
    db.Column("folder", _Name, primary_key=True),
    db.Column("name", _Name, primary_key=True),
    db.Column("size", db.BigInteger, nullable=False),
    db.Column("modified", db.BigInteger, nullable=False),
    db.Column("etag", db.Text, nullable=False),
)
_ROW = TABLE.c.folder, TABLE.c.name, TABLE.c.size, TABLE.c.modified, TABLE.c.etag


@dataclass(frozen=True)
class StoredObject:
    """One of them.

    Attributes:
        path: in the data folder.
        size: bytes.
        modified: nanoseconds, of the file that was published.
        etag: the bucket's name of its content.
    """

    path: PurePosixPath
    size: int
    modified: int
    etag: str


@dataclass(frozen=True)
class ObjectCatalogue:
    """The rows."""

    database: str = field(repr=False)

    def find(self, path: PurePosixPath) -> StoredObject | None:
        """The object of a path; None where there is none."""
        found = self._select(_is(path))
        return found[0] if found else None

    def of_folder(self, folder: PurePosixPath) -> list[StoredObject]:
        """Those in a folder, not in its folders."""
        return self._select(TABLE.c.folder == str(folder))

    def below(self, folder: PurePosixPath) -> list[StoredObject]:
        """Those in a folder and in all its folders, in order of path."""
        return self._select((TABLE.c.folder == str(folder)) | _inside(folder))

    def folders_below(self, folder: PurePosixPath) -> list[tuple[PurePosixPath, list[str], int]]:
        """Of each folder in it that holds objects: its path, their names, and a number that changes with any of them.

        Put together by the database: to make a hundred thousand objects of Python takes seconds.
        """
        return self._listings(_inside(folder))

    def folder(self, folder: PurePosixPath) -> tuple[list[str], int] | None:
        """The same of one folder; None where it holds no object."""
        found = self._listings(TABLE.c.folder == str(folder))
        return found[0][1:] if found else None

    def _listings(self, where: db.ColumnElement[bool]) -> list[tuple[PurePosixPath, list[str], int]]:
        names = db.func.array_agg(postgresql.aggregate_order_by(TABLE.c.name, TABLE.c.name))
        one = TABLE.c.name + "/" + TABLE.c.etag + "/" + db.cast(TABLE.c.modified, db.Text)
        every = db.func.string_agg(one, postgresql.aggregate_order_by(db.literal("/"), TABLE.c.name))
        mark = db.func.hashtextextended(every, 0)
        question = db.select(TABLE.c.folder, names, mark).where(where).group_by(TABLE.c.folder)
        with transaction(self.database, TABLE) as connection:
            return [
                (PurePosixPath(path), list(held), int(number)) for path, held, number in connection.execute(question)
            ]

    def missing(self, paths: Collection[PurePosixPath]) -> set[PurePosixPath]:
        """Those of the paths that no object has."""
        folders = {str(path.parent) for path in paths}
        found = self._select(TABLE.c.folder.in_(folders)) if folders else []
        return set(paths) - {one.path for one in found}

    def clear(self) -> None:
        """There are none."""
        with transaction(self.database, TABLE) as connection:
            connection.execute(TABLE.delete())

    def write(self, stored: StoredObject) -> None:
        """Note an object, or what took its place."""
        values = _values(stored)
        new = insert(TABLE).values(values)
        content = {name: new.excluded[name] for name in ("size", "modified", "etag")}
        with transaction(self.database, TABLE) as connection:
            connection.execute(new.on_conflict_do_update(index_elements=["folder", "name"], set_=content))

    @contextmanager
    def adding(self, path: PurePosixPath) -> Iterator[list[StoredObject]]:
        """Append in the block what is new at the path. Raises FileExistsError where somebody has it, or is first."""
        nothing = StoredObject(path, 0, 0, "")
        made: list[StoredObject] = []
        with transaction(self.database, TABLE) as connection:
            taken = connection.execute(insert(TABLE).values(_values(nothing)).on_conflict_do_nothing()).rowcount == 0
            if taken:
                raise FileExistsError(str(path))
            yield made
            connection.execute(TABLE.update().where(_is(path)).values(_values(made[0])))

    def remove(self, paths: Iterable[PurePosixPath]) -> None:
        """These are no longer there."""
        with transaction(self.database, TABLE) as connection:
            for path in paths:
                connection.execute(TABLE.delete().where(_is(path)))

    def _select(self, where: db.ColumnElement[bool]) -> list[StoredObject]:
        with transaction(self.database, TABLE) as connection:
            rows = connection.execute(db.select(*_ROW).where(where).order_by(TABLE.c.folder, TABLE.c.name)).all()
        return [StoredObject(PurePosixPath(folder, name), *content) for folder, name, *content in rows]


def _inside(folder: PurePosixPath) -> db.ColumnElement[bool]:
    if folder == PurePosixPath():
        return db.true()
    # "0" follows "/": so do all folders in it, and nothing else.
    return (TABLE.c.folder >= f"{folder}/") & (TABLE.c.folder < f"{folder}0")


def _is(path: PurePosixPath) -> db.ColumnElement[bool]:
    return (TABLE.c.folder == str(path.parent)) & (TABLE.c.name == path.name)


def _values(stored: StoredObject) -> dict[str, object]:
    values: dict[str, object] = {"folder": str(stored.path.parent), "name": stored.path.name}
    values.update(size=stored.size, modified=stored.modified, etag=stored.etag)
    return values
