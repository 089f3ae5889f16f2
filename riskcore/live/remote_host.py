"""Signs that this is not the trader's own computer: a warning, never a refusal (RULES.md 6.8).

The firm forbids order actions from VPS, VPN and remote servers. What is seen here are hints, each named, so that the
trader can judge: a virtual machine or a container on one's own desk is fine.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from riskcore.errors import ConfigError

WARNING = (
    "order actions must come from your own computer, not from a VPS, VPN or remote server; accounts are closed for it"
)

NO_ORDERS = "RISKCORE_NO_ORDERS"  # Set by the Containerfile.

# What hosting companies write into the firmware tables of the machines they rent out.
HOSTERS = {
    "amazon ec2": "Amazon EC2",
    "google compute engine": "Google Compute Engine",
    "digitalocean": "DigitalOcean",
    "hetzner": "Hetzner",
    "vultr": "Vultr",
    "linode": "Linode",
    "akamai": "Akamai",
    "scaleway": "Scaleway",
    "upcloud": "UpCloud",
    "ovhcloud": "OVHcloud",
    "contabo": "Contabo",
    "alibaba cloud": "Alibaba Cloud",
    "tencent cloud": "Tencent Cloud",
    "oraclecloud": "Oracle Cloud",
    "openstack": "OpenStack",
    "7783-7084-3265-9085-8269-3286-77": "Microsoft Azure",  # The asset tag of every Azure machine.
}
HYPERVISORS = ("qemu", "kvm", "bochs", "xen", "vmware", "virtualbox", "virtual machine", "parallels", "bhyve")
_FIRMWARE = ("sys_vendor", "product_name", "board_vendor", "chassis_asset_tag", "bios_vendor")
_FIRMWARE_FOLDER = "sys/class/dmi/id"
_CONTAINER_FILES = (".dockerenv", "run/.containerenv")
_CONTAINER_VARIABLES = ("KUBERNETES_SERVICE_HOST", "container")
_SSH_VARIABLES = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
# Interfaces that only tunnels have; utun of macOS and ppp of a modem are not among them.
_TUNNEL = re.compile(r"(tun|tap|wg)\d+|nordlynx|proton\d+|wg-mullvad")


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What is known of the machine. Texts are as the system gives them."""

    ssh: bool = False
    remote_desktop: bool = False
    container: str | None = None  # What shows that this is a container.
    firmware: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()


def remote_host_signs(facts: HostFacts) -> tuple[str, ...]:
    """A sentence for each sign that this is a rented, remote or tunnelled machine; empty when there is none."""
    signs = []
    if facts.ssh:
        signs.append("this session came in over SSH")
    if facts.remote_desktop:
        signs.append("this session came in over remote desktop")
    if facts.container is not None:
        signs.append(f"this is a container ({facts.container})")
    words = [text.lower() for text in facts.firmware]
    hosters = [name for mark, name in HOSTERS.items() if any(mark in text for text in words)]
    virtual = [text for text in facts.firmware if any(mark in text.lower() for mark in HYPERVISORS)]
    if hosters:
        signs.append(f"this machine belongs to a hosting company ({hosters[0]})")
    elif virtual:
        signs.append(f"this is a virtual machine ({virtual[0]})")
    tunnels = [name for name in facts.interfaces if _TUNNEL.fullmatch(name)]
    if tunnels:
        signs.append(f"a VPN is up ({', '.join(tunnels)})")
    return tuple(signs)


def host_facts(environment: Mapping[str, str], root: Path = Path("/")) -> HostFacts:
    """The facts of this machine; whatever cannot be read is taken as absent."""
    container = next((f"/{name}" for name in _CONTAINER_FILES if (root / name).exists()), None)
    if container is None:
        container = next((f"variable {name}" for name in _CONTAINER_VARIABLES if environment.get(name)), None)
    return HostFacts(
        ssh=any(environment.get(name) for name in _SSH_VARIABLES),
        remote_desktop=environment.get("SESSIONNAME", "").upper().startswith("RDP-"),
        container=container,
        firmware=_firmware(root / _FIRMWARE_FOLDER),
        interfaces=_interfaces(),
    )


def refuse_without_orders(environment: Mapping[str, str]) -> None:
    """Raise ConfigError where nothing may be sent from, as in the container image."""
    if environment.get(NO_ORDERS):
        raise ConfigError(
            f"{NO_ORDERS} is set here, so nothing may be sent: the firm allows order actions from your own computer"
            " only. Run riskcore live there, or use --dry-run, --record-only or --simulated"
        )


def _firmware(folder: Path) -> tuple[str, ...]:
    texts = []
    for name in _FIRMWARE:
        try:
            texts.append((folder / name).read_text(encoding="utf-8", errors="replace").strip())
        except OSError:
            continue
    return tuple(text for text in texts if text)


def _interfaces() -> tuple[str, ...]:
    try:
        return tuple(name for _, name in socket.if_nameindex())
    except (AttributeError, OSError):
        return ()
