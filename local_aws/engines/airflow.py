"""Airflow of the environment that mirrors MWAA (.venv), on this repository's dags/ and plugins/.

Its metadata is in the PostgreSQL of the stack; variables and connections come from SSM parameters through the same
secrets backend as on MWAA; AWS clients in tasks find the local stack by the endpoint variables.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import psutil
import psycopg

from local_aws import processes
from local_aws.engines.daemon import Daemon, EngineError
from local_aws.engines.postgres import AIRFLOW_DATABASE, Postgres
from local_aws.engines.progress import Part, WaitReport
from local_aws.private_files import write_private
from local_aws.settings import HOST, REPOSITORY, Settings

VERSION = "3.2.1"
API_SERVER = "api_server"
PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


class Airflow(Daemon):
    """AIRFLOW_HOME is <home>/airflow-<version>."""

    name = "airflow"
    port_settings: ClassVar[tuple[str, ...]] = ("airflow_port",)
    stop_timeout = 15

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.postgres = Postgres(settings)

    @property
    def folder(self) -> Path:
        return self.settings.home / f"airflow-{VERSION}"

    @property
    def program(self) -> Path:
        return self.settings.airflow_environment / "bin" / "airflow"

    @property
    def url(self) -> str:
        return self.settings.airflow_url

    def launch(self, die_with_parent: bool, report: WaitReport | None = None) -> subprocess.Popen[bytes]:
        self.migrate(report)
        self.settings.logs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "local_aws.engines.airflow_components", self.program, self.settings.logs]
        return processes.start(command, self.environment(), self.log_path, die_with_parent, cwd=REPOSITORY)

    def ready(self) -> bool:
        return not self.unhealthy()

    def unhealthy(self) -> list[str]:
        """The parts that are not healthy by Airflow's own word; all of them while it does not answer."""
        try:
            with build_opener(ProxyHandler({})).open(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:
                health: dict[str, Any] = json.load(answer)
        except (URLError, OSError, json.JSONDecodeError):
            return list(PARTS)
        return [part for part in PARTS if (health.get(part) or {}).get("status") != "healthy"]

    def unready_parts(self) -> list[Part]:
        """The parts that are not healthy; while the API server does not answer, that one, for which all others wait."""
        unhealthy = self.unhealthy()
        names = [API_SERVER] if unhealthy == list(PARTS) else unhealthy
        return [Part(name, partial(self._processes_of, name), self._log_of(name)) for name in names]

    def working_processes(self) -> list[psutil.Process]:
        """Its own, and those of its metadata database: each part waits for that now and then."""
        return [*self.members(), *self.postgres.working_processes()]

    def logs_of_end(self) -> list[Path]:
        """The log of the part that ended first, which ends all others (airflow_components.py)."""
        ended = re.findall(r"^ *ended by itself: (.+)$", self.log_tail(), re.MULTILINE)
        names = re.findall(r"([\w-]+) \(exit code", ended[-1]) if ended else []
        return [*(self._log_of(name) for name in names), self.log_path]

    def _processes_of(self, part: str) -> list[psutil.Process]:
        found = [process for process in self.members() if _component(part) in _words(process)]
        return [*found, *self.postgres.working_processes()]

    def _log_of(self, part: str) -> Path:
        return self.settings.logs / f"airflow-{_component(part)}.log"

    def migrate(self, report: WaitReport | None = None) -> bool:
        """Bring the metadata to this version of Airflow; False when the last run left them so. Raises EngineError."""
        if not self.program.exists():
            raise EngineError(f"{self.program} is missing: run `make set-up`")
        self.folder.mkdir(parents=True, exist_ok=True)
        stamp = self.folder / "migrated.json"
        if stamp.exists() and json.loads(stamp.read_text()) == self._revision():
            return False
        process = processes.start([self.program, "db", "migrate"], self.environment(), self.log_path)
        self.run_to_end(process, "airflow db migrate", report)
        stamp.write_text(json.dumps(self._revision()))
        return True

    def environment(self) -> dict[str, str]:
        """All of Airflow's configuration is here; there is no airflow.cfg to edit."""
        settings = self.settings
        database = self.postgres.dsn(AIRFLOW_DATABASE).removeprefix("postgresql")
        keys = self._keys()
        parameter_store = {
            "connections_prefix": "/airflow/connections",
            "variables_prefix": "/airflow/variables",
        }
        configuration = {
            "core__dags_folder": str(settings.repository / "dags"),
            "core__plugins_folder": str(settings.repository / "plugins"),
            "core__load_examples": "False",
            "core__executor": "local_aws_executor.LocalExecutor",
            "core__parallelism": "4",
            "core__dags_are_paused_at_creation": "False",
            "core__simple_auth_manager_all_admins": "True",
            "core__fernet_key": keys["fernet"],
            "core__execution_api_server_url": f"{self.url}/execution/",
            "database__sql_alchemy_conn": f"postgresql+psycopg2{database}",
            "database__sql_alchemy_conn_async": f"postgresql+asyncpg{database}",
            # The supervisor of a task notices its end only at a heartbeat: 5 s, unless told otherwise.
            "workers__min_heartbeat_interval": "1",
            # On a machine that is busy with other work an answer may take long. A task whose supervisor gets no answer
            # is failed, and a DAG file that is parsed too slowly is missing.
            "workers__execution_api_timeout": "60",
            "core__dagbag_import_timeout": "180",
            "dag_processor__dag_file_processor_timeout": "240",
            "api__host": HOST,
            "api__port": str(settings.airflow_port),
            "api__base_url": self.url,
            "api__workers": "1",
            "api__secret_key": keys["api"],
            "api_auth__jwt_secret": keys["jwt"],
            "dag_processor__parsing_processes": "1",
            "scheduler__scheduler_idle_sleep_time": "0.5",
            "secrets__backend": (
                "airflow.providers.amazon.aws.secrets.systems_manager.SystemsManagerParameterStoreBackend"
            ),
            "secrets__backend_kwargs": json.dumps(parameter_store),
            "usage_data_collection__enabled": "False",
        }
        return {
            **_inherited(),
            **settings.aws_environment(),
            **{f"AIRFLOW__{name.upper()}": value for name, value in configuration.items()},
            **self.mark(),
            "AIRFLOW_HOME": str(self.folder),
            "PYTHONPATH": str(REPOSITORY / "local_aws" / "airflow_path"),
            # The connection that every hook asks for by default: no more than the credentials of this environment.
            "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
            **settings.dag_environment(),
            "PATH": f"{self.program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "NO_PROXY": f"{HOST},localhost",
            "no_proxy": f"{HOST},localhost",
            "SCARF_NO_ANALYTICS": "true",
            "DO_NOT_TRACK": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def _keys(self) -> dict[str, str]:
        path = self.settings.home / "airflow_keys.json"
        if not path.exists():
            keys = {"fernet": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}
            keys |= {name: secrets.token_urlsafe(32) for name in ("api", "jwt")}
            write_private(path, json.dumps(keys))
        known: dict[str, str] = json.loads(path.read_text())
        return known

    def _revision(self) -> dict[str, str]:
        """Airflow's version and the revision of its tables; the latter is empty when there are none."""
        with psycopg.connect(self.postgres.dsn(AIRFLOW_DATABASE)) as connection:
            if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                return {"airflow": VERSION, "revision": ""}
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return {"airflow": VERSION, "revision": row[0] if row else ""}


def _component(part: str) -> str:
    """The command of a part, as in the name of its log. The API server answers for the metadata database."""
    return "api-server" if part in (API_SERVER, "metadatabase") else part.replace("_", "-")


def _words(process: psutil.Process) -> str:
    """The command line of a process; the API server changes its own to `airflow api_server`."""
    try:
        return " ".join(process.cmdline()).replace("_", "-")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


def _inherited() -> dict[str, str]:
    ours = ("AIRFLOW", "AWS_", "LOCAL_AWS_", "METERING_", "PYTHON", "VIRTUAL_ENV", "NO_PROXY", "no_proxy")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
