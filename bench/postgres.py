"""The benchmark's side of PostgreSQL: a database of its own on the server that libpq's variables name."""
import os
import re
import time

import psycopg

DATABASE = "decant_bench"
# Qualified: the embedded server's user is called decant, and so is the schema of decant's own records.
TABLE = "public.products"       # what decant copies into
REFERENCE = "public.reference"  # the same table filled by psql
SHAPE = "public.shape"


def recreate_database():
    """An empty database with the extension; made anew for each measurement, so that nothing is left of the last."""
    with psycopg.connect(dbname=os.environ.get("PGDATABASE", "postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")
        connection.execute(f"create database {DATABASE}")
    with connect() as connection:
        connection.execute("create extension vector schema public")


def drop_database():
    with psycopg.connect(dbname=os.environ.get("PGDATABASE", "postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {DATABASE} with (force)")


def connect():
    return psycopg.connect(dbname=DATABASE, autocommit=True)


def environment():
    """For programs that are to work in the benchmark's database."""
    return {**os.environ, "PGDATABASE": DATABASE}


def settle():
    """Writes out what earlier work left dirty, so that the next measurement does not pay for it."""
    with connect() as connection:
        connection.execute("checkpoint")


def drop_decant_state():
    """The copied table and decant's own records of runs: the next copy starts from nothing."""
    with connect() as connection:
        connection.execute(f"drop table if exists {TABLE} cascade")
        schemas = connection.execute("select nspname from pg_namespace where nspname like 'decant%'").fetchall()
        for (schema,) in schemas:
            connection.execute(f'drop schema "{schema}" cascade')


def remember_shape():
    """Keeps an empty table of the same columns and storage as decant's, for create_reference()."""
    with connect() as connection:
        connection.execute(f"create table {SHAPE} (like {TABLE} including all excluding indexes)")
        options = connection.execute("select reloptions from pg_class where oid = %s::regclass", (TABLE,)).fetchone()[0]
        if options:
            connection.execute(f"alter table {SHAPE} set ({', '.join(options)})")


def create_reference():
    """An empty logged table with decant's columns and primary key."""
    with connect() as connection:
        connection.execute(f"drop table if exists {REFERENCE}")
        connection.execute(f"create table {REFERENCE} (like {SHAPE} including all)")
        connection.execute(f"alter table {REFERENCE} add primary key (id)")


def index_statements():
    """The CREATE INDEX statements of decant's table but for its primary key, on the reference table."""
    with connect() as connection:
        rows = connection.execute("select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index"
                                  " where indrelid = %s::regclass and not indisprimary order by indexrelid", (TABLE,))
        return [re.sub(r"^(CREATE (?:UNIQUE )?INDEX) .*? ON \S+ ", rf"\1 ON {REFERENCE} ", definition)
                for _, definition in rows]


def drop_reference():
    with connect() as connection:
        connection.execute(f"drop table if exists {REFERENCE}")


def table_bytes():
    """Of decant's table and what is stored apart, without indexes."""
    with connect() as connection:
        return connection.execute("select pg_table_size(%s::regclass)", (TABLE,)).fetchone()[0]


def index_bytes(method):
    with connect() as connection:
        return connection.execute("select sum(pg_relation_size(indexrelid)) from pg_index join pg_class on oid = indexrelid"
                                  " join pg_am on pg_am.oid = relam where indrelid = %s::regclass and amname = %s",
                                  (TABLE, method)).fetchone()[0]


def evenly_taken_vectors(connection, count):
    rows = connection.execute(f"select embedding::text from {TABLE} where id in (select id from (select id, row_number()"
                              f" over (order by id) as place, count(*) over () as rows from {TABLE}) as placed"
                              " where place %% (rows / %s) = 0) limit %s", (count, count))
    return [text for (text,) in rows]


def nearest(connection, questions):
    """Of each question the seconds that its ten nearest took, and their ids."""
    answers = []
    for question in questions:
        start = time.perf_counter()
        rows = connection.execute(f"select id from {TABLE} order by embedding <=> %s::vector limit 10", (question,),
                                  prepare=True).fetchall()
        answers.append((time.perf_counter() - start, {row[0] for row in rows}))
        if len(rows) != 10:
            raise RuntimeError(f"a search found {len(rows)} rows of 10")
    return answers


def table_digest(table):
    """Equal for tables with the same rows."""
    with connect() as connection:
        return connection.execute(f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from {table} t").fetchone()


def server_settings():
    names = ["server_version", "shared_buffers", "maintenance_work_mem", "max_wal_size", "checkpoint_timeout", "fsync",
             "synchronous_commit", "full_page_writes", "wal_level", "max_parallel_maintenance_workers"]
    with connect() as connection:
        return {name: connection.execute(f"show {name}").fetchone()[0] for name in names}
