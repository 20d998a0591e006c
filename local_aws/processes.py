"""Child processes that never outlive their purpose.

`start` gives a child its own session (and so its own process group) and, if asked, binds its life to this process by
PR_SET_PDEATHSIG. The kernel sends that signal when the *thread* that made the child ends, therefore one thread that
lives as long as the process makes all children. A small launcher, not preexec_fn, sets the signal: running Python
between fork and exec is unsafe in a process with threads.
"""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import psutil

# argv: user id or "", group id or "", "1" to keep the right to read every file, "1" to die with the parent, the
# parent's pid, then the command with its full path.
# The user changes before the signal is set, because a change of user clears it; the new user may be unable to read
# Python's own files, therefore everything is imported before.
# The numbers: PR_SET_KEEPCAPS 8, PR_CAP_AMBIENT 47 with 2 to raise and CAP_DAC_OVERRIDE 1 (as a bit: 2),
# _LINUX_CAPABILITY_VERSION_3 0x20080522, PR_SET_PDEATHSIG 1.
_LAUNCHER = """
import ctypes, os, signal, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
uid, gid, override, bound, parent = sys.argv[1:6]
if uid:
    if override == "1":
        libc.prctl(8, 1, 0, 0, 0)
    os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
    if override == "1":
        libc.capset(struct.pack("Ii", 0x20080522, 0), struct.pack("6I", 2, 2, 2, 0, 0, 0))
        libc.prctl(47, 2, 1, 0, 0)
if bound == "1":
    libc.prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the parent process has ended")
try:
    os.execv(sys.argv[6], sys.argv[6:])
except OSError as error:
    sys.exit(f"cannot run {sys.argv[6]}: {error.strerror}")
"""


@dataclass(frozen=True)
class User:
    """Whom a child runs as. With override_permissions it may go through folders that are closed to it."""

    uid: int
    gid: int
    override_permissions: bool = False


class _Spawner:
    """The thread that makes all children of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process_id = 0
        self._requests: queue.SimpleQueue[tuple[dict[str, object], Future[subprocess.Popen[bytes]]]]

    def spawn(self, **arguments: object) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._process_id != os.getpid():
                self._process_id = os.getpid()
                self._requests = queue.SimpleQueue()
                threading.Thread(target=self._run, args=(self._requests,), name="spawner", daemon=True).start()
            answer: Future[subprocess.Popen[bytes]] = Future()
            self._requests.put((arguments, answer))
        return answer.result()

    @staticmethod
    def _run(requests: queue.SimpleQueue) -> None:
        while True:
            arguments, answer = requests.get()
            try:
                answer.set_result(subprocess.Popen(**arguments))
            except OSError as error:
                answer.set_exception(error)


_spawner = _Spawner()


def start(
    command: Sequence[object],
    env: Mapping[str, str] | None = None,
    log_path: Path | None = None,
    die_with_parent: bool = True,
    *,
    cwd: Path | None = None,
    user: User | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command (texts, paths, numbers) in its own session, its output appended to log_path (or dropped).

    `env` replaces the environment when given. With die_with_parent the child (not what it starts in turn) is killed
    when this process ends, however it ends. `user`, if given, is whom it runs as (needs root). Safe to call
    from any thread. Raises FileNotFoundError when there is no such program.
    """
    program = shutil.which(str(command[0]), path=(os.environ if env is None else env).get("PATH", os.defpath))
    if program is None:
        raise FileNotFoundError(f"there is no program {command[0]}")
    identity = [str(user.uid), str(user.gid), str(int(user.override_permissions))] if user else ["", "", "0"]
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *identity, str(int(die_with_parent)), str(os.getpid())]
    arguments = [*launcher, program, *(str(part) for part in command[1:])]
    if log_path is None:
        return _spawn(arguments, env, subprocess.DEVNULL, cwd)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        return _spawn(arguments, env, log.fileno(), cwd)


def _spawn(arguments: list[str], env: Mapping[str, str] | None, out: int, cwd: Path | None) -> subprocess.Popen[bytes]:
    return _spawner.spawn(
        args=arguments,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes] | int, timeout: float = 10, first: int = signal.SIGTERM) -> None:
    """Signal all processes of the session that this one leads, wait `timeout` seconds, kill what is left, and reap.

    Does nothing when nobody of the session is left. A child that died leaves its session's others behind: they are
    ended as well.
    """
    pid = process if isinstance(process, int) else process.pid
    end(lambda: session(pid), timeout, first)
    if isinstance(process, subprocess.Popen):
        process.wait()


def end(members: Callable[[], list[psutil.Process]], timeout: float, first: int = signal.SIGTERM) -> None:
    """Signal a set of processes, wait until it is empty, and kill who is left after `timeout` seconds."""
    _signal_all(members(), first)
    if not _gone(members, timeout):
        _signal_all(members(), signal.SIGKILL)
        _gone(members, 10)


def session(pid: int) -> list[psutil.Process]:
    """The living processes of the session that `pid` leads, the leader first."""
    members = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == pid and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue
    return sorted(members, key=lambda process: process.pid != pid)


def _signal_all(members: Sequence[psutil.Process], number: int) -> None:
    for member in members:
        try:
            member.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _gone(members: Callable[[], list[psutil.Process]], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while members():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
