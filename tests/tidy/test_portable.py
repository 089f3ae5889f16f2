"""Nothing that only Linux and macOS have is called without something else for Windows.

The scan goes by names, so each place that brings its own way for Windows stands in ALLOWED, with the reason.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.sources import ROOT, imports, nodes, shipped, tree

ALLOWED = {
    ("riskcore/store/lease.py", "os.getuid"): "not evaluated on Windows, where the name of the user stands for it",
    ("riskcore/live/stop_signals.py", "signal.pthread_sigmask"): "behind hasattr: Windows has no blocked signals",
    ("riskcore/cli/screen/terminal.py", "signal.SIGTSTP"): "behind sys.platform: Windows has no Ctrl-Z",
    ("riskcore/cli/screen/terminal.py", "signal.SIGSTOP"): "in a handler that is not set on Windows",
    ("riskcore/cli/screen/terminal.py", "os.kill"): "in handlers that are not set on Windows",
    ("riskcore/cli/service_command.py", "os.getuid"): "behind hasattr: a file for macOS can be shown elsewhere",
    ("riskcore/live/system_notify.py", "socket.AF_UNIX"): "behind hasattr: only systemd listens there",
    ("riskcore/store/server_lease.py", "time.clock_gettime"): "behind getattr: Windows has no such clocks",
    ("riskcore/store/export_file.py", "os.set_blocking"): "a missing one is an AttributeError that is caught and said",
    ("riskcore/cli/service_files.py", "/usr/bin/env"): "in a file for systemd, which is on Linux alone",
}


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULES = words("fcntl grp pwd resource termios tty pty readline curses syslog spwd posix")
OF = {
    "os": words("""
        fork forkpty getuid geteuid getgid getegid getgroups setuid setgid setsid getsid getpgid getpgrp setpgid kill
        killpg fchmod fchown chown lchown lchmod chroot mkfifo mknod link symlink statvfs fstatvfs sync wait wait3 wait4
        waitpid nice getpriority setpriority sched_getaffinity sched_setaffinity getloadavg uname sysconf pathconf pread
        pwrite posix_fallocate posix_fadvise posix_spawn sendfile set_blocking openpty ttyname tcgetpgrp tcsetpgrp lockf
        fdatasync O_DIRECTORY O_NOFOLLOW O_CLOEXEC O_NONBLOCK O_SYNC O_DSYNC O_NOATIME EX_USAGE WNOHANG
    """),
    "signal": words("""
        SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGQUIT SIGALRM SIGCHLD SIGPIPE SIGSTOP SIGCONT SIGTTIN SIGWINCH SIGTSTP SIGTTOU
        setitimer alarm pause pthread_sigmask pthread_kill sigwait siginterrupt
    """),
    "socket": words("AF_UNIX SO_REUSEPORT MSG_DONTWAIT send_fds recv_fds"),
    "time": words("tzset clock_gettime clock_settime"),
}
METHODS = words("""
    add_signal_handler remove_signal_handler add_reader add_writer hardlink_to symlink_to lchmod open_unix_connection
    start_unix_server create_unix_server create_unix_connection
