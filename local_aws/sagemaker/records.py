"""The records of a transform job: cut from an object, filtered for the model, joined with its answer, put together.

The rules are those of the documentation's page "Associate prediction results with input records".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from local_aws.sagemaker.json_path import JsonPath, JsonPathError
from local_aws.sagemaker.names import invalid, unserved
from local_aws.service import Request

JSON_TYPES = ("application/jsonlines", "application/json")
_MEGABYTE = 1024 * 1024
_DEFAULT_PAYLOAD_MEGABYTES = 6


class RecordError(Exception):
    """A record or an answer that cannot be worked on; the message says why."""


class RecordRules:
    """What a transform job's request says on its records. Raises ValidationException for what is not served."""

    def __init__(self, request: Request) -> None:
        given, output = request["TransformInput"], request["TransformOutput"]
        processing = request.get("DataProcessing", {})
        self._by_line = given.get("SplitType", "None") == "Line"
        self._single = request.get("BatchStrategy", "MultiRecord") == "SingleRecord"
        self._lines_out = output.get("AssembleWith", "None") == "Line"
        self._largest = request.get("MaxPayloadInMB", _DEFAULT_PAYLOAD_MEGABYTES) * _MEGABYTE
        self._join = processing.get("JoinSource", "None") == "Input"
        try:
            self._input_filter = JsonPath(processing.get("InputFilter", "$"))
            self._output_filter = JsonPath(processing.get("OutputFilter", "$"))
        except JsonPathError as error:
            raise invalid(f"DataProcessing: {error}") from error
        self._require_served(given, output)

    @property
    def _works_on_json(self) -> bool:
        return self._join or not self._input_filter.is_root or not self._output_filter.is_root

    def batches(self, body: bytes) -> Iterator[list[bytes]]:
        """The records of an object, as many together as one request takes. Raises RecordError for one too large."""
        batch: list[bytes] = []
        size = 0
        for record in self._records(body):
            if self._largest and len(record) > self._largest:
                raise RecordError(f"a record has {len(record)} bytes, more than MaxPayloadInMB allows")
            full = self._single or (self._largest and size + len(record) + 1 > self._largest)
            if batch and full:
                yield batch
                batch, size = [], 0
            batch.append(record)
            size += len(record) + 1
        if batch:
            yield batch

    def payload(self, batch: list[bytes]) -> bytes:
        """What the model gets. Raises RecordError."""
        if self._input_filter.is_root:
            return b"\n".join(batch)
        return b"\n".join(_dumped(self._selected(self._input_filter, _loaded(record))) for record in batch)

    def output(self, batch: list[bytes], answer: bytes) -> bytes:
        """What is stored for the batch. Raises RecordError."""
        if not self._works_on_json:
            return answer.rstrip(b"\n") + b"\n" if self._lines_out else answer
        answers = answer.splitlines() if self._by_line else [answer]
        if len(answers) != len(batch):
            raise RecordError(f"the model gave {len(answers)} answers to {len(batch)} records")
        stored = [self._stored(record, _loaded(text)) for record, text in zip(batch, answers, strict=True)]
        end = b"\n" if self._lines_out else b""
        return b"".join(_dumped(document) + end for document in stored)

    def _records(self, body: bytes) -> list[bytes]:
        if not self._by_line:
            return [body]
        return [line for line in body.splitlines() if line.strip()]

    def _stored(self, record: bytes, prediction: Any) -> Any:
        if not self._join:
            return self._selected(self._output_filter, prediction)
        given = _loaded(record)
        own = given if isinstance(given, dict) else {"SageMakerInput": given}
        return self._selected(self._output_filter, own | {"SageMakerOutput": prediction})

    @staticmethod
    def _selected(path: JsonPath, value: Any) -> Any:
        try:
            return path.select(value)
        except JsonPathError as error:
            raise RecordError(str(error)) from error

    def _require_served(self, given: Request, output: Request) -> None:
        if given.get("SplitType", "None") not in ("None", "Line"):
            raise unserved(f"SplitType {given['SplitType']}")
        if self._works_on_json:
            if given.get("ContentType") not in JSON_TYPES:
                raise unserved(f"DataProcessing of the content type {given.get('ContentType')}")
            if output.get("Accept") != given["ContentType"]:
                raise invalid("DataProcessing needs the same content type in TransformInput and TransformOutput.Accept")
        if self._join and self._by_line != self._lines_out:
            raise invalid("JoinSource Input needs AssembleWith Line when SplitType is Line, and None when it is None")


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"no JSON: {error}: {text[:200].decode(errors='replace')}") from error


def _dumped(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
