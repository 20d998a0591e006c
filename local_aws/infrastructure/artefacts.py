"""What a deployment uploads beside the templates: Glue scripts, their package, and wheels that Glue lacks.

include/glue/<job>.py          -> glue/<job>.py
include/glue/meter_data/       -> glue/meter_data.zip     (--extra-py-files)
environments/wheels/<wheel>    -> glue/wheels/<wheel>     (--additional-python-modules)
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

PREFIX = "glue/"
PACKAGE = "meter_data"
EPOCH = (1980, 1, 1, 0, 0, 0)


def glue_artefacts(repository: Path) -> dict[str, bytes]:
    """Key below the scripts bucket -> content. The same files always give the same bytes."""
    folder = repository / "include" / "glue"
    artefacts = {f"{PREFIX}{script.name}": script.read_bytes() for script in sorted(folder.glob("*.py"))}
    if (folder / PACKAGE).is_dir():
        artefacts[f"{PREFIX}{PACKAGE}.zip"] = zipped(folder / PACKAGE)
    for wheel in sorted((repository / "environments" / "wheels").glob("*.whl")):
        artefacts[f"{PREFIX}wheels/{wheel.name}"] = wheel.read_bytes()
    return artefacts


def zipped(package: Path) -> bytes:
    """Returns a package with its data files as a zip that Python imports from.

    Dates are fixed, so that equal files give equal bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            entry = zipfile.ZipInfo(str(file.relative_to(package.parent)), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return buffer.getvalue()


def upload(client: Any, bucket: str, artefacts: dict[str, bytes]) -> list[str]:
    """Upload what the bucket does not hold yet; returns the keys that were written."""
    written = []
    for key, content in artefacts.items():
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if _etag(client, bucket, key) != f'"{digest}"':
            client.put_object(Bucket=bucket, Key=key, Body=content)
            written.append(key)
    return written


def _etag(client: Any, bucket: str, key: str) -> str | None:
    try:
        return client.head_object(Bucket=bucket, Key=key)["ETag"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return None
        raise
