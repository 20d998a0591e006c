"""Runs of Glue jobs: each is a Spark process; few at once, the others wait in STARTING."""

from __future__ import annotations

import logging
import queue
import shutil
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from local_aws import processes
from local_aws.glue.job_process import LOG_GROUP, JobProcess, LaunchError, run_folder
from local_aws.glue.jobs import capacity, existing_job
from local_aws.glue.log_store import LogStore
from local_aws.glue.names import JOB_RUN, invalid, key, not_found, page
from local_aws.service import Request, Response, Service, ServiceError
from local_aws.settings import Settings
from local_aws.state import Document, State

ACTIVE = ("STARTING", "RUNNING", "STOPPING")
PROCESSES_AT_ONCE = 1
KEPT_RUNS = 200
POLL_SECONDS = 0.2
LOST = "The run ended with the process that served it: local_aws was stopped or died. Start the job again."


class GlueJobRuns(Service):
    """StartJobRun, GetJobRun, GetJobRuns, BatchStopJobRun.

    A run's document: {"run": the JobRun as the API shows it, "arguments": what the script gets, "script": its location,
    "process": {"pid", "created"} while there is one}.
    """

    service_name = "glue"

    def __init__(
        self,
        state: State,
        settings: Settings,
        s3: Any,
        logs: LogStore,
        processes_at_once: int = PROCESSES_AT_ONCE,
        seconds_per_minute: float = 60,
    ) -> None:
        """`seconds_per_minute` is how long a minute of a job's Timeout lasts."""
        self._state = state
        self._settings = settings
        self._s3 = s3
        self._logs = logs
        self._seconds_per_minute = seconds_per_minute
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stops: dict[str, threading.Event] = {}
        self._ending = threading.Event()
        self._workers = [
            threading.Thread(target=self._work, name=f"glue-runs-{number}", daemon=True)
            for number in range(processes_at_once)
        ]
        self._log = logging.getLogger("local_aws.glue.job_runs")

    def on_start(self) -> None:
        """Runs of a former process are over: their processes are ended, and they are FAILED."""
        for run_key, document in self._state.items(JOB_RUN):
            if document["run"]["JobRunState"] in ACTIVE:
                _end_orphan(document.get("process"), run_folder(self._settings, document["run"]["Id"]))
                self._finish(run_key, "FAILED", LOST)
        shutil.rmtree(self._settings.home / "glue" / "runs", ignore_errors=True)
        for worker in self._workers:
            worker.start()

    def on_stop(self) -> None:
        self._ending.set()
        for _ in self._workers:
            self._waiting.put(None)
        for worker in self._workers:
            if worker.is_alive():
                worker.join(timeout=30)

    def start_job_run(self, request: Request) -> Response:
        try:
            job = existing_job(self._state, request["JobName"])
        except ServiceError:
            raise not_found(f"Failed to start job run due to missing metadata: no job {request['JobName']}") from None
        fixed = set(job.get("NonOverridableArguments", {})) & set(request.get("Arguments", {}))
        if fixed:
            raise invalid(f"The arguments {', '.join(sorted(fixed))} of job {job['Name']} cannot be overridden")
        run_id = f"jr_{uuid4().hex}{uuid4().hex}"
        run_key = key(job["Name"], run_id)
        with self._state.transaction():
            self._require_place(job)
            self._state.put(JOB_RUN, run_key, _new_document(job, request, run_id))
        self._stops[run_key] = threading.Event()
        self._waiting.put(run_key)
        return {"JobRunId": run_id}

    def get_job_run(self, request: Request) -> Response:
        document = self._state.get(JOB_RUN, key(request["JobName"], request["RunId"]))
        if document is None:
            raise not_found(f"Job Run {request['RunId']} of job {request['JobName']} not found.")
        return {"JobRun": _shown(document)}

    def get_job_runs(self, request: Request) -> Response:
        """The newest first."""
        existing_job(self._state, request["JobName"])
        runs = [_shown(document) for _, document in self._documents(request["JobName"])]
        chosen, more = page(runs, request, largest=200)
        return {"JobRuns": chosen, **more}

    def batch_stop_job_run(self, request: Request) -> Response:
        name, stopped, errors = request["JobName"], [], []
        for run_id in request["JobRunIds"]:
            try:
                self._request_stop(name, run_id)
                stopped.append({"JobName": name, "JobRunId": run_id})
            except ServiceError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _request_stop(self, name: str, run_id: str) -> None:
        run_key = key(name, run_id)
        document = self._state.get(JOB_RUN, run_key)
        if document is None:
            raise not_found(f"Job Run {run_id} of job {name} not found.")
        if document["run"]["JobRunState"] not in ACTIVE:
            raise ServiceError(
                "InvalidInputException", f"Job Run {run_id} is {document['run']['JobRunState']} and cannot be stopped."
            )
        self._set_state(run_key, "STOPPING")
        self._stops[run_key].set()

    def _require_place(self, job: Document) -> None:
        documents = self._documents(job["Name"])
        active = sum(document["run"]["JobRunState"] in ACTIVE for _, document in documents)
        if active >= job["ExecutionProperty"].get("MaxConcurrentRuns", 1):
            raise ServiceError("ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}")
        for run_key, document in documents[KEPT_RUNS - 1 :]:
            if document["run"]["JobRunState"] not in ACTIVE:
                self._state.delete(JOB_RUN, run_key)

    def _documents(self, name: str) -> list[tuple[str, Document]]:
        documents = self._state.items(JOB_RUN, key(name) + "/")
        return sorted(documents, key=lambda item: item[1]["run"]["StartedOn"], reverse=True)

    def _work(self) -> None:
        while (run_key := self._waiting.get()) is not None and not self._ending.is_set():
            try:
                self._execute(run_key)
            except Exception as error:  # noqa: BLE001 (a defect here must end the run, not the thread of all runs)
                self._log.exception("run %s", run_key)
                self._finish(run_key, "FAILED", f"local_aws failed: {type(error).__name__}: {error}")
            finally:
                self._stops.pop(run_key, None)

    def _execute(self, run_key: str) -> None:
        document = self._state.get(JOB_RUN, run_key)
        if document is None:
            return
        if self._stops[run_key].is_set():
            self._finish(run_key, "STOPPED", None)
            return
        run = document["run"]
        process = JobProcess(self._settings, self._s3, self._logs, run["Id"])
        began = time.monotonic()
        try:
            pid = process.start(document["script"], document["arguments"])
            self._set_state(run_key, "RUNNING", {"pid": pid, "created": psutil.Process(pid).create_time()})
            state, message = self._watch(run_key, process, began + run["Timeout"] * self._seconds_per_minute)
        except LaunchError as error:
            state, message = "FAILED", f"LAUNCH ERROR | {error}"
        finally:
            process.close()
        self._finish(run_key, state, message, int(time.monotonic() - began))

    def _watch(self, run_key: str, process: JobProcess, deadline: float) -> tuple[str, str | None]:
        """The run's final state and message, when its process has ended or was ended."""
        while not process.wait(POLL_SECONDS):
            if self._stops[run_key].is_set():
                process.stop()
                return "STOPPED", None
            if time.monotonic() > deadline:
                process.stop()
                return "TIMEOUT", "Job run timed out"
            if self._ending.is_set():
                process.stop()
                return "FAILED", LOST
        message = process.error()
        if self._stops[run_key].is_set():
            return "STOPPED", None
        return ("SUCCEEDED", None) if message is None else ("FAILED", message)

    def _set_state(self, run_key: str, state: str, process: Document | None = None) -> None:
        def change(document: Document | None) -> Document | None:
            if document is None:
                return None
            run = document["run"]
            # A stop that was asked for meanwhile is not forgotten.
            if not (state == "RUNNING" and run["JobRunState"] == "STOPPING"):
                run["JobRunState"] = state
            run["LastModifiedOn"] = datetime.now(UTC)
            return document | ({"process": process} if process else {})

        self._state.update(JOB_RUN, run_key, change)

    def _finish(self, run_key: str, state: str, message: str | None, seconds: int = 0) -> None:
        def change(document: Document | None) -> Document | None:
            if document is None:
                return None
            now = datetime.now(UTC)
            ended = {"JobRunState": state, "CompletedOn": now, "LastModifiedOn": now, "ExecutionTime": seconds}
            ended |= {"ErrorMessage": message} if message else {}
            return {"run": document["run"] | ended, "script": document["script"], "arguments": document["arguments"]}

        self._state.update(JOB_RUN, run_key, change)
        self._log.info("run %s %s %s", run_key, state, (message or "").partition("\n")[0])


