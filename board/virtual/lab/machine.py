"""The emulated board: qemu with a disk, a serial console, a display and a network.

`Machine` starts, stops, cuts the power of and takes snapshots of one board. What
runs on the board is not known here.
"""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from .console import Console, ConsoleError

# The host as qemu's user network shows it to the guest.
HOST_ADDRESS = "10.0.2.2"
BROKER_PORT = 1883
# The daemon and what the guest does besides; a small host has no more to give.
PROCESSORS = 2
MEMORY_MB = 1024
START_TIMEOUT_S = 15
# Less than a minute on two free cores; many times that on cores that others use.
BOOT_TIMEOUT_S = 600
TRANSFER_TIMEOUT_S = 120
# A snapshot of all memory is what takes longest.
CONTROL_TIMEOUT_S = 120


class MachineError(Exception):
    """qemu did not start, or refused a command."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Machine:
    """One board. Its disk is an overlay of the image and lives in `folder`."""

    def __init__(self, image: Path, folder: Path):
        self._image = image
        self._folder = folder
        self._disk = folder / "disk.qcow2"
        self._process = None
        self._console_log = None
        self._control = None
        # The shell of the board while that is on.
        self.console = None
        self.broker_port = free_port()
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.power_cut()

    def create(self):
        """Gives the board an untouched disk."""
        self._disk.unlink(missing_ok=True)
        backing = ["-f", "qcow2", "-F", "qcow2", "-b", self._image / "root.qcow2"]
        subprocess.run(["qemu-img", "create", "-q", *backing, self._disk], check=True)

    def boot(self) -> float:
        """Switches the board on; returns the seconds until its shell answered."""
        began_s = time.monotonic()
        self._start([])
        try:
            self.console.log_in(BOOT_TIMEOUT_S)
        except ConsoleError:
            self.power_cut()
            raise
        return time.monotonic() - began_s

    def run(self, command: str, timeout_s: float = 60) -> str:
        """Runs a shell command in the guest; raises `CommandFailed`."""
        return self.console.run(command, timeout_s)

    def attempt(self, command: str, timeout_s: float = 60) -> tuple[int, str]:
        """Runs a shell command in the guest; returns status and output."""
        return self.console.attempt(command, timeout_s)

    def put(self, content: bytes, path: str):
        """Writes a file of the guest, over its network."""
        with _Transfer(lambda peer: peer.sendall(content)) as transfer:
            self.run(
                f"bash -c 'exec 9<>/dev/tcp/{HOST_ADDRESS}/{transfer.port}; cat <&9 >{path}'",
                TRANSFER_TIMEOUT_S,
            )

    def get(self, path: str) -> bytes:
        """Reads a file of the guest, over its network."""
        received = bytearray()

        def receive(peer):
            while chunk := peer.recv(65536):
                received.extend(chunk)

        with _Transfer(receive) as transfer:
            self.run(
                f"bash -c 'cat {path} >/dev/tcp/{HOST_ADDRESS}/{transfer.port}'",
                TRANSFER_TIMEOUT_S,
            )
        return bytes(received)

    def save(self, name: str):
        """Takes a snapshot of memory and disk."""
        self._control.monitor(f"savevm {name}")

    def load(self, name: str):
        """Goes back to a snapshot; the guest's clock is set to the present."""
        if self._process is None:
            self._start(["-loadvm", name])
        else:
            self._control.monitor(f"loadvm {name}")
            self.console.forget()
        self.run(f"date -u -s @{int(time.time())} >/dev/null")

    def screenshot(self, path: Path):
        """Writes what the display shows as PPM."""
        self._control.execute("screendump", filename=str(path))

    def power_cut(self):
        """Takes the power away, without a word to the guest."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._reap()

    def power_off(self, timeout_s: float = 90):
        """Shuts the board down in order."""
        self.run("systemctl --no-block poweroff")
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.power_cut()
            raise MachineError(f"still on {timeout_s} s after being shut down") from None
        self._reap()

    def _reap(self):
        self._process.wait()
        self._process = None
        self._console_log.close()

    def _start(self, options: list[str]):
        """Starts qemu and connects to it."""
        if self._process is not None:
            raise MachineError("the board is on already")
        serial, control = self._folder / "serial.sock", self._folder / "qmp.sock"
        for path in (serial, control):
            path.unlink(missing_ok=True)
        with open(self._folder / "qemu.log", "ab") as said:
            self._process = subprocess.Popen(
                self._command(serial, control) + options,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )
        self._console_log = open(self._folder / "console.log", "ab")
        try:
            # qemu answers on nothing else before the serial line is connected.
            self.console = Console(self._connect(serial), self._console_log)
            self._control = _Control(self._connect(control))
        except MachineError:
            self.power_cut()
            raise

    def _command(self, serial: Path, control: Path) -> list[str]:
        forward = f"hostfwd=tcp:127.0.0.1:{self.broker_port}-:{BROKER_PORT}"
        board = (
            "qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a76 -accel tcg,thread=multi"
            f" -smp {PROCESSORS} -m {MEMORY_MB} -nodefaults -display none -no-reboot"
            f" -netdev user,id=net,{forward} -device virtio-net-pci,netdev=net,romfile="
            " -device virtio-blk-pci,drive=disk -device virtio-rng-pci -device virtio-gpu-pci"
        )
        files = {
            "-serial": f"unix:{serial},server=on,wait=on",
            "-qmp": f"unix:{control},server=on,wait=off",
            "-drive": f"file={self._disk},if=none,id=disk,cache=writeback",
            "-kernel": self._image / "kernel",
            "-initrd": self._image / "initrd",
            "-append": "console=ttyAMA0 quiet panic=-1",
        }
        return board.split() + [str(word) for option in files.items() for word in option]

    def _connect(self, path: Path) -> socket.socket:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            stream = socket.socket(socket.AF_UNIX)
            try:
                stream.connect(os.fspath(path))
                return stream
            except OSError:
                stream.close()
                time.sleep(0.05)
        said = (self._folder / "qemu.log").read_text(errors="replace")[-1500:]
        raise MachineError(f"qemu did not open {path.name} within {START_TIMEOUT_S} s: {said}")


class _Control:
    """qemu's own protocol, QMP: one command at a time."""

    def __init__(self, stream: socket.socket):
        stream.settimeout(CONTROL_TIMEOUT_S)
        self._file = stream.makefile("rw")
        self._file.readline()
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments):
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        while line := self._file.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise MachineError(f"qemu on {command}: {answer['error']['desc']}")
        raise MachineError(f"qemu ended while it was asked to {command}")

    def monitor(self, line: str):
        """A line for the monitor meant for people, which says nothing when all is well."""
        said = self.execute("human-monitor-command", **{"command-line": line}).strip()
        if said:
            raise MachineError(f"qemu on {line}: {said}")


class _Transfer:
    """One connection from the guest, served by a thread."""

    def __init__(self, serve):
        self._serve = serve
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(TRANSFER_TIMEOUT_S)
        self.port = self._server.getsockname()[1]
        self._error = None
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, failed, *_):
        self._thread.join(0 if failed else TRANSFER_TIMEOUT_S)
        self._server.close()
        if not failed and self._error:
            raise MachineError(f"a file did not reach its end: {self._error}")

    def _accept(self):
        try:
            peer, _ = self._server.accept()
            with peer:
                peer.settimeout(TRANSFER_TIMEOUT_S)
                self._serve(peer)
        except OSError as error:
            self._error = error
