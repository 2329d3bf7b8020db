"""What a process may no longer do once it has taken in what it needs.

Limits of memory and files are the kernel's own (setrlimit). What it may open is Landlock's, through
landlockpy; which system calls it may make is seccomp's, through seccompy. Where the kernel or the
platform has one of these not, the others still hold.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seccompy import Filter

ROOT = Path(__file__).resolve().parents[2]

PR_SET_NO_NEW_PRIVS = 38
"""prctl(2)."""

CLONE_THREAD = 0x10000
"""clone(2): what makes a thread of this process, and not a process."""

MAX_DESCRIPTORS = 64

LIBRARIES = ("lib", "lib64")

FORBIDDEN_CALLS = (
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev"),
    *("kill", "tkill", "pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    *("io_uring_setup", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key"),
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "kexec_load"),
    *("init_module", "finit_module", "delete_module", "reboot", "shmget", "msgget", "mq_open"),
)
"""System calls that no decoder makes: the network, other processes, the system itself. io_uring is
here because what goes through it is not seen by a filter."""


def preload() -> None:
    """Import what `confine` needs, which a copy of this process then has too."""
    for name in ("seccompy", "landlockpy") if sys.platform == "linux" else ():
        with contextlib.suppress(ImportError, OSError):
            import_module(name)


def confine(memory: int, folder: Path) -> list[str]:
    """Confine this process, for good, to so many bytes of memory and to writing in one folder.

    To be called before a second thread is started, as it holds for the calling one and those it
    starts.

    Returns:
        What the kernel has not: some of "Landlock" and "seccomp".
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, MAX_DESCRIPTORS)
    _limit(resource.RLIMIT_FSIZE, memory)
    if sys.platform != "linux":
        return ["Landlock", "seccomp"]
    _limit(resource.RLIMIT_AS, memory)
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    rules = None
    # Made first: seccompy looks for the C library with other programs, which Landlock forbids.
    with contextlib.suppress(ImportError, OSError):
        rules = _seccomp()
    landlock = _applied(lambda: _landlock(folder))
    seccomp = rules is not None and _applied(rules.load)
    return [name for name, done in (("Landlock", landlock), ("seccomp", seccomp)) if not done]


def forbid_threads() -> None:
    """Let the calling thread, for good, start neither a thread nor a process, as if the system had
    none. Does nothing where the kernel cannot do so, or where the C library is not glibc: another
    one may hide the reason from its caller."""
    if sys.platform != "linux" or not _is_glibc():
        return
    with contextlib.suppress(ImportError, OSError):
        rules = _no_rules()
        for name in ("clone", "clone3"):
            rules.errno(name, errno.ENOSYS)
        rules.load()


def allow_cpu(seconds: float) -> None:
    """Let this process use so many seconds of CPU from now on; then the kernel ends it."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = time.process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, hard))


def resident(pid: int) -> int | None:
    """Bytes of memory that a process holds now; None where the kernel does not say."""
    try:
        # Asked after each picture: a file object would take longer than the kernel does.
        file = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
        try:
            pages = int(os.read(file, 256).split()[1])
        finally:
            os.close(file)
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (value, value))


def _applied(apply: Callable[[], object]) -> bool:
    try:
        apply()
    except (ImportError, OSError):
        return False
    return True


def _landlock(folder: Path) -> None:
    from landlockpy import AccessFS, Ruleset, Scope

    read = AccessFS.READ_FILE | AccessFS.READ_DIR
    with Ruleset(scoped=Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET) as rules:
        for path in _readable():
            with contextlib.suppress(FileNotFoundError, PermissionError):
                rules.allow_path(path, read if path.is_dir() else AccessFS.READ_FILE)
        rules.allow_path("/dev/null", AccessFS.READ_FILE | AccessFS.WRITE_FILE)
        rules.allow_path(
            folder,
            read
            | AccessFS.WRITE_FILE
            | AccessFS.TRUNCATE
            | AccessFS.MAKE_REG
            | AccessFS.REMOVE_FILE,
        )
        rules.restrict()


def _readable() -> Iterator[Path]:
    """What is still read after the start: modules and libraries that are loaded when first used.

    Not the root folder of the service, where pictures and Redis's data are by default.
    """
    yield ROOT / "imaging"
    yield from (path for name in sys.path if (path := Path(name)).is_absolute() and path != ROOT)
    for prefix in {"/", "/usr", "/usr/local", sys.prefix, sys.base_prefix}:
        yield from (Path(prefix, name) for name in LIBRARIES)
    yield from (Path("/etc/ld.so.cache"), Path("/etc/localtime"), Path("/dev/urandom"))


def _seccomp() -> Filter:
    """What forbids calls once it is loaded."""
    from seccompy import CmpOp

    rules = _no_rules()
    for name in FORBIDDEN_CALLS:
        with contextlib.suppress(ValueError):  # this architecture has it not
            rules.errno(name, errno.EPERM)
    # Its own limits it may read and lower, those of others it may not.
    rules.errno("prlimit64", errno.EPERM, args=[(0, CmpOp.NE, 0)])
    # A thread may be started, a process not. clone3 has its flags where a filter cannot see them:
    # the C library takes clone where clone3 is not there.
    rules.errno("clone", errno.EPERM, args=[(0, CmpOp.MASKED_EQ, 0, CLONE_THREAD)])
    rules.errno("clone3", errno.ENOSYS)
    return rules


def _no_rules() -> Filter:
    """A filter that allows all calls."""
    import seccompy
    from seccompy import Filter, FilterFlag

    # Without this flag older kernels slow the process down, against attacks that read what is in
    # its memory; there are no secrets in it.
    fast = FilterFlag.SPEC_ALLOW
    return Filter(flags=fast if seccompy.flag_supported(fast) else FilterFlag.NONE)


def _is_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):  # another C library does not know the name
        return False