def _new_document(job: Document, request: Request, run_id: str) -> Document:
    now = datetime.now(UTC)
    sizes: Response = {
        name: request[name] for name in ("MaxCapacity", "WorkerType", "NumberOfWorkers") if name in request
    }
    kept = ("SecurityConfiguration", "NotificationProperty", "ExecutionClass")
    run = {
        "Id": run_id,
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": job["JobMode"],
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": request.get("Arguments", {}),
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "Timeout": request.get("Timeout", job["Timeout"]),
        "LogGroupName": LOG_GROUP,
        "GlueVersion": job["GlueVersion"],
        **capacity(sizes or job),
        **{name: given[name] for given in (job, request) for name in kept if name in given},
        **({"PreviousRunId": request["JobRunId"]} if "JobRunId" in request else {}),
    }
    arguments = {
        **job.get("DefaultArguments", {}),
        **request.get("Arguments", {}),
        **job.get("NonOverridableArguments", {}),
        "--JOB_NAME": job["Name"],
        "--JOB_RUN_ID": run_id,
    }
    return {"run": run, "script": job["Command"]["ScriptLocation"], "arguments": arguments}


def _shown(document: Document) -> Response:
    """The JobRun; while it runs its ExecutionTime is that of now."""
    run = document["run"]
    process = document.get("process")
    return run | {"ExecutionTime": int(time.time() - process["created"])} if process else run


def _end_orphan(process: Document | None, folder: Path) -> None:
    """End the session of a run that outlived its server. It is known by its home, for numbers are given anew."""
    if process is None:
        return
    if any(_home(member) == str(folder) for member in processes.session(process["pid"])):
        processes.stop(process["pid"])


def _home(process: psutil.Process) -> str | None:
    """None for a process that ended meanwhile or belongs to somebody else."""
    try:
        return process.environ().get("HOME")
    except psutil.Error:
        return None
