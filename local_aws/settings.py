"""Settings of the local stack: their names, defaults and limits, and the messages about wrong ones.

Each field of `Settings` can be set by a variable, LOCAL_AWS_<FIELD> in upper case unless the field names another one,
in the environment or in the file `.env` (local_aws/environment.py reads both). This module needs the standard library
only: environments/port_check.py uses it before anything is installed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

PREFIX = "LOCAL_AWS_"
REPOSITORY = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
LARGEST_PORT = 65535
# Names the file that is read instead of .env.
ENV_FILE_VARIABLE = "LOCAL_AWS_ENV_FILE"
HOME_VARIABLE = "LOCAL_AWS_HOME"
# The stand-in marks its processes with it (local_aws/engines/daemon.py); people do not set it.
ENGINE_VARIABLE = "LOCAL_AWS_ENGINE"
# These belong to the tests, but may stand in .env or in the environment too.
SHARED_DATA_VARIABLE = "SHARED_DATA"
TEST_VARIABLES = (SHARED_DATA_VARIABLE, "METERING_SEQUENCES")
OUR_PREFIXES = (PREFIX, "METERING_")
# The AWS command line and the SDKs read variables with this prefix.
AWS_PREFIX = "AWS_"
# Where a variable was set, if not in a file.
ENVIRONMENT = "environment"


class SettingsError(ValueError):
    """A variable has an unknown name or a value that its setting cannot take. The message says which and where."""


def _about(
    description: str, *, least: int | None = None, most: int | None = None, variable: str = ""
) -> dict[str, Any]:
    """What a setting is for, its limits if it is a number, and its variable if that has a name of its own."""
    return {"description": description, "least": least, "most": most, "variable": variable}


def _setting(default: Any, description: str, **about: Any) -> Any:
    return field(default=default, metadata=_about(description, **about))


def _port(default: int, description: str) -> Any:
    return _setting(default, description, least=1, most=LARGEST_PORT)


@dataclass(frozen=True)
class Settings:
    """Where the stack lives and listens, and how patient it is. Ports are TCP ports on 127.0.0.1.

    `Settings(…)` reads no variable, so that tests are independent of somebody's environment; `from_environment` does.
    """

    home: Path = field(default=REPOSITORY / ".local", metadata=_about("folder of all data and logs"))
    airflow_port: int = _port(8080, "port of Airflow's UI")
    api_port: int = _port(8088, "port of the REST API")
    control_port: int = _port(4566, "port of the AWS services except S3")
    s3_port: int = _port(8333, "port of S3")
    postgres_port: int = _port(5433, "port of PostgreSQL")
    project_name: str = _setting("metering", "first part of all names of resources")
    region: str = _setting("eu-west-1", "Region")
    account_id: str = _setting("123456789012", "AWS account")
    access_key: str = _setting("local", "access key of the AWS services")
    # It guards nothing: the engine listens on 127.0.0.1.
    secret_key: str = _setting("local-secret", "secret key of the AWS services")
    redshift_database: str = _setting("meter-data", "database of the Redshift stand-in")
    spark_driver_memory: str = _setting(
        "1g", "memory of Java in a Glue job that spreads its work, in Spark's notation (1g, 800m)"
    )
    spark_cores: int = _setting(2, "cores of a Glue job that spreads its work", least=1)
    poll_seconds: int = _setting(2, "how often a DAG asks whether a job has ended, in seconds", least=1)
    # Parameters of the deployment: a machine of two cores trains for minutes, not for hours.
    training_epochs: int = _setting(40, "epochs of a training", least=1)
    training_samples: int = _setting(50, "meters of a training", least=1)
    with_weather: int = _setting(0, "1: forecasts use the weather", least=0, most=1)
    # Settings of the DAGs (plugins/metering/settings.py). A job that failed here fails again: it is shown at once. Any
    # other task is tried again soon.
    job_retries: int = _setting(0, "how often a failed job is tried again", least=0, variable="METERING_JOB_RETRIES")
    retry_delay_seconds: int = _setting(
        5, "wait before a task is tried again, in seconds", least=1, variable="METERING_RETRY_DELAY_SECONDS"
    )
    retries: int | None = _setting(
        None, "how often any other failed task is tried again", least=0, variable="METERING_RETRIES"
    )
    max_wait_hours: int | None = _setting(
        None, "how long a task waits for a job, in hours", least=1, variable="METERING_MAX_WAIT_HOURS"
    )
    transform_tasks: int | None = _setting(
        None, "how many tasks start batch transforms at a time", least=1, variable="METERING_TRANSFORM_TASKS"
    )
    repository: Path = field(default=REPOSITORY, metadata=_about(""))

    @classmethod
    def from_environment(cls, env_file: Path | None = None) -> Settings:
        """The defaults, overridden by `.env` and then by the environment. Raises SettingsError naming the variable."""
        from local_aws.environment import read_settings

        return read_settings(env_file)

    @property
    def partition(self) -> str:
        return "aws-cn" if self.region.startswith("cn-") else "aws"

    @property
    def control_url(self) -> str:
        return f"http://{HOST}:{self.control_port}"

    @property
    def s3_url(self) -> str:
        return f"http://{HOST}:{self.s3_port}"

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self.api_port}"

    @property
    def ports(self) -> list[int]:
        """The ports on which the stack is to be reached, whether or not something listens there yet."""
        return [getattr(self, name) for name in PORT_SETTINGS]

    @property
    def airflow_url(self) -> str:
        return f"http://{HOST}:{self.airflow_port}"

    @property
    def logs(self) -> Path:
        """Folder of the engines' log files."""
        return self.home / "logs"

    @property
    def local_python(self) -> Path:
        """The interpreter of the environment that holds the engines."""
        return self.repository / ".venv-local" / "bin" / "python"

    @property
    def glue_environment(self) -> Path:
        """The environment that has what Glue has."""
        return self.repository / ".venv-glue"

    @property
    def glue_python(self) -> Path:
        """The interpreter that runs Glue jobs."""
        return self.glue_environment / "bin" / "python"

    @property
    def airflow_environment(self) -> Path:
        """The environment that mirrors MWAA."""
        return self.repository / ".venv"

    def bucket(self, zone: str) -> str:
        """Name of a zone's bucket (landing, clean, business, working, scripts, athena)."""
        return f"{self.project_name}-{zone}-{self.account_id}-{self.region}"

    def environment(self) -> dict[str, str]:
        """The variables that give another process of this package the same settings, whatever `.env` says."""
        values = {variable(one.name): getattr(self, one.name) for one in fields(self)}
        texts = {name: str(value) for name, value in values.items() if value is not None}
        return {**texts, ENV_FILE_VARIABLE: os.devnull}

    def dag_environment(self) -> dict[str, str]:
        """The METERING_… variables that the DAGs read (plugins/metering/settings.py)."""
        chosen = {name: text for name, text in self.environment().items() if name.startswith("METERING_")}
        return {"METERING_POLL_SECONDS": str(self.poll_seconds), **chosen}

    def aws_environment(self) -> dict[str, str]:
        """Variables that lead boto3, the AWS provider and S3 clients to this stack."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.control_url,
            "AWS_ENDPOINT_URL_S3": self.s3_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


PORT_SETTINGS = tuple(one.name for one in fields(Settings) if one.name.endswith("_port"))
# The engines by the ports that they listen on.
PORT_USERS = {
    "airflow_port": "airflow",
    "api_port": "control_plane",
    "control_port": "control_plane",
    "s3_port": "seaweedfs",
    "postgres_port": "postgres",
}


def variable(name: str) -> str:
    """The variable of a setting, e.g. s3_port -> LOCAL_AWS_S3_PORT."""
    return Settings.__dataclass_fields__[name].metadata["variable"] or PREFIX + name.upper()


def documented() -> list[Field[Any]]:
    """The fields of Settings that people may want to set; `repository` is for the stand-in's own processes."""
    return [one for one in fields(Settings) if one.metadata["description"]]


