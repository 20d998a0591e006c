"""Settings of the local stack, read from the environment (prefix LOCAL_AWS_).

Every field of `Settings` can be set by the variable LOCAL_AWS_<FIELD> in upper case, e.g. LOCAL_AWS_S3_PORT=9000.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path

PREFIX = "LOCAL_AWS_"
REPOSITORY = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"


class SettingsError(ValueError):
    """A variable of the environment holds a value that its setting cannot take."""


@dataclass(frozen=True)
class Settings:
    """Where the stack lives and listens. Ports are TCP ports on 127.0.0.1; memory is in Spark's notation (1g, 800m).

    The last three are parameters of the deployment: a machine of two cores trains for minutes, not for hours.
    """

    home: Path = REPOSITORY / ".local"
    repository: Path = REPOSITORY
    project_name: str = "metering"
    region: str = "eu-west-1"
    account_id: str = "123456789012"
    access_key: str = "local"
    secret_key: str = "local-secret"  # noqa: S105 (guards nothing: the engine listens on 127.0.0.1)
    control_port: int = 4566
    s3_port: int = 8333
    postgres_port: int = 5433
    api_port: int = 8088
    airflow_port: int = 8080
    redshift_database: str = "meter-data"
    spark_driver_memory: str = "1g"
    spark_cores: int = 2
    poll_seconds: int = 2
    training_epochs: int = 40
    training_samples: int = 50
    with_weather: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The defaults, overridden by LOCAL_AWS_… variables. Raises SettingsError naming the variable."""
        environ = os.environ if environ is None else environ
        defaults = cls()
        changes: dict[str, object] = {}
        for field in fields(cls):
            text = environ.get(variable(field.name))
            if text:
                changes[field.name] = _parse(field.name, text, getattr(defaults, field.name))
        return replace(defaults, **changes)  # type: ignore[arg-type]

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
        return [self.control_port, self.s3_port, self.postgres_port, self.api_port, self.airflow_port]

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
    def airflow_environment(self) -> Path:
        """The environment that mirrors MWAA."""
        return self.repository / ".venv"

    def bucket(self, zone: str) -> str:
        """Name of a zone's bucket (landing, clean, business, working, scripts, athena)."""
        return f"{self.project_name}-{zone}-{self.account_id}-{self.region}"

    def environment(self) -> dict[str, str]:
        """The variables that give another process of this package the same settings."""
        return {variable(field.name): str(getattr(self, field.name)) for field in fields(self)}

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


def variable(name: str) -> str:
    """The environment variable of a setting, e.g. s3_port -> LOCAL_AWS_S3_PORT."""
    return PREFIX + name.upper()


def _parse(name: str, text: str, default: object) -> object:
    if isinstance(default, int):
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"{variable(name)} must be a whole number, not {text!r}") from None
        if name.endswith("_port") and not 0 < value < 65536:
            raise SettingsError(f"{variable(name)} must be a port between 1 and 65535, not {value}")
        return value
    if isinstance(default, Path):
        return Path(text).expanduser().resolve()
    return text
