"""Secrets in a database of their own, on a real PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from tests.authority import Authority
from tests.fakes.postgres_doors import curious_door, tls_door
from tests.postgres import PASSWORD, USER, PostgreSQL, running_postgres
from tests.secrets.shelf import at

from casemate.secret import Secret
from casemate.secrets import Backend, BackendFailed, Entry, InvalidOptions, opened

KEY = "a secret of thirty-two characters"
VALUE = "canary-of-a-value-52Lq"
WRONG = "canary-of-a-password-03"


@pytest.fixture
def server() -> PostgreSQL:
    return running_postgres()


@pytest.fixture
def schema() -> str:
    """A new one, as if the server had never been used."""
    return f"s_{uuid4().hex[:12]}"


@contextmanager
def store(server: PostgreSQL, schema: str, read_only: bool = False, **further: object):
    written = {
        "secret": KEY,
        "schema": schema,
        **server.options,
        **{name.replace("_", "-"): value for name, value in further.items()},
    }
    written = {name: value for name, value in written.items() if value is not None}
    backend = opened("jdbc", written, read_only=read_only, at="kestra.secret.jdbc")
    try:
        yield backend
    finally:
        backend.close()


def put(backend: Backend, value: str = VALUE, name: str = "K", **beside: object) -> None:
    backend.write(Entry(address=at("a.b", name), **beside), Secret(value))


def value(backend: Backend, name: str = "K") -> str | None:
    found = backend.read(at("a.b", name))
    return None if found is None else found.value.reveal()


def refusal(backend: Backend) -> BackendFailed:
    """Of a question; it tells nothing that is secret, and nothing that the server said."""
    with pytest.raises(BackendFailed) as failed:
        value(backend)
    told = "".join(traceback.format_exception(failed.value)) + repr(vars(failed.value))
    for word in (VALUE, PASSWORD, WRONG, KEY, "FATAL", "ERROR:", USER + '"'):
        assert word not in told
    return failed.value


def at_once(*works) -> list[BaseException]:
    """What went wrong when all were done at the same time."""
    failures: list[BaseException] = []
    ready = threading.Barrier(len(works))

    def run(work) -> None:
        ready.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_a_server_that_was_killed_is_used_again_when_it_is_back(server, schema):
    with store(server, schema) as backend:
        put(backend)
        assert value(backend) == VALUE
        server.kill()
        assert refusal(backend).passing
        server.start()
        assert value(backend) == VALUE
        server.kill()
        server.start()
        put(backend, "after a restart that nobody saw")
        assert value(backend) == "after a restart that nobody saw"


def test_a_server_that_does_not_answer_any_more_is_not_waited_for(server, schema):
    with store(server, schema, read_timeout="500ms") as backend:
        put(backend)
        server.freeze(frozen=True)
        try:
            begun = time.monotonic()
            failed = refusal(backend)
            assert time.monotonic() - begun < 5
        finally:
            server.freeze(frozen=False)
        assert failed.passing
        assert "did not answer in time" in str(failed)
        assert value(backend) == VALUE


def test_who_waits_for_a_lock_gives_up_and_holds_none(server, schema):
    with store(server, schema, read_timeout="500ms") as backend:
        put(backend)
        locked, done = threading.Event(), threading.Event()

        def hold() -> None:
            where = f"host={server.folder} port={server.port} user=postgres dbname={USER}"
            with psycopg.connect(where) as connection:
                connection.execute(f"SELECT 1 FROM {schema}.secrets FOR UPDATE")
                locked.set()
                done.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        locked.wait()
        try:
            with pytest.raises(BackendFailed) as failed:
                put(backend, "another value")
            assert failed.value.passing
            waiting = server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            assert waiting == [(0,)]
        finally:
            done.set()
            holder.join()
        assert value(backend) == VALUE


def test_many_may_be_the_first_at_once(server, schema):
    def first(number: int) -> None:
        with store(server, schema) as backend:
            put(backend, name=f"K{number}")

    assert at_once(*(lambda number=number: first(number) for number in range(8))) == []
    with store(server, schema) as backend:
        assert len(backend.entries("main", None)) == 8
    assert server.sql(f"SELECT number FROM {schema}.version") == [(1,)]


def test_of_writers_of_one_secret_none_fails_and_one_is_last(server, schema):
    values = [f"value {number}" for number in range(8)]
    with store(server, schema) as one, store(server, schema) as other:
        assert at_once(*(lambda text=text: put((one, other)[len(text) % 2], text) for text in values)) == []
        assert value(one) in values
        assert value(one) == value(other)


def test_describing_a_secret_brings_no_older_value_back(server, schema):
    def write(backend: Backend) -> None:
        for number in range(100):
            put(backend, f"value {number}")
            assert value(backend) == f"value {number}"

    def describe(backend: Backend) -> None:
        for number in range(100):
            backend.write(Entry(address=at("a.b", "K"), description=f"words {number}"), None)

    with store(server, schema) as one, store(server, schema) as other:
        put(one)
        assert at_once(lambda: write(one), lambda: describe(other)) == []


def test_no_value_reaches_the_server(server, schema):
    server.sql("ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()")
    try:
        with store(server, schema) as backend:
            put(backend, description="words of a description")
            assert value(backend) == VALUE
    finally:
        server.sql("ALTER SYSTEM RESET log_statement", "SELECT pg_reload_conf()", "CHECKPOINT")
    files = [file.read_bytes() for file in server.folder.rglob("*") if file.is_file()]
    assert any(b"words of a description" in content for content in files)
    assert not any(word in content for content in files for word in (VALUE.encode(), VALUE.encode().hex().encode()))


@pytest.mark.parametrize("beside", [{"description": "a NUL: \0"}, {"description": "half a pair: \ud800"}])
def test_what_no_database_keeps_is_refused(server, schema, beside):
    with store(server, schema) as backend:
        with pytest.raises(BackendFailed, match="characters that databases do not keep"):
            put(backend, **beside)
        put(backend, tags={"NUL": "\0", "half": "\ud800"})
        (entry,) = backend.entries("main", None)
        assert entry.tags == {"NUL": "\0", "half": "\ud800"}


ELSEWHERE = {
    "PGHOST": "db.example",
    "PGHOSTADDR": "192.0.2.1",
    "PGPORT": "1",
    "PGDATABASE": "nothing",
    "PGUSER": "nobody",
    "PGPASSWORD": WRONG,
    "PGSERVICE": "nothing",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "/nowhere",
    "PGOPTIONS": "-c default_transaction_read_only=on",
    "PGREQUIREAUTH": "gss",
    "PGTARGETSESSIONATTRS": "standby",
}


def test_variables_do_not_say_where_the_server_is(server, schema, monkeypatch):
    for name, text in ELSEWHERE.items():
        monkeypatch.setenv(name, text)
    with store(server, schema) as backend:
        put(backend)
        assert value(backend) == VALUE


def test_no_password_is_taken_from_where_it_lies_around(server, schema, monkeypatch, tmp_path):
    line = f"*:*:*:*:{PASSWORD}\n"
    for name in (".pgpass", "passfile"):
        (tmp_path / name).write_text(line)
        (tmp_path / name).chmod(0o600)
    (tmp_path / ".pg_service.conf").write_text(f"[mine]\npassword={PASSWORD}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "passfile"))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / ".pg_service.conf"))
    monkeypatch.setenv("PGSERVICE", "mine")
    socket = f"postgresql://:{server.port}/{USER}?host={server.folder}"
    with store(server, schema, url=socket, password=None) as backend:
        failed = refusal(backend)
    assert "wants another way to log in" in str(failed)
    assert not failed.passing


def test_a_socket_of_this_machine_needs_no_password(server, schema):
    socket = f"postgresql://:{server.port}/{USER}?host={server.folder}"
    with store(server, schema, url=socket, username="postgres", password=None) as backend:
        put(backend)
        assert value(backend) == VALUE
    with store(server, f"{schema}_2", url=socket) as backend:
        put(backend)
        assert value(backend) == VALUE


def test_a_server_that_asks_for_the_password_in_plain_text_is_not_told(server, schema):
    with (
        curious_door() as (port, heard),
        store(server, schema, url=f"postgresql://127.0.0.1:{port}/{USER}") as backend,
    ):
        failed = refusal(backend)
    assert "wants another way to log in" in str(failed)
    assert not failed.passing
    assert USER.encode() in heard
    assert PASSWORD.encode() not in heard


def test_tls_is_spoken_with_the_server_that_its_authority_signed(server, schema, tmp_path):
    authority = Authority.made(tmp_path)
    with tls_door(server.port, authority.issued("server", "127.0.0.1")) as port:
        url, file = f"jdbc:postgresql://127.0.0.1:{port}/{USER}", str(authority.certificate)
        for said in ({"sslrootcert": file}, {"url": f"{url}?sslmode=verify-ca&sslrootcert={file}"}):
            with store(server, schema, **{"url": url, **said}) as backend:
                put(backend)
                assert value(backend) == VALUE


def test_a_server_that_another_authority_signed_or_for_another_name_is_not_spoken_to(server, schema, tmp_path):
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    ours, theirs = Authority.made(tmp_path / "ours"), Authority.made(tmp_path / "theirs")
    for certificate in (theirs.issued("server", "127.0.0.1"), ours.issued("server", "db.example")):
        with tls_door(server.port, certificate) as port:
            url = f"jdbc:postgresql://127.0.0.1:{port}/{USER}"
            with store(server, schema, url=url, sslrootcert=str(ours.certificate)) as backend:
                failed = refusal(backend)
        assert "certificate is not accepted" in str(failed)
        assert not failed.passing


def test_a_server_without_tls_is_not_spoken_to_where_it_is_wanted(server, schema, tmp_path):
    with store(server, schema, sslrootcert=str(Authority.made(tmp_path).certificate)) as backend:
        failed = refusal(backend)
    assert "does not speak TLS" in str(failed)
    assert not failed.passing


def test_what_a_role_may_not_do_is_told_without_the_words_of_the_server(server, schema):
    role = f"r_{schema}"
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    with store(server, schema, username=role) as backend:
        failed = refusal(backend)
    assert "the role may not do it" in str(failed)
    assert not failed.passing


def test_a_role_that_may_only_read_reads(server, schema):
    role = f"r_{schema}"
    with store(server, schema) as backend:
        put(backend)
    server.sql(
        f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'",
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
    )
    with store(server, schema, username=role, read_only=True) as backend:
        assert value(backend) == VALUE
    with store(server, schema, username=role) as backend:
        assert value(backend) == VALUE
        with pytest.raises(BackendFailed, match="may not do it") as failed:
            put(backend)
        assert not failed.value.passing


def test_a_schema_that_somebody_made_before_is_used(server, schema):
    role = f"r_{schema}"
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'", f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
    with store(server, schema, username=role) as backend:
        put(backend)
        assert value(backend) == VALUE


def test_a_read_only_store_makes_no_tables(server, schema):
    with store(server, schema, read_only=True) as backend:
        assert "a read-only store makes none" in str(refusal(backend))
    assert server.sql(f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'") == []


def test_tables_of_a_newer_version_are_left_alone(server, schema):
    with store(server, schema) as backend:
        put(backend)
    server.sql(f"UPDATE {schema}.version SET number = 99")
    with store(server, schema) as backend:
        failed = refusal(backend)
    assert "newer version" in str(failed)
    assert not failed.passing


def test_tables_of_somebody_else_are_left_alone(server, schema):
    server.sql(
        f"CREATE SCHEMA {schema} AUTHORIZATION {USER}",
        f"CREATE TABLE {schema}.secrets (mine text)",
    )
    with store(server, schema) as backend:
        assert not refusal(backend).passing
    assert server.sql(f"SELECT * FROM {schema}.secrets") == []


@pytest.mark.parametrize("database", ["nothing", "nothing%20here"])
def test_a_database_that_is_not_there_is_told(server, schema, database):
    with store(server, schema, url=f"jdbc:postgresql://127.0.0.1:{server.port}/{database}") as backend:
        failed = refusal(backend)
    assert "there is no such database" in str(failed)
    assert not failed.passing


def test_a_server_with_no_place_left_may_have_one_later(server, schema):
    role = f"r_{schema}"
    server.sql(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0 PASSWORD '{PASSWORD}'")
    with store(server, schema, username=role) as backend:
        assert refusal(backend).passing


def test_a_closed_store_opens_no_connection(server, schema):
    with store(server, schema) as backend:
        put(backend)
    assert "closed" in str(refusal(backend))


def test_the_client_of_postgresql_is_imported_where_it_is_used_only():
    program = """
