"""A store whose buckets are folders of this machine, for tests of what jobs read and write."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.fs
from meter_data.lake.store import Store, StoredObject, split_uri


class FolderStore(Store):
    """s3://bucket/key is the file root/bucket/key. It does all that a Store does, and has no client of boto3."""

    def __init__(self, root: Path) -> None:
        super().__init__(pa.fs.SubTreeFileSystem(str(root), pa.fs.LocalFileSystem()), None)
        self.root = root

    def place(self, uri: str) -> Path:
        """Returns the file of an object."""
        bucket, key = split_uri(uri)
        return self.root / bucket / key

    def read_json(self, uri: str) -> Any:
        return json.loads(self.place(uri).read_bytes())

    def etag(self, uri: str) -> str | None:
        place = self.place(uri)
        return hashlib.md5(place.read_bytes(), usedforsecurity=False).hexdigest() if place.is_file() else None

    def listed(self, uri: str) -> list[StoredObject]:
        bucket, prefix = split_uri(uri)
        files = (path for path in (self.root / bucket).rglob("*") if path.is_file())
        sizes = {path.relative_to(self.root / bucket).as_posix(): path.stat().st_size for path in files}
        return [StoredObject(f"s3://{bucket}/{key}", sizes[key]) for key in sorted(sizes) if key.startswith(prefix)]

    def write(self, uri: str, content: bytes | IO[bytes], content_type: str = "binary/octet-stream") -> None:
        place = self.place(uri)
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            place.write_bytes(content)
            return
        content.seek(0)
        with place.open("wb") as file:
            shutil.copyfileobj(content, file)

    def delete(self, uris: Any) -> int:
        places = [self.place(uri) for uri in uris]
        for place in places:
            place.unlink()
        return len(places)