""")
QUESTIONS = {"owner", "group"}  # Of a path.
PLACES = ("/tmp", "/dev/", "/proc/", "/etc/", "/var/", "/usr/", "/sys/", "/run/", "/home/", "/bin/")
FLAGS = ("%-d", "%-m", "%-H", "%-I", "%-M", "%-S", "%-j", "%-y", "%e", "%k", "%l", "%P", "%s", "%G-", "%D", "%T", "%F")
WITH_TEXT = {"read_text", "write_text", "fdopen", "open", "TextIOWrapper", "NamedTemporaryFile", "TemporaryFile"}
RENAMING = {"rename", "renames"}
BYTES_UNLESS_SAID = {"NamedTemporaryFile", "TemporaryFile"}
PATHS = ("path", "file", "place", "partial", "copy", "beside", "unfinished", "draft")


def beside_windows(module: ast.Module) -> set[int]:
    """The lines of what stands in the other branch where Windows has its own."""
    others = (
        node.orelse
        for node in nodes(module)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "sys.platform == 'win32'"
    )
    return {line for body in others for one in body for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}


def posix_only(module: ast.Module) -> Iterator[tuple[int, str]]:
    """What Windows does not have, by name, and without a branch for it."""
    fine = beside_windows(module)
    return ((line, name) for line, name in _posix_only(module) if line not in fine)


def _posix_only(module: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in imports(module):
        if name.partition(".")[0] in MODULES:
            yield line, name
    for node in nodes(module):
        if isinstance(node, ast.Attribute):
            room = ast.unparse(node.value)
            if node.attr in OF.get(room, METHODS):
                yield node.lineno, f"{room}.{node.attr}" if room in OF else node.attr
            elif node.attr in QUESTIONS and room.endswith(PATHS):
                yield node.lineno, f"{node.attr} of a path"


def unix_texts(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Folders that only Unix has, and flags of strftime that only some C libraries know."""
    formats = {
        id(argument)
        for node in nodes(module)
        if isinstance(node, ast.Call) and name_of(node.func) in ("strftime", "strptime")
        for argument in node.args
    }
    for node in nodes(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_format = id(node) in formats and any(flag in node.value for flag in FLAGS)
            if is_format or node.value.startswith(PLACES):
                yield node.lineno, node.value


def name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def text_without_encoding(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Text read or written in whatever encoding the system prefers: on Windows that is not UTF-8."""
    for node in nodes(module):
        if not isinstance(node, ast.Call) or name_of(node.func) not in WITH_TEXT:
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "encoding" not in given and None not in given and _is_text(node, given.get("mode")):
            yield node.lineno, f"{name_of(node.func)} without encoding"


def _is_text(call: ast.Call, mode: ast.expr | None) -> bool:
    name = name_of(call.func)
    method = isinstance(call.func, ast.Attribute)
    receiver = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    if name == "read_text":
        return not call.args
    if name == "write_text":
        return len(call.args) == 1
    if name == "open" and receiver in ("os", "webbrowser", "tarfile", "zipfile"):
        return False
    first = 1 if name == "fdopen" or (name == "open" and (not method or receiver in ("io", "gzip"))) else 0
    mode = mode or (call.args[first] if len(call.args) > first else None)
    if isinstance(mode, ast.Constant) and isinstance(mode.value, str):
        return (set(mode.value) <= set("rwaxt+U") and receiver != "gzip") or "t" in mode.value
    if name == "open" and method:
        return not call.args and receiver.rpartition(".")[2].endswith(PATHS)
    return (mode is None and name not in BYTES_UNLESS_SAID and name != "TextIOWrapper") or name == "TextIOWrapper"


def replaced_while_open(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Windows neither renames nor removes a file that is open, and `rename` does not replace one that is there."""
    for node in nodes(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RENAMING:
            room = ast.unparse(node.func.value)
            if room == "os" or room.endswith(PATHS):
                yield node.lineno, "rename"
        if not isinstance(node, ast.With):
            continue
        opened = {
            item.optional_vars.id
            for item in node.items
            if isinstance(item.context_expr, ast.Call)
            and name_of(item.context_expr.func) in ("open", "fdopen", "NamedTemporaryFile")
            and isinstance(item.optional_vars, ast.Name)
        }
        for inner in (one for statement in node.body for one in ast.walk(statement)):
            if isinstance(inner, ast.Call) and name_of(inner.func) in ("replace", "unlink", "remove") and opened:
                about = {one.id for one in ast.walk(inner) if isinstance(one, ast.Name)}
                whole = ast.unparse(inner.func) in ("os.replace", "os.unlink", "os.remove")
                if about & opened and (whole or len(inner.args) < 2):
                    yield inner.lineno, f"{ast.unparse(inner.func)} of an open file"


CHECKS = (posix_only, unix_texts, text_without_encoding, replaced_while_open)


def found_in(module: ast.Module) -> list[tuple[int, str]]:
    return [one for check in CHECKS for one in check(module)]


def test_nothing_is_called_that_windows_lacks() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), what): line
        for path in shipped().values()
        for line, what in found_in(tree(path))
    }
    assert {f"{file}:{line}: {what}" for (file, what), line in found.items() if (file, what) not in ALLOWED} == set()
    assert set(ALLOWED) - set(found) == set(), "allowed, and no longer there"


@pytest.mark.parametrize(
    "line",
    [
        "import fcntl",
        "from pwd import getpwnam",
        "os.fork()",
        "if sys.platform == 'win32':\n    import fcntl",
        "os.kill(1, 9)",
        "os.fchmod(3, 0)",
        "os.link(a, b)",
        "signal.signal(signal.SIGHUP, f)",
        "loop.add_signal_handler(2, f)",
        "path.owner()",
        "folder = '/tmp/x'",
        "day.strftime('%-d %B')",
        "open(path)",
        "open(path, 'w')",
        "path.open('a')",
        "path.open()",
        "path.read_text()",
        "path.write_text(text)",
        "os.fdopen(handle, 'w')",
        "NamedTemporaryFile('w')",
        "os.rename(a, b)",
        "path.rename(other)",
        "with NamedTemporaryFile('wb') as file:\n    os.replace(file.name, place)",
    ],
)
def test_an_offender_would_be_seen(line: str) -> None:
    assert found_in(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "os.open(path, os.O_RDONLY)",
        "path.open('rb')",
        "path.open('w', encoding='utf-8')",
        "self.gateway.open()",
        "Journal.open(store, profile)",
        "NamedTemporaryFile(dir=folder)",
        "gzip.open(path)",
        "account.owner",
        "if sys.platform == 'win32':\n    import msvcrt\nelse:\n    import fcntl",
        "text.replace('a', 'b')",
        "day.strftime('%d %B')",
        "with path.open('wb') as file:\n    file.write(b'')\npath.replace(place)",
    ],
)
def test_what_every_system_has_is_left_alone(line: str) -> None:
    assert found_in(ast.parse(line)) == []
