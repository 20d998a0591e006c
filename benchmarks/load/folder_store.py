"""S3's protocol over folders of this machine, a bucket each: what boto3 and DuckDB ask for here, and no more.

Spark does not come here: it works on the folders themselves (lake.SPARK_ON_FOLDERS), so that neither side of a
benchmark pays for a network. Requests for bytes are counted, as S3 would count and charge them.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

HOST = "127.0.0.1"
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class FolderStore:
    """Serves `root` on `port` in a thread of its own: `with FolderStore(root, port) as store`."""

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._reads: dict[str, int] = {}
        store = self

        class Handler(_Handler):
            folder_store = store

        self._server = ThreadingHTTPServer((HOST, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="folder store", daemon=True)

    def __enter__(self) -> FolderStore:
        self.root.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def etag(self, path: Path) -> str:
        """Of an object, quoted."""
        return etag(path)

    def stored(self, path: Path) -> None:
        """Called when an object was put, before the answer."""

    def count(self, path: str, number: int) -> None:
        """Note that so many bytes of an object were sent."""
        with self._lock:
            self._reads[path] = self._reads.get(path, 0) + number

    def take_reads(self) -> dict[str, int]:
        """Bytes sent by object since the last call."""
        with self._lock:
            reads, self._reads = self._reads, {}
        return reads


class _Handler(BaseHTTPRequestHandler):
    """GetObject (with a range), HeadObject, PutObject, DeleteObjects, ListObjectsV2, CreateBucket."""

    protocol_version = "HTTP/1.1"
    # Head and body are sent apart; else the body waits until the head is acknowledged, 40 ms.
    disable_nagle_algorithm = True
    folder_store: FolderStore

    def handle(self) -> None:
        with contextlib.suppress(ConnectionResetError):  # a client may go whenever it likes
            super().handle()

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            self._list(query.get("prefix", [""])[0])
        else:
            self._object(with_body=True)

    def do_HEAD(self) -> None:
        self._object(with_body=False)

    def do_PUT(self) -> None:
        path = self._place()
        body = self._body()
        if path.parent == self.folder_store.root:
            path.mkdir(exist_ok=True)
            self._answer(200)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_name(f"_{path.name}.part")
        written.write_bytes(body)
        written.replace(path)
        self.folder_store.stored(path)
        self._answer(200, headers={"ETag": self.folder_store.etag(path)})

    def do_POST(self) -> None:
        """DeleteObjects."""
        bucket = self._place()
        for key in ElementTree.fromstring(self._body()).iter(f"{{{NAMESPACE}}}Key"):  # noqa: S314 (boto3's own)
            (bucket / (key.text or "")).unlink(missing_ok=True)
        self._answer(200, b'<DeleteResult xmlns="%b"/>' % NAMESPACE.encode())

    def log_message(self, *_: object) -> None:
        """Requests are counted, not printed."""

    def _place(self) -> Path:
        path = self.folder_store.root / unquote(urlsplit(self.path).path).lstrip("/")
        if ".." in path.parts:
            raise ValueError(f"{self.path} leaves the store")
        return path

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _object(self, *, with_body: bool) -> None:
        path = self._place()
        if not path.is_file():
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>" if with_body else b"")
            return
        size = path.stat().st_size
        first, last = byte_range(self.headers.get("Range"), size)
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        headers = {
            "ETag": self.folder_store.etag(path),
            "Last-Modified": format_datetime(modified, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        ranged = "Range" in self.headers
        if ranged:
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        length = last - first + 1
        self.send_response(206 if ranged else 200)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            with path.open("rb") as file:
                file.seek(first)
                self.wfile.write(file.read(length))
            self.folder_store.count(str(path.relative_to(self.folder_store.root)), length)

    def _list(self, prefix: str) -> None:
        bucket = self._place()
        contents = []
        for key, path in objects(bucket, prefix):
            facts = path.stat()
            modified = f"{datetime.fromtimestamp(facts.st_mtime, UTC):%Y-%m-%dT%H:%M:%S.000Z}"
            contents.append(
                f"<Contents><Key>{escape(key)}</Key><LastModified>{modified}</LastModified>"
                f"<ETag>{escape(self.folder_store.etag(path))}</ETag><Size>{facts.st_size}</Size></Contents>"
            )
        text = (
            f'<ListBucketResult xmlns="{NAMESPACE}"><Name>{bucket.name}</Name><Prefix>{escape(prefix)}</Prefix>'
            f"<KeyCount>{len(contents)}</KeyCount><IsTruncated>false</IsTruncated>{''.join(contents)}"
            "</ListBucketResult>"
        )
        self._answer(200, text.encode())

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def objects(folder: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """The objects of a bucket's folder in order of their keys; Hadoop's checksums beside its files are none."""
    found = ((str(path.relative_to(folder)), path) for path in folder.rglob("*") if path.is_file())
    return iter(sorted((key, path) for key, path in found if key.startswith(prefix) and path.suffix != ".crc"))


def remove(folder: Path) -> None:
    """A bucket's folder and all in it."""
    shutil.rmtree(folder, ignore_errors=True)


def etag(path: Path) -> str:
    """Changes when the file does; made of its size and time, so that a gigabyte need not be read for it."""
    facts = path.stat()
    return f'"{hashlib.md5(f"{facts.st_size} {facts.st_mtime_ns}".encode(), usedforsecurity=False).hexdigest()}"'


def byte_range(header: str | None, size: int) -> tuple[int, int]:
    """First and last byte that a Range header asks for: bytes=0-99, bytes=100- or bytes=-8."""
    if not header:
        return 0, size - 1
    first, _, last = header.removeprefix("bytes=").partition("-")
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last) if last else size - 1, size - 1)
