"""What a USB Video Class camera says of itself, and how a stream is agreed upon.

Descriptors and requests are those of "Universal Serial Bus Device Class Definition
for Video Devices" 1.0 and its MJPEG and uncompressed payload documents. The camera
streams over a bulk endpoint, as USB/IP carries isochronous ones badly. Nothing here
sends or receives.
"""

import struct
from dataclasses import dataclass

ENDPOINT = 1
# Bytes of one payload, its header of two bytes included.
PAYLOAD_BYTES = 16384
# In units of 100 ns: 30, 15 and 5 frames a second.
FRAME_INTERVALS = (333333, 666666, 2000000)
PROBE_BYTES = 26

_VIDEO_CLASS = 0x0E
_CONTROL_INTERFACE, _STREAM_INTERFACE = 0, 1
_CS_INTERFACE = 0x24
_YUY2 = b"YUY2\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"

# Requests of the video class, and the two selectors of a streaming interface.
SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = (
    0x01,
    0x81,
    0x82,
    0x83,
    0x84,
    0x85,
    0x86,
    0x87,
)
_PROBE, _COMMIT = 1, 2

# Standard requests of USB 2.0, chapter 9.
_GET_STATUS, _CLEAR_FEATURE, _SET_FEATURE, _SET_ADDRESS = 0, 1, 3, 5
_GET_DESCRIPTOR, _GET_CONFIGURATION, _SET_CONFIGURATION = 6, 8, 9
_GET_INTERFACE, _SET_INTERFACE = 10, 11
_DEVICE, _CONFIGURATION, _STRING = 1, 2, 3
_STRINGS = {1: "Zoetrope", 2: "Virtual webcam", 3: "0001"}


@dataclass(frozen=True)
class Format:
    """One pixel format and its sizes, width and height in pixels."""

    name: str
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Agreed:
    """What the driver and the camera have agreed on."""

    format: str
    width_px: int
    height_px: int
    interval_s: float


def _descriptor(body: bytes) -> bytes:
    return bytes([len(body) + 1]) + body


def device_descriptor() -> bytes:
    """A composite device, as interface associations ask for."""
    return _descriptor(
        struct.pack(
            "<BHBBBBHHHBBBB", _DEVICE, 0x0200, 0xEF, 2, 1, 64, 0x1D6B, 0x0102, 0x0100, 1, 2, 3, 1
        )
    )


def configuration_descriptor(formats: tuple[Format, ...]) -> bytes:
    """One video function: a camera, a terminal, and a bulk stream of `formats`."""
    camera = _descriptor(
        struct.pack("<BBBHBBHHHBBBB", _CS_INTERFACE, 2, 1, 0x0201, 0, 0, 0, 0, 0, 3, 0, 0, 0)
    )
    terminal = _descriptor(struct.pack("<BBBHBBB", _CS_INTERFACE, 3, 2, 0x0101, 0, 1, 0))
    units = camera + terminal
    control_header = _descriptor(
        struct.pack(
            "<BBHHIBB", _CS_INTERFACE, 1, 0x0100, 13 + len(units), 48_000_000, 1, _STREAM_INTERFACE
        )
    )
    streams = b"".join(_format_descriptors(index + 1, each) for index, each in enumerate(formats))
    header_bytes = 13 + len(formats)
    input_header = struct.pack(
        "<BBBBHBBBBBBB",
        header_bytes,
        _CS_INTERFACE,
        1,
        len(formats),
        header_bytes + len(streams),
        0x80 | ENDPOINT,
        0,
        2,
        0,
        0,
        0,
        1,
    ) + bytes(len(formats))
    body = (
        _descriptor(bytes([0x0B, _CONTROL_INTERFACE, 2, _VIDEO_CLASS, 3, 0, 0]))
        + _descriptor(bytes([4, _CONTROL_INTERFACE, 0, 0, _VIDEO_CLASS, 1, 0, 0]))
        + control_header
        + units
        + _descriptor(bytes([4, _STREAM_INTERFACE, 0, 1, _VIDEO_CLASS, 2, 0, 0]))
        + input_header
        + streams
        + _descriptor(struct.pack("<BBBHB", 5, 0x80 | ENDPOINT, 2, 512, 0))
    )
    return (
        _descriptor(struct.pack("<BHBBBBB", _CONFIGURATION, 9 + len(body), 2, 1, 0, 0x80, 250))
        + body
    )


