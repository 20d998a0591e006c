"""The facts about S3 that the product relies on, on the real engine."""

from __future__ import annotations

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.engines.daemon import EngineError
from local_aws.engines.s3_front import Request, corrected
from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.ports import free_ports
from local_aws.settings import HOST, Settings


@pytest.fixture
def s3(seaweedfs: SeaweedFS) -> Any:
    return seaweedfs.client()


def md5(content: bytes) -> Any:
    return hashlib.md5(content, usedforsecurity=False)


def keys(s3: Any, bucket: str, **filters: Any) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, **filters)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def status(call: Any, **arguments: Any) -> int:
    try:
        return int(call(**arguments)["ResponseMetadata"]["HTTPStatusCode"])
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def test_a_prefix_that_only_has_keys_below_it_does_not_exist_itself(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="readings/2013/a.csv", Body=b"x")

    for key in ("readings/", "readings/2013/", "readings", "readings/2013"):
        assert status(s3.head_object, Bucket=bucket, Key=key) == 404, key
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket=bucket, Key=key)


def test_a_folder_that_was_put_as_an_object_exists(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="plain/", Body=b"")
    s3.put_object(Bucket=bucket, Key="spark/", Body=b"", ContentType="application/x-directory")
    s3.put_object(Bucket=bucket, Key="spark/part-0", Body=b"x")

    assert status(s3.head_object, Bucket=bucket, Key="plain/") == 200
    assert status(s3.head_object, Bucket=bucket, Key="spark/") == 200
    assert s3.get_object(Bucket=bucket, Key="spark/")["Body"].read() == b""
    assert keys(s3, bucket) == ["plain/", "spark/", "spark/part-0"]


def test_a_connection_stays_usable_after_a_corrected_answer(settings: Settings, s3: Any, bucket: str) -> None:
    for _ in range(3):
        s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
        assert status(s3.head_object, Bucket=bucket, Key="a/") == 404
        assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"x"


def test_an_empty_put_does_not_spoil_the_connection_for_the_next_one(settings: Settings, bucket: str) -> None:
    client = boto3.session.Session(settings.access_key, settings.secret_key, region_name=settings.region).client(
        "s3",
        endpoint_url=settings.s3_url,
        config=Config(read_timeout=5, max_pool_connections=1, retries={"total_max_attempts": 1}),
    )
    client.put_object(Bucket=bucket, Key="folder/", Body=b"")
    client.put_object(Bucket=bucket, Key="folder/x", Body=b"x")
    assert client.get_object(Bucket=bucket, Key="folder/x")["Body"].read() == b"x"


def test_the_etag_is_the_md5_of_the_content(s3: Any, bucket: str) -> None:
    for body in (b"", b"hello", bytes(20 * 2**20)):  # the last one is stored in several chunks
        expected = f'"{md5(body).hexdigest()}"'
        assert s3.put_object(Bucket=bucket, Key="x", Body=body)["ETag"] == expected
        assert s3.head_object(Bucket=bucket, Key="x")["ETag"] == expected
        assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ETag"] == expected


def test_a_multipart_upload_joins_its_parts(s3: Any, bucket: str) -> None:
    parts = [bytes([number]) * (5 * 2**20) for number in (1, 2)] + [b"end"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    etags = [
        s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=part)["ETag"]
        for number, part in enumerate(parts, 1)
    ]
    done = s3.complete_multipart_upload(
        Bucket=bucket,
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]},
    )
    digest = md5(b"".join(md5(part).digest() for part in parts)).hexdigest()
    assert done["ETag"] == f'"{digest}-3"'
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == b"".join(parts)
    assert s3.get_object(Bucket=bucket, Key="big", Range="bytes=5242878-5242881")["Body"].read() == b"\1\1\2\2"


def test_a_listing_is_complete_page_by_page(s3: Any, bucket: str) -> None:
    names = sorted(f"deep/a={number % 7}/b={number % 5}/{number:03d}" for number in range(140))
    with ThreadPoolExecutor(8) as pool:
        for name in names:
            pool.submit(s3.put_object, Bucket=bucket, Key=name, Body=b"x")
    assert keys(s3, bucket) == names
    assert keys(s3, bucket, Prefix="deep/a=3/", PaginationConfig={"PageSize": 3}) == [
        name for name in names if name.startswith("deep/a=3/")
    ]
    answer = s3.list_objects_v2(Bucket=bucket, Prefix="deep/", Delimiter="/")
    assert [entry["Prefix"] for entry in answer["CommonPrefixes"]] == [f"deep/a={number}/" for number in range(7)]


