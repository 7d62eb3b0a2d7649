"""Where items are kept. All SQL of this resource is here; tests/memory.py is the twin that unit tests use."""

from typing import Protocol

from opentelemetry import trace
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from ..database import Pool
from .model import DuplicateNameError, Item, NewItem

tracer = trace.get_tracer(__name__)

COLUMNS = "id, name, description, created_at"


class ItemRepository(Protocol):
    async def add(self, new: NewItem) -> Item:
        """Raises DuplicateNameError."""
        ...

    async def get(self, item_id: int) -> Item | None: ...

    async def list(self, after: int, limit: int) -> list[Item]:
        """At most `limit` items with an id above `after`, in the order of their ids."""
        ...

    async def delete(self, item_id: int) -> bool:
        """False when there was none."""
        ...


class PostgresItems:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, new: NewItem) -> Item:
        with tracer.start_as_current_span("items.add"):
            async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Item)) as cursor:
                try:
                    await cursor.execute(
                        f"insert into item (name, description) values (%s, %s) returning {COLUMNS}",
                        (new.name, new.description),
                    )
                except UniqueViolation as error:
                    raise DuplicateNameError(new.name) from error
                return (await cursor.fetchall())[0]

    async def get(self, item_id: int) -> Item | None:
        with tracer.start_as_current_span("items.get"):
            async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Item)) as cursor:
                await cursor.execute(f"select {COLUMNS} from item where id = %s", (item_id,))
                return await cursor.fetchone()

    async def list(self, after: int, limit: int) -> list[Item]:
        with tracer.start_as_current_span("items.list"):
            async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(Item)) as cursor:
                await cursor.execute(f"select {COLUMNS} from item where id > %s order by id limit %s", (after, limit))
                return await cursor.fetchall()

    async def delete(self, item_id: int) -> bool:
        with tracer.start_as_current_span("items.delete"):
            async with self._pool.connection() as connection:
                return (await connection.execute("delete from item where id = %s", (item_id,))).rowcount == 1