def default_text(one: Field[Any]) -> str:
    """The default as somebody would type it; empty where the DAGs have one of their own."""
    if isinstance(one.default, Path):
        return str(one.default.relative_to(REPOSITORY))
    return "" if one.default is None else str(one.default)


def wrong_value(name: str, text: str, where: str) -> str:
    """What to say of a value that the setting `name` cannot take. `where`: "environment" or ".env, line 3"."""
    least, most = (Settings.__dataclass_fields__[name].metadata[limit] for limit in ("least", "most"))
    if name in PORT_SETTINGS:
        wanted = f"a port between {least} and {most}"
    elif most is not None:
        wanted = f"a whole number from {least} to {most}"
    else:
        wanted = f"a whole number, {least} or more"
    return f"{variable(name)} must be {wanted}, not {text!r} ({where})"


def unreadable_line(where: str) -> str:
    """What to say of a line of `.env` that sets nothing."""
    return f"{where} sets no variable. Write NAME=value, or # before a remark"


def not_utf_8(file: Path) -> str:
    """What to say of a file like `.env` in another encoding."""
    return f"{file} is not UTF-8. Save it as UTF-8"


def unknown_names(places: Mapping[str, str]) -> list[str]:
    """What to say of the variables that look like settings and are none. `places` maps each name to its place.

    A name in the environment is looked at if it begins as ours do. A file like `.env` may hold variables of other
    programs too, e.g. AWS_REGION: there a name counts also if it nearly is one of ours and none of AWS. Capital letters
    make no difference.
    """
    known = [*(variable(one.name) for one in fields(Settings)), *TEST_VARIABLES, ENV_FILE_VARIABLE, ENGINE_VARIABLE]
    found = []
    for name, where in places.items():
        in_capitals = name.upper()
        # Some settings of the DAGs have a name of their own on this machine: METERING_POLL_SECONDS is one.
        here = in_capitals.replace("METERING_", PREFIX, 1)
        near = get_close_matches(in_capitals, known, n=1, cutoff=0.75) or [name for name in known if name == here]
        is_slip = where != ENVIRONMENT and bool(near) and not in_capitals.startswith(AWS_PREFIX)
        is_ours = in_capitals.startswith(OUR_PREFIXES) or is_slip
        if name not in known and is_ours:
            hint = f"Did you mean {near[0]}?" if near else ".env.example lists all settings."
            found.append(f"{name} is not a setting ({where}). {hint}")
    return found


def equal_ports(chosen: Mapping[str, int]) -> list[str]:
    """What to say of settings that name the same port. `chosen` maps names of settings to ports."""
    by_port: dict[int, list[str]] = {}
    for name, port in chosen.items():
        by_port.setdefault(port, []).append(variable(name))
    return [
        f"{' and '.join(names)} are the same port, {port}: give each one of its own in .env or in the environment"
        for port, names in by_port.items()
        if len(names) > 1
    ]


def chosen_file(environ: Mapping[str, str]) -> Path:
    """The file with variables: `.env` in the repository unless LOCAL_AWS_ENV_FILE names another one."""
    named = environ.get(ENV_FILE_VARIABLE)
    return Path(named).expanduser().absolute() if named else REPOSITORY / ".env"
