"""How one message leaves: a notification of the desktop, a sound, or any URL of the apprise library."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from riskcore.core.kinds import AlertLevel
from riskcore.settings.alerts import KEPT_ELSEWHERE, ChannelSettings

ATTEMPT_SECONDS = 10
KEYRING_SERVICE = "riskcore"
# Sends a title and a body of a level. Raises NotSent.
Send = Callable[[str, str, AlertLevel], None]


class NotSent(Exception):
    """Why a message did not leave, in words that hold no address."""


def sender_of(channel: ChannelSettings, environment: Mapping[str, str] = os.environ) -> Send:
    """How this channel sends. What is missing shows when it is used."""
    if channel.address == "desktop":
        return _desktop
    if channel.address == "sound":
        return _sound
    return lambda title, body, level: _apprise(_url(channel.address, environment), title, body, level)


# ---- on this machine ---------------------------------------------------------------------------------

# The texts travel in the environment: within a script they would be code.
_MAC = 'display notification (system attribute "ALERT_BODY") with title (system attribute "ALERT_TITLE")'
_WINDOWS = (
    "Add-Type -AssemblyName System.Windows.Forms,System.Drawing;"
    "$n = New-Object System.Windows.Forms.NotifyIcon; $n.Icon = [System.Drawing.SystemIcons]::Warning;"
    "$n.Visible = $true; $n.ShowBalloonTip(8000, $env:ALERT_TITLE, $env:ALERT_BODY, 'Warning');"
    "Start-Sleep -Seconds 6; $n.Dispose()"
)
_MAC_SOUNDS = {"info": "Tink", "warning": "Glass", "critical": "Sosumi"}
_LINUX_SOUNDS = {"info": "message", "warning": "dialog-warning", "critical": "alarm-clock-elapsed"}
_WINDOWS_SOUNDS = {"info": "Asterisk", "warning": "Exclamation", "critical": "Hand"}
_BELLS = {"info": 1, "warning": 2, "critical": 3}


def desktop_command(platform: str, title: str, body: str, level: AlertLevel) -> list[str]:
    """The command that shows a notification on this kind of system."""
    if platform == "darwin":
        return ["osascript", "-e", _MAC]
    if platform == "win32":
        return ["powershell", "-NoProfile", "-Command", _WINDOWS]
    urgency = {"info": "low", "warning": "normal", "critical": "critical"}[level]
    return ["notify-send", f"--urgency={urgency}", "--app-name=riskcore", "--", title, body]


def sound_command(platform: str, level: AlertLevel) -> list[str]:
    """The command that plays the sound of a level on this kind of system."""
    if platform == "darwin":
        return ["afplay", f"/System/Library/Sounds/{_MAC_SOUNDS[level]}.aiff"]
    if platform == "win32":
        play = f"[System.Media.SystemSounds]::{_WINDOWS_SOUNDS[level]}.Play(); Start-Sleep -Seconds 1"
        return ["powershell", "-NoProfile", "-Command", play]
    return ["canberra-gtk-play", f"--id={_LINUX_SOUNDS[level]}"]


def _desktop(title: str, body: str, level: AlertLevel) -> None:
    _run(desktop_command(sys.platform, title, body, level), {"ALERT_TITLE": title, "ALERT_BODY": body})


def _sound(title: str, body: str, level: AlertLevel) -> None:
    try:
        _run(sound_command(sys.platform, level), {})
    except NotSent as error:
        if sys.stderr is None or not sys.stderr.isatty():
            raise NotSent(f"{error}, and there is no terminal whose bell could ring") from None
        sys.stderr.write("\a" * _BELLS[level])
        sys.stderr.flush()


def _run(command: list[str], texts: dict[str, str]) -> None:
    try:
        subprocess.run(
            command,
            env={**os.environ, **texts},
            check=True,
            timeout=ATTEMPT_SECONDS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise NotSent(f"{command[0]} is not installed") from None
    except subprocess.SubprocessError:
        raise NotSent(f"{command[0]} failed") from None
    except OSError as error:
        raise NotSent(f"{command[0]} cannot run: {error.strerror}") from None


# ---- anywhere else -----------------------------------------------------------------------------------


def _url(address: str, environment: Mapping[str, str]) -> str:
    """The address itself, wherever it is kept."""
    match = KEPT_ELSEWHERE.fullmatch(address)
    if match is None:
        return address
    name = match[2]
    if match[1] == "env":
        found = environment.get(name)
        if not found:
            raise NotSent(f"the environment has no {name}")
        return found
    return _of_keyring(name)


def _of_keyring(name: str) -> str:
    try:
        found = importlib.import_module("keyring").get_password(KEYRING_SERVICE, name)
    except ModuleNotFoundError:
        raise NotSent('no keyring: install "riskcore[keyring]"') from None
    except Exception as error:  # Every backend has errors of its own; what they hold is not shown.
        raise NotSent(f"the system's keyring gives nothing ({type(error).__name__}): is it locked?") from None
    if not found:
        raise NotSent(f"the keyring has no {name} under {KEYRING_SERVICE}")
    return str(found)


def _apprise(url: str, title: str, body: str, level: AlertLevel) -> None:
    try:
        apprise: Any = importlib.import_module("apprise")
    except ModuleNotFoundError:
        raise NotSent('channels with a URL need the apprise library: install "riskcore[alerts]"') from None
    kind = {"info": "info", "warning": "warning", "critical": "failure"}[level]
    try:
        service = apprise.Apprise()
        if not service.add(url):
            raise NotSent("apprise does not know this kind of URL, or it is not complete")
        sent = service.notify(title=title, body=body, notify_type=kind)
    except NotSent:
        raise
    except Exception as error:  # Its words may hold the address.
        raise NotSent(f"apprise failed ({type(error).__name__})") from None
    if not sent:
        raise NotSent("the service did not take it, or could not be reached")
