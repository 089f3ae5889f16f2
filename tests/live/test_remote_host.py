"""Signs of a rented or remote machine: each seen, and a plain desk raises none."""

from pathlib import Path

import pytest

from riskcore.live.remote_host import HOSTERS, HostFacts, host_facts, remote_host_signs


def test_a_computer_at_home_raises_no_sign() -> None:
    facts = HostFacts(
        firmware=("Dell Inc.", "XPS 13 9310", "Google"), interfaces=("lo", "wlan0", "utun3", "ppp0", "eth0")
    )
    assert remote_host_signs(facts) == ()


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (HostFacts(ssh=True), "SSH"),
        (HostFacts(remote_desktop=True), "remote desktop"),
        (HostFacts(container="/.dockerenv"), "container (/.dockerenv)"),
        (HostFacts(firmware=("Amazon EC2", "t3.micro")), "Amazon EC2"),
        (HostFacts(firmware=("Microsoft Corporation", "7783-7084-3265-9085-8269-3286-77")), "Microsoft Azure"),
        (HostFacts(firmware=("QEMU", "Standard PC")), "virtual machine (QEMU)"),
        (HostFacts(interfaces=("lo", "tun0", "wg1")), "VPN is up (tun0, wg1)"),
        (HostFacts(interfaces=("nordlynx",)), "VPN is up (nordlynx)"),
    ],
)
def test_each_sign_is_named(facts: HostFacts, word: str) -> None:
    (sign,) = remote_host_signs(facts)
    assert word in sign


@pytest.mark.parametrize("mark", HOSTERS)
def test_every_hoster_is_known_by_its_mark_in_any_case(mark: str) -> None:
    (sign,) = remote_host_signs(HostFacts(firmware=(mark.upper(),)))
    assert HOSTERS[mark] in sign


def test_a_rented_machine_is_called_rented_and_not_only_virtual() -> None:
    (sign,) = remote_host_signs(HostFacts(firmware=("Hetzner", "vServer", "QEMU")))
    assert "Hetzner" in sign


def test_facts_are_read_from_variables_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "sys/class/dmi/id"
    folder.mkdir(parents=True)
    (folder / "sys_vendor").write_text("DigitalOcean\n", encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/.containerenv").touch()
    facts = host_facts({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "SESSIONNAME": "RDP-Tcp#3"}, tmp_path)
    assert (facts.ssh, facts.remote_desktop) == (True, True)
    assert facts.container == "/run/.containerenv"
    assert facts.firmware == ("DigitalOcean",)


def test_a_machine_that_says_nothing_has_no_facts(tmp_path: Path) -> None:
    facts = host_facts({"SESSIONNAME": "Console", "container": ""}, tmp_path)
    assert (facts.ssh, facts.remote_desktop, facts.container, facts.firmware) == (False, False, None, ())


def test_a_container_is_known_by_its_variable_too(tmp_path: Path) -> None:
    assert host_facts({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, tmp_path).container == "variable KUBERNETES_SERVICE_HOST"