def test_an_emptied_folder_holds_no_keys(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="run=1/month=201301/part-0", Body=b"x")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "run=1/month=201301/part-0"}]})
    assert keys(s3, bucket) == []
    assert status(s3.head_object, Bucket=bucket, Key="run=1/month=201301/") == 404


def test_deleting_a_prefix_leaves_the_keys_below_it(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b/c", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="a/")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/b/"}, {"Key": "a/b"}]})
    assert keys(s3, bucket) == ["a/b/c"]


def test_a_bucket_that_does_not_exist_is_not_made_by_writing_to_it(s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="no-such-bucket", Key="x", Body=b"")


def test_a_bucket_with_objects_is_not_deleted(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)


def test_keys_with_signs_and_letters_of_all_kinds_come_back(s3: Any, bucket: str) -> None:
    names = ["a b/c+d=e&f.csv", "a%2Fb", "grün/zähler.csv", "x/LCL-June2015v2_0 (1).csv"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=name.encode())
    assert sorted(keys(s3, bucket)) == sorted(names)
    for name in names:
        assert s3.get_object(Bucket=bucket, Key=name)["Body"].read() == name.encode()


def test_a_wrong_key_is_refused(settings: Settings, seaweedfs: SeaweedFS, bucket: str) -> None:
    connection = HTTPConnection(HOST, settings.s3_port, timeout=10)
    connection.request("GET", f"/{bucket}?list-type=2")
    assert connection.getresponse().status == 403
    connection.close()


@pytest.mark.slow
def test_data_survive_a_kill_and_a_restart(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, s3_port=free_ports(1)[0])
    engine = SeaweedFS(settings)
    engine.start(die_with_parent=True)
    engine.client().create_bucket(Bucket="kept")
    engine.client().put_object(Bucket="kept", Key="a/b", Body=b"still here")
    killed = engine.members()
    assert len(killed) == 2, "the front and weed"
    for process in killed:
        process.kill()
    assert psutil.wait_procs(killed, timeout=10)[1] == []
    assert engine.state() == "down"

    engine.start(die_with_parent=True)
    assert engine.client().get_object(Bucket="kept", Key="a/b")["Body"].read() == b"still here"
    engine.client().put_object(Bucket="kept", Key="c", Body=b"and writable")
    assert engine.stop() is True
    assert engine.members() == []
    assert engine.stop() is False


def test_a_taken_port_is_named_with_its_holder_and_its_variable(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EngineError) as caught:
            SeaweedFS(Settings(home=tmp_path, s3_port=port)).start(die_with_parent=True)
    assert f"port {port}, which seaweedfs needs, is taken by python" in str(caught.value)
    assert "LOCAL_AWS_S3_PORT=<port>" in str(caught.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HEAD /bucket/a/ HTTP/1.1", True),
        (b"GET /bucket/a/b/ HTTP/1.1", True),
        (b"GET /bucket/a%2F HTTP/1.1", True),
        (b"HEAD /bucket/a HTTP/1.1", False),
        (b"HEAD /bucket/ HTTP/1.1", False),
        (b"GET /bucket/?list-type=2 HTTP/1.1", False),
        (b"PUT /bucket/a/ HTTP/1.1", False),
    ],
)
def test_the_front_knows_a_request_for_a_folder(line: bytes, expected: bool) -> None:
    assert Request.read(line + b"\r\nHost: x\r\n\r\n").names_folder is expected


def test_the_front_reads_how_long_a_body_is() -> None:
    request = Request.read(b"PUT /b/k HTTP/1.1\r\nContent-Length: 12\r\n\r\n")
    assert (request.body_length, request.chunked) == (12, False)
    assert Request.read(b"PUT /b/k HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked is True


def test_the_front_leaves_other_answers_alone() -> None:
    own = (
        b'HTTP/1.1 200 OK\r\nContent-Type: application/x-directory\r\nETag: "d41d8cd98f00b204e9800998ecf8427e"\r\n\r\n'
    )
    assert corrected(own, b"HEAD") == own
    missing = b"HTTP/1.1 404 Not Found\r\n\r\n"
    assert corrected(missing, b"HEAD") == missing
