"""The serial console: a root shell in the guest, one command at a time.

Deliberately absent: what a command means, and any retry.
"""

import re
import socket
import time

PROMPT = rb"root@board:~# "
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07")
# A line of a terminal holds 4096 bytes, the newline among them.
LINE_BYTES_MAX = 4095


class ConsoleError(Exception):
    """The guest did not answer in time, or is gone; says what it printed last."""


class CommandFailed(Exception):
    """A command ended with another status than 0."""

    def __init__(self, command, status, output):
        super().__init__(f"`{command}` ended with {status}: {output[-2000:]}")
        self.status = status
        self.output = output


class Console:
    """Speaks to the shell behind a Unix socket of qemu."""

    def __init__(self, stream: socket.socket, log):
        self._stream = stream
        self._log = log
        self._received = b""
        self._count = 0

    def log_in(self, timeout_s: float):
        """Waits for the first prompt and makes the shell fit for programs."""
        self._await(re.compile(PROMPT), timeout_s)
        self._send("stty -echo; exec env PS1= PS2= bash --norc --noediting\n")
        self.run("dmesg -n 1")

    def forget(self):
        """Drops what was received and not yet read."""
        self._received = b""

    def run(self, command: str, timeout_s: float = 60) -> str:
        """Runs `command` and returns what it printed on both channels."""
        status, output = self.attempt(command, timeout_s)
        if status != 0:
            raise CommandFailed(command, status, output)
        return output

    def attempt(self, command: str, timeout_s: float = 60) -> tuple[int, str]:
        """As `run`, but returns the status together with the output."""
        self._count += 1
        lines = f"( {command}\n) </dev/null 2>&1; echo '@@'{self._count} $?\n"
        longest_bytes = max(len(line.encode()) for line in lines.splitlines())
        if longest_bytes > LINE_BYTES_MAX:
            raise ConsoleError(
                f"a line of {longest_bytes} bytes, at most {LINE_BYTES_MAX} are read"
            )
        self._send(lines)
        found, before = self._await(re.compile(rb"@@%d (\d+)\r?\n" % self._count), timeout_s)
        return int(found.group(1)), before.decode(errors="replace").replace("\r", "").strip()

    def _send(self, text: str):
        try:
            self._stream.sendall(text.encode())
        except OSError as error:
            raise ConsoleError(f"the guest is gone: {error}") from error

    def _await(self, pattern: re.Pattern, timeout_s: float):
        deadline_s = time.monotonic() + timeout_s
        while True:
            found = pattern.search(self._received)
            if found:
                before = self._received[: found.start()]
                self._received = self._received[found.end() :]
                return found, before
            self._receive(deadline_s, timeout_s)

    def _receive(self, deadline_s: float, timeout_s: float):
        left_s = deadline_s - time.monotonic()
        try:
            if left_s <= 0:
                raise TimeoutError
            self._stream.settimeout(left_s)
            data = self._stream.recv(65536)
        except TimeoutError:
            raise ConsoleError(f"nothing expected within {timeout_s} s: {self._tail()}") from None
        except OSError as error:
            raise ConsoleError(f"the guest is gone ({error}): {self._tail()}") from error
        finally:
            self._stream.settimeout(None)
        if not data:
            raise ConsoleError(f"the guest is gone: {self._tail()}")
        self._log.write(data)
        self._received = ESCAPES.sub(b"", self._received + data)

    def _tail(self) -> str:
        return self._received[-1500:].decode(errors="replace")
