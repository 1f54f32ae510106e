"""The server's side of USB/IP: URBs come over a TCP connection and are answered.

The protocol is that of the kernel's Documentation/usb/usbip_protocol.rst from the
point where a device has been imported; the guest's vhci-hcd takes the connection
as it is. What the device answers is not known here.
"""

import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass

_CMD_SUBMIT, _CMD_UNLINK, _RET_SUBMIT, _RET_UNLINK = 1, 2, 3, 4
_HEADER_BYTES = 48
# Of errno.h, as USB drivers know them: a stall, and a URB that was taken back.
_EPIPE, _ECONNRESET = 32, 104
# Device 1 on bus 1, and the speed "high" of enum usb_device_speed.
DEVICE_ID, HIGH_SPEED = 1 << 16 | 1, 3
_TRANSFER_BYTES_MAX = 1 << 20


class Disconnected(Exception):
    """The connection has ended, which to the guest is a camera pulled out."""


@dataclass(frozen=True)
class Setup:
    """The eight bytes that begin a control transfer."""

    request_type: int
    code: int
    value: int
    index: int
    length: int


class Link:
    """One connection. Control transfers go to `control`, which returns what the
    device answers or `None` for a stall; bulk reads wait for `answer_read`."""

    def __init__(self, stream: socket.socket, control):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = stream
        self._control = control
        self._reads = deque()
        # The newest URB that came, and those that were taken back before they came: on
        # a busy machine vhci-hcd may send the two in this order.
        self._newest = 0
        self._overtaken = set()
        self._changed = threading.Condition()
        self._open = True

    def serve(self):
        """Answers until the connection ends."""
        try:
            while True:
                self._serve_one()
        except (Disconnected, OSError):
            pass
        finally:
            self.close()

    def close(self):
        """Ends the connection; whoever waits for a read raises `Disconnected`."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other side was faster.
            pass

    def pause(self, duration_s: float):
        """Waits; raises `Disconnected` as soon as the connection has ended."""
        with self._changed:
            if self._changed.wait_for(lambda: not self._open, duration_s):
                raise Disconnected

    def answer_read(self, payload, still_wanted) -> bool:
        """Answers the oldest bulk read with `payload(length)`, waiting for one.

        Returns false without answering as soon as `still_wanted()` is false.
        """
        with self._changed:
            while self._open and still_wanted() and not self._reads:
                self._changed.wait(0.1)
            if not self._open:
                raise Disconnected
            if not still_wanted():
                return False
            sequence, length = self._reads.popleft()
            self._return(sequence, 0, payload(length))
            return True

    def _serve_one(self):
        header = self._receive(_HEADER_BYTES)
        command, sequence, _, is_in, endpoint = struct.unpack_from(">5I", header)
        if command == _CMD_UNLINK:
            (target,) = struct.unpack_from(">I", header, 20)
            self._unlink(sequence, target)
            return
        (length,) = struct.unpack_from(">i", header, 24)
        if command != _CMD_SUBMIT or not 0 <= length <= _TRANSFER_BYTES_MAX:
            raise Disconnected
        sent = b"" if is_in else self._receive(length)
        self._newest = max(self._newest, sequence)
        if sequence in self._overtaken:
            self._overtaken.remove(sequence)
            return
        if endpoint == 0:
            setup = Setup(*struct.unpack_from("<BBHHH", header, 40))
            answer = self._control(setup, sent)
            with self._changed:
                if answer is None:
                    self._return(sequence, -_EPIPE, b"")
                elif is_in:
                    self._return(sequence, 0, answer[:length])
                else:
                    self._return(sequence, 0, b"", len(sent))
        else:
            with self._changed:
                self._reads.append((sequence, length))
                self._changed.notify_all()

    def _unlink(self, sequence: int, target: int):
        with self._changed:
            waiting = [each for each in self._reads if each[0] != target]
            is_waiting, is_to_come = len(waiting) < len(self._reads), target > self._newest
            if is_to_come:
                self._overtaken.add(target)
            status = -_ECONNRESET if is_waiting or is_to_come else 0
            self._reads = deque(waiting)
            self._send(struct.pack(">IIIIIi24x", _RET_UNLINK, sequence, 0, 0, 0, status))

    def _return(self, sequence: int, status: int, data: bytes, length: int | None = None):
        actual = len(data) if length is None else length
        self._send(
            struct.pack(">IIIIIiiiii8x", _RET_SUBMIT, sequence, 0, 0, 0, status, actual, 0, 0, 0)
            + data
        )

    def _send(self, message: bytes):
        try:
            self._stream.sendall(message)
        except OSError as error:
            raise Disconnected from error

    def _receive(self, length: int) -> bytes:
        received = bytearray()
        while len(received) < length:
            chunk = self._stream.recv(length - len(received))
            if not chunk:
                raise Disconnected
            received += chunk
        return bytes(received)
