"""A webcam that shows whatever a test wants to be seen, well or badly.

The guest attaches it over USB/IP (`attach_command`) and drives it with uvcvideo as
any webcam. As a real one it delivers no two equal frames, so what it shows is a list
of frames that differ by noise and come in turn.
"""

import enum
import os
import socket
import threading
import time

from . import uvc
from .machine import HOST_ADDRESS
from .usbip import DEVICE_ID, HIGH_SPEED, Disconnected, Link, Setup

FORMATS = (uvc.Format("MJPG", ((320, 240), (640, 480))), uvc.Format("YUYV", ((320, 240),)))
_VIDEO_CLASS_IN, _VIDEO_CLASS_OUT = 0xA1, 0x21
_STREAM_INTERFACE = 1
# Bits of a payload header.
_END_OF_HEADER, _END_OF_FRAME, _FRAME_ID = 0x80, 0x02, 0x01
_HEADER_BYTES = 2
_STALL_S = 0.02

# Encoded frames by format, width and height, for all of `FORMATS`.
Shown = dict[tuple[str, int, int], list[bytes]]


class Fault(enum.Enum):
    """What is wrong with the camera."""

    NONE = enum.auto()
    TRUNCATED = enum.auto()  # the second half of every frame is missing
    FROZEN = enum.auto()  # one and the same frame again and again
    STALLED = enum.auto()  # no frame comes
    GARBAGE = enum.auto()  # frames of random bytes


class Webcam:
    """A camera that can be plugged in and out. `port` is where the guest finds it."""

    def __init__(self, shown: Shown):
        self.fault = Fault.NONE
        self.frames_sent = 0
        self._shown = shown
        self._settling = []
        self._frame_id = 0
        self._link = None
        self._negotiation = None
        self._stream_number = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unplug()
        self._server.close()

    def show(self, frames: Shown, settling: list[Shown] = ()):
        """Shows these frames from now on, in turn, and before them in every new stream
        one of each of `settling`, as a camera does while its exposure settles."""
        self._shown, self._settling = frames, settling

    def unplug(self):
        """Pulls the camera out; `attach_command` plugs it in again."""
        link = self._link
        if link:
            link.close()

    def attach_command(self) -> str:
        """What plugs the camera into the guest."""
        attach = "/sys/devices/platform/vhci_hcd.0/attach"
        return (
            f"bash -c 'exec 9<>/dev/tcp/{HOST_ADDRESS}/{self.port} && "
            f'echo "0 9 {DEVICE_ID} {HIGH_SPEED}" >{attach}\''
        )

    def _accept(self):
        while True:
            try:
                stream, _ = self._server.accept()
            except OSError:
                return
            with stream:
                self._negotiation = uvc.Negotiation(FORMATS)
                link = self._link = Link(stream, self._control)
                threading.Thread(target=self._play, args=(link,), daemon=True).start()
                link.serve()
                self._link = None

    def _control(self, setup: Setup, sent: bytes) -> bytes | None:
        if setup.request_type not in (_VIDEO_CLASS_IN, _VIDEO_CLASS_OUT):
            return uvc.standard_request(setup.request_type, setup.code, setup.value, FORMATS)
        if setup.index & 0xFF != _STREAM_INTERFACE:
            return None
        selector = setup.value >> 8
        answer = self._negotiation.request(setup.code, selector, sent)
        if answer is not None and uvc.Negotiation.commits(setup.code, selector):
            self._stream_number += 1
        return answer

    def _play(self, link: Link):
        stream, number = self._stream_number, 0
        try:
            while True:
                if self._stream_number != stream:
                    stream, number = self._stream_number, 0
                agreed = self._negotiation.agreed
                began_s = time.monotonic()
                if self.fault is Fault.STALLED:
                    link.pause(_STALL_S)
                elif self._send(link, stream, self._frame(agreed, number)):
                    number += 1
                    link.pause(max(0.0, began_s + agreed.interval_s - time.monotonic()))
        except Disconnected:
            pass

    def _send(self, link: Link, stream: int, frame: bytes) -> bool:
        """Sends one frame as it is asked for; false if another stream began meanwhile."""
        self._frame_id ^= _FRAME_ID
        flags, left = _END_OF_HEADER | self._frame_id, memoryview(frame)

        def payload(length):
            nonlocal left
            room = min(length, uvc.PAYLOAD_BYTES) - _HEADER_BYTES
            chunk, left = left[:room], left[room:]
            return bytes([_HEADER_BYTES, flags | (0 if left else _END_OF_FRAME)]) + bytes(chunk)

        while link.answer_read(payload, lambda: self._stream_number == stream):
            if not left:
                self.frames_sent += 1
                return True
        return False

    def _frame(self, agreed: uvc.Agreed, number: int) -> bytes:
        shown = self._settling[number] if number < len(self._settling) else self._shown
        frames = shown[agreed.format, agreed.width_px, agreed.height_px]
        frame = frames[0 if self.fault is Fault.FROZEN else number % len(frames)]
        if self.fault is Fault.TRUNCATED:
            return frame[: len(frame) // 2]
        if self.fault is Fault.GARBAGE:
            return os.urandom(len(frame))
        return frame
