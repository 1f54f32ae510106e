"""The daemon on the board: its package, its configuration, and what systemd knows of it."""

import re

from .machine import Machine

UNIT = "zoetrope.service"
CONFIGURATION = "/etc/zoetrope/zoetrope.toml"
START_TIMEOUT_S = 120
# What a program or the kernel says when a sandbox has refused something.
_DENIALS = re.compile(
    r"operation not permitted|permission denied|EPERM|EACCES|status=31/SYS|type=1326",
    re.IGNORECASE,
)


class Daemon:
    """Looks after the daemon through the board's console."""

    def __init__(self, machine: Machine):
        self._machine = machine

    def install(self, package: bytes):
        """Installs a package with dpkg, which starts the daemon."""
        self._machine.put(package, "/root/zoetrope.deb")
        self._machine.run("DEBIAN_FRONTEND=noninteractive dpkg -i zoetrope.deb", 300)
        self._machine.run("rm zoetrope.deb; sync")

    def configure(self, text: str):
        """Gives it another configuration and starts it again."""
        self._machine.put(text.encode(), CONFIGURATION)
        self._machine.run(f"sync; systemctl restart {UNIT}", START_TIMEOUT_S)

    def drop_in(self, name: str, text: str):
        """Adds settings to its unit and starts it again."""
        folder = f"/etc/systemd/system/{UNIT}.d"
        self._machine.run(f"mkdir -p {folder}")
        self._machine.put(text.encode(), f"{folder}/{name}.conf")
        self._machine.run(f"systemctl daemon-reload; systemctl restart {UNIT}", START_TIMEOUT_S)

    def is_active(self) -> bool:
        """Whether systemd holds it for started and ready."""
        return self._property("ActiveState") == "active"

    def pid(self) -> int:
        """Its process."""
        return int(self._property("MainPID"))

    def restart_count(self) -> int:
        """How often systemd has started it again by itself."""
        return int(self._property("NRestarts"))

    def open_files(self) -> int:
        """Its open file descriptors."""
        return int(self._machine.run(f"ls /proc/{self.pid()}/fd | wc -l"))

    def journal(self) -> list[str]:
        """What it, systemd about it and the kernel have said since the board's start."""
        said = self._machine.run(
            f"journalctl -b -q --no-pager -o cat -u {UNIT}; journalctl -b -q -k --no-pager -o cat",
            120,
        )
        return said.splitlines()

    def denials(self) -> list[str]:
        """Lines of the journal that tell of something refused."""
        return [line for line in self.journal() if _DENIALS.search(line)]

    def _property(self, name: str) -> str:
        return self._machine.run(f"systemctl show -P {name} {UNIT}")