def _format_descriptors(index: int, each: Format) -> bytes:
    compressed = each.name == "MJPG"
    if compressed:
        head = bytes([_CS_INTERFACE, 6, index, len(each.sizes), 0, 1, 0, 0, 0, 0])
    else:
        head = (
            bytes([_CS_INTERFACE, 4, index, len(each.sizes)]) + _YUY2 + bytes([16, 1, 0, 0, 0, 0])
        )
    frames = b""
    for number, (width_px, height_px) in enumerate(each.sizes, 1):
        bits = width_px * height_px * 16
        frames += _descriptor(
            struct.pack(
                "<BBBBHHIIIIB",
                _CS_INTERFACE,
                7 if compressed else 5,
                number,
                0,
                width_px,
                height_px,
                bits * 5,
                bits * 30,
                bits // 8,
                FRAME_INTERVALS[0],
                len(FRAME_INTERVALS),
            )
            + struct.pack(f"<{len(FRAME_INTERVALS)}I", *FRAME_INTERVALS)
        )
    return _descriptor(head) + frames + _descriptor(bytes([_CS_INTERFACE, 0x0D, 1, 1, 4]))


class Negotiation:
    """The probe and commit control: what is asked for is moved to what there is."""

    def __init__(self, formats: tuple[Format, ...]):
        self._formats = formats
        self._probe = bytearray(PROBE_BYTES)
        self._settle()

    @property
    def agreed(self) -> Agreed:
        """What would be streamed now."""
        chosen = self._formats[self._probe[2] - 1]
        width_px, height_px = chosen.sizes[self._probe[3] - 1]
        (interval,) = struct.unpack_from("<I", self._probe, 4)
        return Agreed(chosen.name, width_px, height_px, interval / 1e7)

    def request(self, code: int, selector: int, asked: bytes) -> bytes | None:
        """Answers a request to the streaming interface; `None` is a stall."""
        if selector not in (_PROBE, _COMMIT):
            return None
        if code == SET_CUR:
            self._probe[: len(asked)] = asked[:PROBE_BYTES]
            self._settle()
            return b""
        if code == GET_LEN:
            return struct.pack("<H", PROBE_BYTES)
        if code == GET_INFO:
            return b"\x03"
        if code in (GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_DEF):
            return bytes(self._probe)
        return None

    @staticmethod
    def commits(code: int, selector: int) -> bool:
        """Whether the request starts a stream."""
        return code == SET_CUR and selector == _COMMIT

    def _settle(self):
        probe = self._probe
        probe[2] = min(max(probe[2], 1), len(self._formats))
        chosen = self._formats[probe[2] - 1]
        probe[3] = min(max(probe[3], 1), len(chosen.sizes))
        width_px, height_px = chosen.sizes[probe[3] - 1]
        (asked,) = struct.unpack_from("<I", probe, 4)
        interval = (
            min(FRAME_INTERVALS, key=lambda each: abs(each - asked))
            if asked
            else FRAME_INTERVALS[0]
        )
        struct.pack_into("<I", probe, 4, interval)
        struct.pack_into("<II", probe, 18, width_px * height_px * 2, PAYLOAD_BYTES)


def standard_request(
    request_type: int, code: int, value: int, formats: tuple[Format, ...]
) -> bytes | None:
    """Answers a request of USB itself; `None` is a stall."""
    if code == _GET_DESCRIPTOR and request_type == 0x80:
        kind, index = value >> 8, value & 0xFF
        if kind == _DEVICE:
            return device_descriptor()
        if kind == _CONFIGURATION:
            return configuration_descriptor(formats)
        if kind == _STRING and index == 0:
            return b"\x04\x03\x09\x04"
        if kind == _STRING and index in _STRINGS:
            return _descriptor(bytes([_STRING]) + _STRINGS[index].encode("utf-16le"))
        return None
    if code in (_SET_ADDRESS, _SET_CONFIGURATION, _SET_INTERFACE, _SET_FEATURE, _CLEAR_FEATURE):
        return b""
    return {_GET_STATUS: b"\0\0", _GET_CONFIGURATION: b"\x01", _GET_INTERFACE: b"\0"}.get(code)
