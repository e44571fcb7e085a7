"""This is what holds a foreign strategy: limits, seccomp and Landlock, put on before any of its code is read.

seccomp lets through only the calls listed here: none makes a socket, a process or a file, and files open for
reading alone. Landlock leaves Python and its packages to read: no key, no database, nobody's home. Neither
needs a privilege, and root is held like anybody.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from plugins.settings import Isolation, SandboxLimits
from plugins.sources import PROJECT

_PR_SET_PDEATHSIG: Final = 1
WRITING: Final = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CALLS: Final = (
    *("read", "write", "readv", "writev", "pread64", "lseek", "close", "fstat", "newfstatat"),
    *("statx", "stat", "lstat", "access", "faccessat", "faccessat2", "readlink", "readlinkat"),
    *("getdents64", "getcwd", "poll", "ppoll", "pselect6"),
    *("mmap", "mprotect", "munmap", "mremap", "madvise", "brk", "futex", "getrandom"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall"),
    *("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday"),
    *("getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo"),
    *("sched_yield", "sched_getaffinity", "getrusage", "exit", "exit_group"),
)
"""All that numpy and pandas need to count. What is not here answers "not permitted"."""


@cache
def missing() -> tuple[str, ...]:
    """Name what this machine lacks to hold a foreign strategy fully."""
    lacking = []
    if find_spec("seccompy") is None or not _has_seccomp():
        lacking.append("seccomp")
    if find_spec("landlockpy") is None or not _has_landlock():
        lacking.append("Landlock")
    return tuple(lacking)


def confine(limits: SandboxLimits) -> None:
    """Hold this process from here on; nothing takes it off again.

    Raises:
        OSError: when the machine cannot; then no foreign code may run.
    """
    if limits.isolation is Isolation.FULL and missing():
        raise OSError(f"no {' and no '.join(missing())}")
    _end_with_parent()
    _limit(limits)
    if limits.isolation is Isolation.FULL:
        _hide_files()
        _filter_calls()


def _end_with_parent() -> None:
    """Let no foreign code outlive who asked it, however that ended; Linux only, elsewhere its limits end it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit(limits: SandboxLimits) -> None:
    memory = limits.memory_mb << 20
    for name, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(name, (limit, limit))


def _hide_files() -> None:
    from landlockpy import AccessFS, Ruleset, Scope  # noqa: PLC0415 - Linux only

    readable = AccessFS.READ_FILE | AccessFS.READ_DIR
    with Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as ruleset:
        for folder in sorted(_readable_folders()):
            ruleset.allow_path(folder, readable)
        ruleset.restrict()


def _readable_folders() -> set[str]:
    """Give where Python, its packages and what they link to lie, and what a strategy may build on."""
    folders = {sys.prefix, sys.base_prefix, "/usr/lib", "/usr/share/zoneinfo", "/lib", "/lib64"}
    folders |= {str(PROJECT / name) for name in ("strategies", "trading")}
    return {folder for folder in folders if folder != "/" and Path(folder).is_dir()}


def _filter_calls() -> None:
    from seccompy import Action, CmpOp, Filter  # noqa: PLC0415 - Linux only
    from seccompy.syscalls import syscall_nr  # noqa: PLC0415

    kept = Filter(default=Action.ERRNO | errno.EPERM)
    for call in CALLS:
        try:
            syscall_nr(call)
        except ValueError:
            continue  # an older name that this processor does not have
        kept.allow(call)
    kept.allow("openat", args=[(2, CmpOp.MASKED_EQ, os.O_RDONLY, WRITING)])
    kept.load()


def _has_seccomp() -> bool:
    import seccompy  # noqa: PLC0415 - Linux only

    return bool(seccompy.supported())


def _has_landlock() -> bool:
    import landlockpy  # noqa: PLC0415 - Linux only

    return bool(landlockpy.supported())
