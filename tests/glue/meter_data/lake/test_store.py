"""The store on a real S3, with the versions of Arrow and boto3 that Glue has."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError
from meter_data.lake import store as lake_store
from meter_data.lake.store import Store

from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.settings import Settings

MEGABYTE = 1024**2
# Names that a URL, a pattern or a shell would understand otherwise.
ODD_NAMES = (
    "a delivery of März.csv",
    "50%20full.csv",
    "a+b.csv",
    "what?.csv",
    "nr#7.csv",
    "[1]*.csv",
    "a=b&c.csv",
    "q'uo\"te.csv",
    "日本.csv",
    "trailing .csv",
    "~tilde:colon,comma;.csv",
)
INCLUDE = Path(__file__).resolve().parents[4] / "include" / "glue"


@pytest.fixture
def store(seaweedfs: SeaweedFS, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Store:
    """As a job connects, by the variables of its process."""
    for name, value in settings.aws_environment().items():
        monkeypatch.setenv(name, value)
    lake_store._of_this_process.cache_clear()
    return lake_store.connect()


@pytest.fixture
def table() -> pa.Table:
    """Six rows; each of its columns is of a kind that the zones have."""
    meters = pa.array(["MAC1", "MAC1", "MAC2", "MAC2", "MAC2", None]).dictionary_encode()
    return pa.table({"meter_id": meters, "value": [0.5, None, 2.0, 3.0, 4.0, 5.0], "row": range(6)})


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_taken_as_it_is(store: Store, bucket: str, name: str) -> None:
    uri = f"s3://{bucket}/readings/{name}"
    store.write(uri, name.encode())

    with store.open_stream(uri) as stream:
        assert stream.read() == name.encode()
    with store.open_file(uri) as file:
        file.seek(1)
        assert file.read() == name.encode()[1:]
    assert [(found.uri, found.size) for found in store.listed(f"s3://{bucket}/readings/")] == [
        (uri, len(name.encode()))
    ]
    # Written and listed by one library and read by another, and deleted as it was listed.
    assert store.delete_folder(f"s3://{bucket}/readings/") == 1
    assert store.listed(f"s3://{bucket}/") == []


def test_a_table_comes_back_by_row_groups_and_columns(store: Store, bucket: str, table: pa.Table) -> None:
    uri = f"s3://{bucket}/clean/batch=1/00000.parquet"
    store.write_parquet(uri, table, rows_a_group=2, codec=lake_store.SNAPPY)

    whole = store.read_parquet(uri, coded=["meter_id"])
    some = store.read_parquet(uri, ["row", "meter_id"], row_groups=[2, 0])

    assert whole.column("meter_id").type == pa.dictionary(pa.int32(), pa.string())
    assert whole.column("meter_id").to_pylist() == ["MAC1", "MAC1", "MAC2", "MAC2", "MAC2", None]
    assert whole.drop_columns("meter_id").to_pydict() == table.drop_columns("meter_id").to_pydict()
    assert some.column("row").to_pylist() == [4, 5, 0, 1]
    assert some.column("meter_id").to_pylist() == ["MAC2", None, "MAC1", "MAC1"]


def test_slices_are_whole_row_groups(store: Store, bucket: str) -> None:
    uri = f"s3://{bucket}/clean/batch=1/00000.parquet"
    store.write_parquet(uri, pa.table({"value": range(10), "other": range(10)}), 3)

    found = [table["value"].to_pylist() for table in store.read_slices(uri, ["value"], rows=6)]
    assert found == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    found = [table["value"].to_pylist() for table in store.read_slices(uri, ["value"], [0, 2, 3], rows=2)]
    assert found == [[0, 1, 2], [6, 7, 8], [9]]


def test_a_missing_object_is_a_missing_file(store: Store, bucket: str) -> None:
    uri = f"s3://{bucket}/clean/nothing.parquet"

    with pytest.raises(FileNotFoundError):
        store.open_stream(uri)
    with pytest.raises(FileNotFoundError):
        store.read_parquet(uri)
    with pytest.raises(ClientError, match="NoSuchKey"):
        store.read_json(uri)
    assert store.listed(f"s3://{bucket}/clean/") == []
    assert store.delete_folder(f"s3://{bucket}/clean/") == 0


def test_a_folder_is_deleted_and_its_neighbours_stay(store: Store, bucket: str) -> None:
    for key in ("run=1/a", "run=1/deep/b", "run=1", "run=12/a", "run=2/a"):
        store.write(f"s3://{bucket}/{key}", b"x")

    with pytest.raises(ValueError, match="slash"):
        store.delete_folder(f"s3://{bucket}/run=1")
    assert store.delete_folder(f"s3://{bucket}/run=1/") == 2

    left = [found.uri.removeprefix(f"s3://{bucket}/") for found in store.listed(f"s3://{bucket}/")]
    assert left == ["run=1", "run=12/a", "run=2/a"]


def test_more_objects_than_an_answer_holds_are_listed_and_deleted(store: Store, bucket: str) -> None:
    for number in range(1005):
        store.write(f"s3://{bucket}/many/{number:05d}", b"")

    assert len(store.listed(f"s3://{bucket}/many/")) == 1005
    assert store.delete_folder(f"s3://{bucket}/many/") == 1005
    assert store.listed(f"s3://{bucket}/many/") == []


def test_an_object_of_fifty_megabytes_is_read_in_pieces(store: Store, bucket: str) -> None:
    uri = f"s3://{bucket}/readings/large.csv"
    content = bytes(range(256)) * (50 * MEGABYTE // 256)
    with tempfile.TemporaryFile() as file:
        file.write(content)
        store.write(uri, file)

    with store.open_file(uri) as file:
        assert file.size() == len(content)
        assert file.read_at(300, 40 * MEGABYTE + 5) == content[40 * MEGABYTE + 5 :][:300]
    with store.open_stream(uri) as stream:
        pieces = iter(lambda: stream.read(4 * MEGABYTE), b"")
        assert b"".join(pieces) == content


def test_a_compressed_object_is_read_as_it_is_stored(store: Store, bucket: str) -> None:
    store.write(f"s3://{bucket}/readings/a.csv.gz", b"\x1f\x8bno gzip")

    with store.open_stream(f"s3://{bucket}/readings/a.csv.gz") as stream:
        assert stream.read() == b"\x1f\x8bno gzip"


def test_a_writer_that_is_killed_leaves_nothing(store: Store, settings: Settings, bucket: str) -> None:
    uri = f"s3://{bucket}/daily/run=1/part.parquet"
    script = "import sys\nfrom meter_data.lake import store\nstore.connect().write(sys.argv[1], bytes(50_000_000))"
    with socket.create_server(("127.0.0.1", 0)) as between:
        endpoint = f"http://127.0.0.1:{between.getsockname()[1]}"
        variables = {**os.environ, "AWS_ENDPOINT_URL_S3": endpoint, "PYTHONPATH": str(INCLUDE)}
        writer = subprocess.Popen([sys.executable, "-c", script, uri], env=variables)
        sent = pass_on_and_kill(between, settings.s3_port, writer, after_bytes=20_000_000)

    assert writer.wait() == -signal.SIGKILL
    assert 20_000_000 <= sent < 50_000_000
    assert store.listed(f"s3://{bucket}/") == []
    store.write(uri, b"whole")
    with store.open_stream(uri) as stream:
        assert stream.read() == b"whole"


def pass_on_and_kill(between: socket.socket, port: int, sender: subprocess.Popen[bytes], after_bytes: int) -> int:
    """Passes on what the sender says to S3 and what S3 answers; kills the sender once it has said so many bytes.

    Returns how many bytes it said, when S3 has nothing more to say.
    """
    said = 0
    client, _ = between.accept()
    with client, socket.create_connection(("127.0.0.1", port)) as s3:
        while ready := select.select([client, s3], [], [])[0]:
            if s3 in ready:
                client.sendall(s3.recv(MEGABYTE))
            if client in ready:
                part = client.recv(MEGABYTE)
                said += len(part)
                s3.sendall(part)
                if said >= after_bytes:
                    break
        sender.kill()
        s3.shutdown(socket.SHUT_WR)
        while s3.recv(MEGABYTE):
            pass
    return said


def test_a_document_comes_back(store: Store, bucket: str) -> None:
    uri = f"s3://{bucket}/_summaries/1/raw_to_clean.json"
    store.write_json(uri, {"files": [{"name": "März.csv", "rows": 3, "set_aside": None}]})

    assert store.read_json(uri) == {"files": [{"name": "März.csv", "rows": 3, "set_aside": None}]}


def test_a_store_takes_the_credentials_as_they_are_now(
    store: Store, settings: Settings, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of a role: these end in five minutes, therefore boto3 renews them each time that they are asked for."""
    secrets = iter(["an older one"])

    def renewed() -> dict[str, Any]:
        return {
            "access_key": settings.access_key,
            "secret_key": next(secrets, settings.secret_key),
            "token": None,
            "expiry_time": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
        }

    session = boto3.session.Session()
    session._session._credentials = RefreshableCredentials.create_from_metadata(renewed(), renewed, "role")
    monkeypatch.setattr(lake_store, "_of_this_process", lambda: (session, session.client("s3")))
    store.write(f"s3://{bucket}/a", b"x")

    before, after = lake_store.connect(), lake_store.connect()

    with after.open_stream(f"s3://{bucket}/a") as stream:
        assert stream.read() == b"x"
    after.write(f"s3://{bucket}/b", b"y")
    assert [found.uri for found in before.listed(f"s3://{bucket}/")] == [f"s3://{bucket}/a", f"s3://{bucket}/b"]