import sys
from casemate.secrets import InvalidOptions, MissingExtra, opened
server = {"url": "jdbc:postgresql://localhost/db", "username": "me", "password": "words"}
for given in ({}, server):
    try:
        opened("jdbc", {"secret": "x" * 32, **given}, read_only=False, at="kestra.secret.jdbc")
    except (InvalidOptions, MissingExtra) as error:
        print(error)
    print(sorted(name for name in sys.modules if name.startswith("psycopg")))
    sys.modules["psycopg"] = None
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    refused, imported, missing, _ = said.stdout.splitlines()
    assert "none is open here" in refused
    assert imported == "[]"
    assert missing == "kestra.secret.type jdbc needs its client: pip install 'casemate[postgres]'"


FAR = "jdbc:postgresql://db.example:5432/flows"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"url": "jdbc:mysql://db/flows"}, "url is no address such as"),
        ({"url": "jdbc:postgresql:flows"}, "url is no address such as"),
        ({"url": "jdbc:postgresql://db.example"}, "url is no address such as"),
        ({"url": "jdbc:postgresql://a:1,b:2/flows"}, "url is no address such as"),
        ({"url": "jdbc:postgresql://a,b/flows"}, "url is no address such as"),
        ({"url": "jdbc:postgresql://db:0/flows"}, "url is no address such as"),
        ({"url": "postgresql://db/flows?host=/run"}, "url is no address such as"),
        ({"url": "postgresql:///flows?host=run"}, "url is no address such as"),
        ({"url": "postgresql://me:hunter2@db/flows"}, "url holds credentials"),
        ({"url": f"{FAR}?user=me&password=hunter2"}, "url holds credentials"),
        ({"url": f"{FAR}?service=hunter2"}, "url has options other than host, sslmode, sslrootcert"),
        ({"url": f"{FAR}?sslmode=disable&sslmode=require"}, "or one of them twice"),
        ({"url": f"{FAR}?sslmode=prefer"}, "sslmode is one of disable"),
        ({"url": f"{FAR}?sslmode=require", "sslmode": "require"}, "sslmode stands twice"),
        ({"sslmode": "prefer"}, "sslmode"),
        ({"username": None}, "username is needed"),
        ({"password": None}, "password is needed"),
        ({"sslmode": "disable"}, "sslmode disable would show secrets to the network"),
        ({"sslmode": "require"}, "sslmode require would show secrets to the network"),
        ({}, "sslrootcert is needed"),
        ({"sslmode": "verify-ca"}, "sslrootcert is needed"),
        ({"sslrootcert": "/nowhere"}, "sslrootcert is no readable file"),
        ({"sslmode": "require", "sslrootcert": "/nowhere", "allow-insecure": True}, "sslrootcert has no effect"),
        ({"url": "postgresql:///flows?host=/run", "sslmode": "verify-full"}, "has no effect on a socket"),
        ({"sslmode": "disable", "allow-insecure": True, "schema": 'x"; DROP'}, "schema is of small letters"),
        ({"sslmode": "disable", "allow-insecure": True, "read-timeout": "0s"}, "must be more than nothing"),
        ({"url": None}, "username has no effect without url"),
    ],
)
def test_options_that_mean_nothing_are_refused_in_words(written, told):
    options = {"secret": KEY, "url": FAR, "username": "me", "password": "hunter2", **written}
    given = {name: text for name, text in options.items() if text is not None}
    with pytest.raises(InvalidOptions) as refused:
        opened("jdbc", given, read_only=False, at="kestra.secret.jdbc")
    assert told in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        {"url": "jdbc:postgresql://localhost:5432/flows"},
        {"url": "postgres://[::1]/flows"},
        {"url": "postgresql:///flows?host=/var/run/postgresql", "password": None},
        {"sslmode": "disable", "allow-insecure": True},
        {"url": f"{FAR}?sslmode=require", "allowInsecure": True},
    ],
)
def test_options_that_say_where_the_server_is_are_taken(written):
    options = {"secret": KEY, "url": FAR, "username": "me", "password": "words", **written}
    given = {name: text for name, text in options.items() if text is not None}
    opened("jdbc", given, read_only=False, at="kestra.secret.jdbc").close()
