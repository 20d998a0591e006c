"""Models unpacked on this machine: one folder for each version of an artefact on S3."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import threading
from pathlib import Path

from local_aws.sagemaker.storage import Storage, StorageError

KEPT = 10


class ModelDataError(Exception):
    """The artefact is missing or no model.tar.gz; the message says which."""


class ModelStore:
    """Safe to use from several threads."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self._folder = folder
        self._storage = storage
        self._lock = threading.Lock()

    def fetch(self, url: str) -> Path:
        """A folder whose sub-folder `model` holds what the archive at the URL holds now. Raises ModelDataError."""
        try:
            etag = self._storage.etag(url)
            if etag is None:
                raise ModelDataError(f"Could not find model data at {url}.")
            place = self._folder / hashlib.sha256(f"{url} {etag}".encode()).hexdigest()[:24]
            with self._lock:
                if not place.exists():
                    self._unpack(url, place)
                os.utime(place)
                self._prune()
        except StorageError as error:
            raise ModelDataError(str(error)) from error
        return place

    def _unpack(self, url: str, place: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".new-") as scratch:
            archive = Path(scratch) / "model.tar.gz"
            archive.write_bytes(self._storage.read(url))
            unpacked = Path(scratch) / "unpacked"
            (unpacked / "model").mkdir(parents=True)
            try:
                _extract(archive, unpacked / "model")
            except (tarfile.TarError, EOFError, OSError) as error:
                raise ModelDataError(f"Failed to extract model data archive from {url}: {error}") from error
            unpacked.replace(place)

    def _prune(self) -> None:
        """Remove all but the newest; a process that serves a removed model has read it into memory."""
        places = [place for place in self._folder.iterdir() if not place.name.startswith(".")]
        for place in sorted(places, key=lambda place: place.stat().st_mtime, reverse=True)[KEPT:]:
            shutil.rmtree(place, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    """Files and folders of an archive; raises tarfile.TarError for links, devices and paths that lead elsewhere.

    The standard library's filter for this came with Python 3.11.4; Debian 12 has an older one.
    """
    with tarfile.open(archive) as source:
        for member in source:
            path = (folder / member.name).resolve()
            if not path.is_relative_to(folder.resolve()) or not (member.isfile() or member.isdir()):
                raise tarfile.ExtractError(f"{member.name!r} is no file or folder of the model")
            content = source.extractfile(member)
            if content is None:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                shutil.copyfileobj(content, target)
