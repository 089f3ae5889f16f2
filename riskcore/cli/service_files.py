"""The files by which a system starts the engine and keeps it running: systemd, Windows tasks, launchd.

Pure: made from paths and words, written by `riskcore service`. None of them holds a secret; the login is kept by the
keyring, the addresses of alerts stay in the settings.
"""

import plistlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

System = Literal["linux", "windows", "macos"]
WATCHDOG_SECONDS = 60
RESTART_SECONDS = 30  # A login that is refused must not be tried so often that the broker locks it.
# What starting again cannot mend: wrong settings, a damaged journal, a second engine.
NOT_AGAIN = (2, 3, 4)
_TASK_SPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"


@dataclass(frozen=True, slots=True)
class Job:
    """One process to be kept running: `words` are the whole command, `notifies` whether it speaks to systemd."""

    name: str
    description: str
    words: tuple[str, ...]
    folder: Path
    notifies: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file to be written, and the words that make the system take it up and let it go again."""

    path: Path
    content: bytes
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Home:
    """Where a user's own files of that kind belong. `user` as the system names him, `user_id` on macOS."""

    folder: Path
    user: str
    user_id: int = 0


def file_of(system: System, job: Job, home: Home) -> File:
    """The file that starts a job when its user logs in."""
    if system == "linux":
        unit = f"{job.name}.service"
        return File(
            home.folder / unit,
            _unit(job).encode(),
            (
                ("systemctl", "--user", "daemon-reload"),
                ("systemctl", "--user", "enable", unit),
                ("systemctl", "--user", "restart", unit),
            ),
            (("systemctl", "--user", "disable", "--now", unit),),
        )
    if system == "windows":
        path, task = home.folder / f"{job.name}.xml", f"riskcore\\{job.name}"
        return File(
            path,
            _task(job, home),
            (("schtasks", "/Create", "/TN", task, "/XML", str(path), "/F"), ("schtasks", "/Run", "/TN", task)),
            (("schtasks", "/End", "/TN", task), ("schtasks", "/Delete", "/TN", task, "/F")),
        )
    path, domain = home.folder / f"{job.name}.plist", f"gui/{home.user_id}"
    return File(
        path,
        _property_list(job),
        (("launchctl", "bootstrap", domain, str(path)),),
        (("launchctl", "bootout", f"{domain}/{job.name}"),),
    )


# ---- systemd -----------------------------------------------------------------------------------------


def _unit(job: Job) -> str:
    watched = f"Type=notify\nNotifyAccess=main\nWatchdogSec={WATCHDOG_SECONDS}\nTimeoutStartSec=infinity\n"
    return (
        "# Written by riskcore service install; riskcore service uninstall takes it away.\n"
        "[Unit]\n"
        f"Description={_escaped(job.description)}\n"
        "StartLimitIntervalSec=0\n\n"
        "[Service]\n"
        f"{watched if job.notifies else ''}"
        f"ExecStart={' '.join(map(_word, _startable(job.words)))}\n"
        f"WorkingDirectory={_escaped(str(job.folder))}\n"
        "UMask=0077\n"
        "Restart=on-failure\n"
        f"RestartSec={RESTART_SECONDS}\n"
        f"RestartPreventExitStatus={' '.join(map(str, NOT_AGAIN))}\n"
        "TimeoutStopSec=30\n\n"
        "[Install]\n"
        "WantedBy=default.target\n"
    )


def _word(text: str) -> str:
    """A word of a command line of systemd, in quotes, with everything that systemd would expand taken literally."""
    return '"' + _escaped(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'


def _startable(words: Sequence[str]) -> Sequence[str]:
    """The words, behind env where the program is in a folder whose name systemd takes in arguments only."""
    return ("/usr/bin/env", *words) if any(sign in words[0] for sign in "\"'\\$") else words


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


# ---- Windows -----------------------------------------------------------------------------------------


def _task(job: Job, home: Home) -> bytes:
    ElementTree.register_namespace("", _TASK_SPACE)
    task = ElementTree.Element(f"{{{_TASK_SPACE}}}Task", version="1.3")
    _add(task, "RegistrationInfo", {"Description": job.description})
    _add(_add(task, "Triggers", {}), "LogonTrigger", {"Enabled": "true", "UserId": home.user})
    principal = _add(_add(task, "Principals", {}), "Principal", {"UserId": home.user, "LogonType": "InteractiveToken"})
    principal.set("id", "Author")
    settings = {
        "MultipleInstancesPolicy": "IgnoreNew",
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "StartWhenAvailable": "true",
        "ExecutionTimeLimit": "PT0S",
        "Priority": "4",
    }
    table = _add(task, "Settings", settings)
    _add(table, "RestartOnFailure", {"Interval": "PT1M", "Count": "999"})
    action = {
        "Command": job.words[0],
        "Arguments": subprocess.list2cmdline(job.words[1:]),
        "WorkingDirectory": str(job.folder),
    }
    actions = _add(task, "Actions", {})
    actions.set("Context", "Author")
    _add(actions, "Exec", action)
    ElementTree.indent(task)
    text: bytes = ElementTree.tostring(task, encoding="utf-16", xml_declaration=True)
    return text


def _add(parent: ElementTree.Element, name: str, values: dict[str, str]) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_TASK_SPACE}}}{name}")
    for key, value in values.items():
        ElementTree.SubElement(element, f"{{{_TASK_SPACE}}}{key}").text = value
    return element


# ---- macOS -------------------------------------------------------------------------------------------


def _property_list(job: Job) -> bytes:
    return plistlib.dumps(
        {
            "Label": job.name,
            "ProgramArguments": list(job.words),
            "WorkingDirectory": str(job.folder),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": RESTART_SECONDS,
            "ProcessType": "Interactive",
            "Umask": 0o077,
        }
    )


def shown(file: File, system: System) -> str:
    """The file as a person reads it before it is written."""
    text = file.content.decode("utf-16" if system == "windows" else "utf-8")
    return f"# {file.path}\n{text.strip()}\n"


def shown_words(words: Sequence[str], system: System) -> str:
    """A command as it is typed on that system."""
    import shlex

    return subprocess.list2cmdline(words) if system == "windows" else shlex.join(words)
