"""One transform job: every object below a prefix through the model, record by record."""

from __future__ import annotations

import gzip
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from local_aws.glue.log_store import now as log_time
from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.job_queue import Interrupt
from local_aws.sagemaker.model_store import ModelDataError, ModelStore
from local_aws.sagemaker.models import container_of, existing_model
from local_aws.sagemaker.records import RecordError, RecordRules
from local_aws.sagemaker.serve_process import NotServingError, ServeProcess, TooSlowError
from local_aws.sagemaker.storage import S3Object, StorageError, joined
from local_aws.sagemaker.warm_server import WarmServer
from local_aws.service import ServiceError
from local_aws.state import Document

LOG_GROUP = "/aws/sagemaker/TransformJobs"
# SageMaker's defaults of ModelClientConfig.
INVOCATION_SECONDS = 600
MOST_RETRIES = 3


class TransformError(Exception):
    """The job failed; the message is its FailureReason."""


class InterruptedRunError(Exception):
    """The job was stopped, or the control plane ends."""


class TransformRun:
    def __init__(
        self, backend: Backend, models: ModelStore, server: WarmServer, job: Document, interrupt: Interrupt
    ) -> None:
        self._backend = backend
        self._models = models
        self._server = server
        self._job = job
        self._interrupt = interrupt
        self._rules = RecordRules(job)
        stream = f"{job['TransformJobName']}/i-{uuid4().hex[:17]}-{log_time() // 1000}"
        self._log_stream = stream
        self._data_log = backend.logs.open_stream(LOG_GROUP, f"{stream}/data-log")

    def run(self) -> None:
        """Raises TransformError and InterruptedRunError."""
        inputs = self._inputs()
        process = self._process()
        self._note(
            f"MaxConcurrentTransforms=1, BatchStrategy={self._job.get('BatchStrategy', 'MultiRecord')},"
            f" objects={len(inputs)}"
        )
        try:
            for source in inputs:
                self._transform(process, source)
        finally:
            process.flush_log()

    def _inputs(self) -> list[S3Object]:
        source = self._job["TransformInput"]["DataSource"]["S3DataSource"]
        storage = self._backend.storage
        with _failing("ClientError: Data download failed"):
            if source["S3DataType"] == "ManifestFile":
                return storage.of_manifest(source["S3Uri"])
            found = storage.under_prefix(source["S3Uri"])
            if not found:
                raise StorageError(f'No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source')
            return found

    def _process(self) -> ServeProcess:
        try:
            container = container_of(existing_model(self._backend, self._job["ModelName"]))
            folder = self._models.fetch(container["ModelDataUrl"])
        except (ServiceError, ModelDataError) as error:
            raise TransformError(f"ClientError: {error}") from error
        environment = {
            **container.get("Environment", {}),
            **self._job.get("Environment", {}),
            "SAGEMAKER_BATCH": "true",
        }
        try:
            return self._server.ready(folder, environment, LOG_GROUP, self._log_stream, lambda: bool(self._interrupt))
        except NotServingError as error:
            self._server.close()
            if self._interrupt:
                raise InterruptedRunError from error
            raise TransformError(f"AlgorithmError: the model did not pass the ping health check: {error}") from error

    def _transform(self, process: ServeProcess, source: S3Object) -> None:
        with _failing("ClientError: Data download failed"):
            body = self._backend.storage.read(source.uri)
        if self._job["TransformInput"].get("CompressionType", "None") == "Gzip":
            body = _unzipped(body, source)
        target = joined(self._job["TransformOutput"]["S3OutputPath"], f"{source.name}.out")
        with tempfile.NamedTemporaryFile(dir=self._scratch()) as file:
            try:
                for batch in self._rules.batches(body):
                    if self._interrupt:
                        raise InterruptedRunError
                    answer = self._answer(process, self._rules.payload(batch), source)
                    file.write(self._rules.output(batch, answer))
            except RecordError as error:
                raise self._refusal("ClientError", source, str(error)) from error
            file.flush()
            with _failing("ClientError: Data upload failed"):
                self._backend.storage.upload(Path(file.name), target)

    def _answer(self, process: ServeProcess, payload: bytes, source: S3Object) -> bytes:
        client = self._job.get("ModelClientConfig", {})
        seconds = client.get("InvocationsTimeoutInSeconds", INVOCATION_SECONDS)
        tries = 1 + client.get("InvocationsMaxRetries", MOST_RETRIES)
        headers = {"Content-Type": self._job["TransformInput"].get("ContentType", "application/octet-stream")}
        if "Accept" in self._job["TransformOutput"]:
            headers["Accept"] = self._job["TransformOutput"]["Accept"]
        problem = ""
        for _ in range(tries):
            try:
                reply = process.invoke(payload, headers, seconds)
            except NotServingError as error:
                problem = str(error)
                if not isinstance(error, TooSlowError) and process.ends(within=2):
                    break
                continue
            if reply.status == 200:
                return reply.body
            text = reply.body.decode(errors="replace")
            problem = f"Bad HTTP status received from algorithm: {reply.status}: {text}"
            if reply.status < 500:
                raise self._refusal("ClientError", source, problem)
        raise self._refusal("AlgorithmError", source, problem)

    def _refusal(self, kind: str, source: S3Object, problem: str) -> TransformError:
        self._note(f"{source.bucket}/{source.key}: {problem}")
        return TransformError(f"{kind}: {source.uri}: {problem}")

    def _note(self, text: str) -> None:
        self._backend.logs.put(self._data_log, [(log_time(), f"[sagemaker logs]: {text}")])
        logging.getLogger("local_aws.sagemaker.transform").info("%s %s", self._job["TransformJobName"], text)

    def _scratch(self) -> Path:
        folder = self._backend.home / "transform"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextmanager
def _failing(what: str) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        raise TransformError(f"{what}: {error}") from error


def _unzipped(body: bytes, source: S3Object) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError) as error:
        raise TransformError(f"ClientError: {source.uri} is no gzip file: {error}") from error
