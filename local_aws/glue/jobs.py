"""Definitions of Glue jobs. Their runs are in job_runs.py."""

from __future__ import annotations

from datetime import UTC, datetime

from local_aws.glue.names import JOB, JOB_RUN, already_exists, invalid, key, not_found, page
from local_aws.glue.tags import arn, set_tags
from local_aws.service import Request, Response, Service
from local_aws.settings import Settings
from local_aws.state import State

COMMANDS = ("glueetl", "pythonshell")
DEFAULT_TIMEOUT_MINUTES = 480


class GlueJobs(Service):
    """CreateJob, GetJob, GetJobs, ListJobs, UpdateJob, DeleteJob. Worker types and counts are kept, not obeyed."""

    service_name = "glue"

    def __init__(self, state: State, settings: Settings) -> None:
        self._state = state
        self._settings = settings

    def create_job(self, request: Request) -> Response:
        name = request["Name"]
        job = _checked({member: value for member, value in request.items() if member != "Tags"})
        with self._state.transaction():
            if self._state.get(JOB, key(name)):
                raise already_exists(f"Job with name {name} already submitted with different configuration.")
            now = datetime.now(UTC)
            self._state.put(JOB, key(name), job | {"CreatedOn": now, "LastModifiedOn": now})
            set_tags(self._state, self._arn(name), request.get("Tags"))
        return {"Name": name}

    def get_job(self, request: Request) -> Response:
        return {"Job": existing_job(self._state, request["JobName"])}

    def get_jobs(self, request: Request) -> Response:
        jobs, more = page(self._state.list(JOB), request, largest=1000)
        return {"Jobs": jobs, **more}

    def list_jobs(self, request: Request) -> Response:
        names, more = page([job["Name"] for job in self._state.list(JOB)], request, largest=1000)
        return {"JobNames": names, **more}

    def update_job(self, request: Request) -> Response:
        """The whole definition is replaced, as in Glue: what the update does not name is gone."""
        with self._state.transaction():
            current = existing_job(self._state, request["JobName"])
            kept = {"Name": current["Name"], "CreatedOn": current["CreatedOn"], "LastModifiedOn": datetime.now(UTC)}
            self._state.put(JOB, key(current["Name"]), _checked(request["JobUpdate"] | kept))
        return {"JobName": current["Name"]}

    def delete_job(self, request: Request) -> Response:
        """A job that does not exist is no error, as in Glue. Its runs go with it."""
        name = request["JobName"]
        with self._state.transaction():
            self._state.delete(JOB, key(name))
            for held, _ in self._state.items(JOB_RUN, key(name) + "/"):
                self._state.delete(JOB_RUN, held)
            set_tags(self._state, self._arn(name), None)
        return {"JobName": name}

    def _arn(self, name: str) -> str:
        return arn(self._settings.partition, self._settings.region, self._settings.account_id, f"job/{name}")


def existing_job(state: State, name: str) -> Response:
    """The job, or EntityNotFoundException."""
    job = state.get(JOB, key(name))
    if job is None:
        raise not_found(f"Job with name: {name} not found.")
    return job


def capacity(sizes: Response) -> Response:
    """Workers and DPUs of a job or a run, as GetJob and GetJobRun show them. One G.1X worker is one DPU, a G.2X two."""
    if "WorkerType" in sizes:
        per_worker = {"G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}.get(sizes["WorkerType"], 1)
        units = per_worker * sizes.get("NumberOfWorkers", 2)
    else:
        units = sizes.get("MaxCapacity") or sizes.get("AllocatedCapacity") or 10
    shown: Response = {member: sizes[member] for member in ("WorkerType", "NumberOfWorkers") if member in sizes}
    return {"MaxCapacity": float(units), "AllocatedCapacity": int(units), **shown}


def _checked(job: Response) -> Response:
    """The job with Glue's defaults filled in. Raises InvalidInputException."""
    command = job.get("Command", {})
    if command.get("Name") not in COMMANDS:
        raise invalid(f"Command.Name must be one of {', '.join(COMMANDS)} here, not {command.get('Name')}")
    if not command.get("ScriptLocation", "").startswith("s3://"):
        raise invalid("Command.ScriptLocation must be an s3:// location")
    if "MaxCapacity" in job and "WorkerType" in job:
        raise invalid("Please do not set Max Capacity if using Worker Type and Number of Workers.")
    if job.get("MaxRetries"):
        raise invalid("MaxRetries is not served here: the task that starts the job retries")
    defaults = {
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "MaxRetries": 0,
        "Timeout": DEFAULT_TIMEOUT_MINUTES,
        "GlueVersion": "5.0",
        "JobMode": "SCRIPT",
        "ExecutionClass": "STANDARD",
    }
    return defaults | job | capacity(job)
