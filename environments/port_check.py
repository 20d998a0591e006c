"""Says which settings and ports would stop the platform, before anything is installed.

    python3 -m environments.port_check

`make up` and `make demo` call it first. It needs the standard library only, so it reads `.env` itself, by the rules of
python-dotenv for values on one line; a test compares the two. Names, defaults and messages are those of
local_aws/settings.py. A port that this platform itself holds is no conflict.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from local_aws import ports
from local_aws.settings import (
    ENGINE_VARIABLE,
    ENVIRONMENT,
    HOME_VARIABLE,
    LARGEST_PORT,
    PORT_SETTINGS,
    PORT_USERS,
    Settings,
    chosen_file,
    equal_ports,
    not_utf_8,
    unknown_names,
    variable,
    wrong_value,
)

NAME = re.compile(r"\s*(?:export\s+)?(?:'([^']+)'|([^=#\s]+))\s*=(\s*)(.*)")
SINGLE_QUOTED = re.compile(r"'((?:\\.|[^'\\])*)'")
DOUBLE_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
REFERENCE = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")


def conflicts(environ: Mapping[str, str], file: Path | None = None) -> list[str]:
    """A sentence for each setting that is wrong and each port that another program holds, with what to do."""
    file = chosen_file(environ) if file is None else file
    try:
        in_file = variables(file, environ)
    except UnicodeDecodeError:
        return [not_utf_8(file)]
    set_here = {name: text for name, text in environ.items() if text}
    given = {**{name: text for name, (text, _) in in_file.items() if text}, **set_here}
    places = {**{name: f"{file.name}, line {line}" for name, (_, line) in in_file.items()}}
    places |= dict.fromkeys(set_here, ENVIRONMENT)

    found = unknown_names(places)
    chosen: dict[str, int] = {}
    for name in PORT_SETTINGS:
        text = given.get(variable(name), "")
        if not text:
            chosen[name] = getattr(Settings, name)
        elif text.strip().isdecimal() and 0 < int(text) <= LARGEST_PORT:
            chosen[name] = int(text)
        else:
            found.append(wrong_value(name, text, places[variable(name)]))
    found += equal_ports(chosen)
    home = file.parent if places.get(HOME_VARIABLE) != ENVIRONMENT else Path.cwd()
    home = (home / Path(given.get(HOME_VARIABLE) or Settings.home).expanduser()).resolve()
    found += [
        ports.taken(port, PORT_USERS[name], variable(name))
        for name, port in chosen.items()
        if not ports.is_free(port) and not is_of_platform(ports.holder(port), home)
    ]
    return found


def variables(file: Path, environ: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """The variables of a file like `.env`, each with the number of its line. What it cannot read, it passes over:
    `local_aws` reads the file again, with python-dotenv, and names such lines."""
    found: dict[str, tuple[str, int]] = {}
    lines = file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, start=1):
        match = NAME.fullmatch(line)
        if match:
            known = {**environ, **{name: text for name, (text, _) in found.items()}}
            found[match[1] or match[2]] = (_value(match[4], bool(match[3]), known), number)
    return found


def is_of_platform(holder: ports.Holder | None, home: Path) -> bool:
    """Whether a process was started by the platform whose data is in `home`."""
    if holder is None:
        return False
    try:
        leader = os.getsid(holder.pid)
        marks = Path(f"/proc/{holder.pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    # An engine leads a session, and its file names the leader. What an engine left behind when it died carries marks.
    started = [json.loads(file.read_text())["pid"] for file in (home / "run").glob("*.json")]
    is_marked = f"{HOME_VARIABLE}={home}".encode() in marks and any(
        mark.startswith(f"{ENGINE_VARIABLE}=".encode()) for mark in marks
    )
    return leader in started or is_marked


def _value(text: str, after_space: bool, known: Mapping[str, str]) -> str:
    """What stands right of the equal sign: quoted, or up to a remark. ${NAME} and ${NAME:-default} are replaced."""
    single, double = SINGLE_QUOTED.match(text), DOUBLE_QUOTED.match(text)
    if single:
        value = re.sub(r"\\([\\'])", r"\1", single[1])
    elif double:
        value = re.sub(r"\\([\\'\"])", r"\1", double[1])
    elif after_space and text.startswith("#"):
        value = ""
    else:
        value = re.sub(r"\s+#.*", "", text).rstrip()
    return REFERENCE.sub(lambda match: known.get(match[1], match[2] or ""), value)


if __name__ == "__main__":
    problems = conflicts(os.environ)
    if problems:
        print("Nothing was installed or started.", *problems, sep="\n", file=sys.stderr)
        sys.exit(1)
