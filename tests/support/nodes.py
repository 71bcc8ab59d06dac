# Copyright (c) 2026 The meatscentral.tenancy authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real hosts on one machine: network namespaces, each with an address and an sshd of its own, that see one file system.

They reach the servers of this machine, which listen on its loopback alone, through a door in their network.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSTEM_PATH = os.pathsep.join(["/usr/sbin", "/sbin", os.environ.get("PATH", os.defpath)])
_START_SECONDS = 30


class NodesError(RuntimeError):
    """This machine can't have such hosts; the message says why."""


def _program(name: str, package: str) -> str:
    """Where a program is; its Debian package is installed if it has to be."""
    found = shutil.which(name, path=_SYSTEM_PATH)
    if found is None and shutil.which("apt-get"):
        with open(Path(tempfile.gettempdir()) / "tenancy-tests-apt.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
                subprocess.run(["apt-get", "-qq", *command], capture_output=True, check=False)
        found = shutil.which(name, path=_SYSTEM_PATH)
    if found is None:
        raise NodesError(f"{name} is missing: install the package {package}")
    return found


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise NodesError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


@dataclass
class Nodes:
    """Some hosts, their names and how Ansible reaches them."""

    directory: Path
    names: list[str]
    addresses: dict[str, str] = field(default_factory=dict)
    gateway: str = ""
    prefix: str = ""

    def host_variables(self, name: str) -> dict[str, Any]:
        return {
            "ansible_connection": "ssh",
            "ansible_host": self.addresses[name],
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.directory / "key"),
            "ansible_ssh_args": "-F none -o ControlMaster=auto -o ControlPersist=5s -o ConnectTimeout=10",
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            "ansible_control_path_dir": str(self.directory),
        }

    def namespace(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def cut_off(self, name: str) -> None:
        """End all that runs on a host but its sshd, as when it loses its power and comes back."""
        daemon = int((self.directory / f"{name}.pid").read_text(encoding="ascii"))
        for pid in _run("ip", "netns", "pids", self.namespace(name)).split():
            if int(pid) != daemon:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


@contextlib.contextmanager
def running_nodes(names: list[str]) -> Iterator[Nodes]:
    """Hosts of these names, gone at the end.

    :raises NodesError: not root, or what is needed is not there and can't be installed.
    """
    if os.geteuid():
        raise NodesError("network namespaces of one's own want root")
    ip, sshd = _program("ip", "iproute2"), _program("sshd", "openssh-server")
    # Short: a socket of ssh's lies in it, whose path may have 108 bytes.
    nodes = Nodes(Path(tempfile.mkdtemp(prefix="tn-")), names, prefix=f"tn{os.getpid()}")
    bridge = nodes.prefix
    # A network that no machine is in (RFC 2544).
    network = f"198.18.{os.getpid() % 250}"
    nodes.gateway = f"{network}.254"
    try:
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", nodes.directory / "key")
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        _run(ip, "link", "add", bridge, "type", "bridge")
        _run(ip, "address", "add", f"{nodes.gateway}/24", "dev", bridge)
        _run(ip, "link", "set", bridge, "up")
        for number, name in enumerate(names, 1):
            nodes.addresses[name] = f"{network}.{number}"
            _connect(ip, nodes, bridge, name, number)
            _start_sshd(ip, sshd, nodes, name)
        yield nodes
    finally:
        for name in names:
            with contextlib.suppress(NodesError):
                for pid in _run(ip, "netns", "pids", nodes.namespace(name)).split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(NodesError):
                _run(ip, "netns", "delete", nodes.namespace(name))
        with contextlib.suppress(NodesError):
            _run(ip, "link", "delete", bridge)
        shutil.rmtree(nodes.directory, ignore_errors=True)


def _connect(ip: str, nodes: Nodes, bridge: str, name: str, number: int) -> None:
    namespace, outer = nodes.namespace(name), f"{nodes.prefix}v{number}"
    _run(ip, "netns", "add", namespace)
    _run(ip, "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    _run(ip, "link", "set", outer, "master", bridge, "up")
    inside = [ip, "-n", namespace]
    _run(*inside, "address", "add", f"{nodes.addresses[name]}/24", "dev", "eth0")
    _run(*inside, "link", "set", "eth0", "up")
    _run(*inside, "link", "set", "lo", "up")


def _start_sshd(ip: str, sshd: str, nodes: Nodes, name: str) -> None:
    directory = nodes.directory
    pid_file = directory / f"{name}.pid"
    options = {
        "HostKey": directory / "key",
        "AuthorizedKeysFile": directory / "key.pub",
        "PidFile": pid_file,
        "PermitRootLogin": "yes",
        "StrictModes": "no",
        "UsePAM": "no",
        # What the start-up files of whoever runs the tests do is no part of them.
        "SetEnv": f"HOME={directory}",
    }
    arguments = [word for option, value in options.items() for word in ("-o", f"{option}={value}")]
    _run(ip, "netns", "exec", nodes.namespace(name), sshd, "-f", "/dev/null", *arguments)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(OSError), socket.create_connection((nodes.addresses[name], 22), timeout=1):
            return
        if time.monotonic() > deadline:
            raise NodesError(f"the sshd of {name} does not answer")
        time.sleep(0.05)


@contextlib.contextmanager
def door(address: str, port: int) -> Iterator[int]:
    """A port at an address of ours behind which the hosts find what listens on our loopback."""
    listener = socket.create_server((address, 0))

    def accept() -> None:
        while True:
            try:
                outside, _peer = listener.accept()
            except OSError:
                return
            inside = socket.create_connection(("127.0.0.1", port))
            for source, target in [(outside, inside), (inside, outside)]:
                threading.Thread(target=_pass_on, args=[source, target], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
