"""python -m local_aws up | down | status | logs"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local_aws.engines.daemon import EngineError
from local_aws.machine import MachineError
from local_aws.settings import (
    ENV_FILE_VARIABLE,
    HOST,
    Settings,
    SettingsError,
    default_text,
    documented,
    variable,
)
from local_aws.stack import Stack

DESCRIPTION = """\
The AWS services that this project uses, on this machine: S3, Glue, Athena, Redshift, SSM, Secrets Manager and others
behind one control plane, the REST API, and Airflow on the project's DAGs. Everything listens on 127.0.0.1.
"""
EPILOG = """\
Settings are variables, in the environment or in the file .env (.env.example is a template). The environment wins.
{settings}

exit codes: 0 done, 1 an error that the message explains, 3 (status) something is down
"""
SOMETHING_IS_DOWN = 3


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    try:
        stack = Stack(Settings.from_environment())
        match given.command:
            case "up":
                return _up(stack, console, frozenset(given.without))
            case "down":
                return _down(stack, console)
            case "status":
                return _status(stack, console)
            case _:
                return _logs(stack, given.component, given.follow)
    except (EngineError, MachineError, SettingsError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(f"error: {error}", style="red")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local_aws",
        description=DESCRIPTION,
        epilog=EPILOG.format(settings=_settings()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="up | down | status | logs")
    up = commands.add_parser("up", help="start what is not running and create what infra/*.yaml describes; data stays")
    up.add_argument("--without", action="append", default=[], choices=["airflow"], help="leave this engine out")
    commands.add_parser("down", help="stop everything that `up` started; data stays")
    commands.add_parser("status", help="what runs, where, and with how much memory; exit code 3 if anything is down")
    logs = commands.add_parser("logs", help="the ends of the log files")
    logs.add_argument("component", nargs="?", help="postgres, seaweedfs, control_plane or airflow (default: all)")
    logs.add_argument("-f", "--follow", action="store_true", help="go on with what is added, until Ctrl-C")
    return parser


def _settings() -> str:
    """A line for each setting, for --help."""
    lines = []
    for setting in documented():
        default = default_text(setting)
        remark = f" ({default})" if default else ""
        lines.append(f"  {variable(setting.name):<30}{setting.metadata['description']}{remark}")
    return "\n".join([*lines, f"  {ENV_FILE_VARIABLE:<30}the file that is read instead of .env"])


def _up(stack: Stack, console: Console, without: frozenset[str]) -> int:
    from local_aws.infrastructure.templates import TemplateError

    began = time.monotonic()

    def report(what: str, seconds: float, remark: str) -> None:
        console.print(f"{what:<18}{seconds:6.1f} s  {remark}")

    try:
        stack.up(report, without=without)
    except TemplateError as error:
        raise EngineError(f"the resources could not be created: {error}") from error
    console.print(f"{'everything':<18}{time.monotonic() - began:6.1f} s  up")
    return 0


def _down(stack: Stack, console: Console) -> int:
    ran = stack.down(lambda what, seconds, remark: console.print(f"{what:<18}{seconds:6.1f} s  {remark}"))
    if not ran:
        console.print("nothing was running")
    return 0


def _status(stack: Stack, console: Console) -> int:
    table = Table(box=None, pad_edge=False)
    for column in ("component", "state", "pid", "url"):
        table.add_column(column)
    table.add_column("memory", justify="right")
    states = []
    for engine in stack.engines:
        state, process = engine.state(), engine.process()
        states.append(state)
        memory = f"{engine.memory() / 1024**2:.0f} MB" if process else ""
        table.add_row(engine.name, state, str(process.pid) if process else "", engine.url, memory)
        if engine is stack.control_plane:
            answers = _listens(stack.settings.api_port)
            states.append("running" if answers else "down")
            table.add_row("  rest api", states[-1], "", stack.settings.api_url, "")
    console.print(table)
    return 0 if set(states) == {"running"} else SOMETHING_IS_DOWN


def _logs(stack: Stack, component: str | None, follow: bool) -> int:
    files = sorted(stack.settings.logs.glob(f"{component or ''}*.log"))
    if not files:
        raise EngineError(f"there is no log of {component or 'anything'} in {stack.settings.logs}")
    sys.stdout.flush()
    os.execvp("tail", ["tail", "-n", "50", *(["-F"] if follow else []), *_titled(files)])  # noqa: S606 (no shell needed)


def _titled(files: list[Path]) -> list[str]:
    return ["-v", *(str(file) for file in files)]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((HOST, port)) == 0


if __name__ == "__main__":
    sys.exit(main())
