"""The webcam as its driver sees it, without a kernel: URBs go over a socket."""

import socket
import struct
import unittest

from lab import uvc
from lab.webcam import FORMATS, Fault, Webcam

GET_DESCRIPTOR = 6
COMMIT = 2


def frames_of(name, count=3, length=40_000):
    """Frames that differ in every byte."""
    return [
        bytes([0xFF, 0xD8]) + bytes([ord(name), index]) * (length // 2) for index in range(count)
    ]


def shown(name, **sizes):
    return {
        (each.name, width_px, height_px): frames_of(name, **sizes)
        for each in FORMATS
        for width_px, height_px in each.sizes
    }


class Driver:
    """Plays the guest's host controller."""

    def __init__(self, webcam):
        self.stream = socket.create_connection(("127.0.0.1", webcam.port), 10)
        self.sequence = 0

    def close(self):
        self.stream.close()

    def send(self, endpoint, length, setup=bytes(8), out=b"", is_in=1):
        self.sequence += 1
        header = struct.pack(">5I", 1, self.sequence, 65537, is_in, endpoint)
        self.stream.sendall(header + struct.pack(">Iiiii", 0, length, 0, 0, 0) + setup + out)
        return self.sequence

    def take_back(self, target):
        self.sequence += 1
        self.stream.sendall(struct.pack(">6I24x", 2, self.sequence, 65537, 0, 0, target))
        return self.sequence

    def answer(self):
        header = self.receive(48)
        command, sequence, _, _, _, status, length = struct.unpack_from(">5Iii", header)
        body = self.receive(length) if command == 3 and self.is_in else b""
        return command, sequence, status, body

    def receive(self, length):
        data = b""
        while len(data) < length:
            chunk = self.stream.recv(length - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    def control(self, request_type, code, value, index, length=0, out=b""):
        self.is_in = request_type & 0x80
        setup = struct.pack("<BBHHH", request_type, code, value, index, length or len(out))
        self.send(0, length or len(out), setup, out, 1 if self.is_in else 0)
        _, _, status, body = self.answer()
        self.is_in = True
        return status, body

    def start(self, format_index, frame_index, interval=333333):
        probe = struct.pack("<HBBI18x", 1, format_index, frame_index, interval)
        status, _ = self.control(0x21, uvc.SET_CUR, COMMIT << 8, 1, out=probe)
        assert status == 0

    def frame(self):
        """Reads one whole frame; returns it and its frame id."""
        data, first_id = b"", None
        for _ in range(1000):
            self.send(uvc.ENDPOINT, uvc.PAYLOAD_BYTES)
            _, _, status, payload = self.answer()
            assert status == 0 and payload[0] == 2
            first_id = payload[1] & 1 if first_id is None else first_id
            assert payload[1] & 1 == first_id
            data += payload[2:]
            if payload[1] & 2:
                return data, first_id
        raise AssertionError("a frame without end")


class WebcamTest(unittest.TestCase):
    def setUp(self):
        self.webcam = Webcam(shown("a"))
        self.addCleanup(self.webcam.__exit__)
        self.driver = Driver(self.webcam)
        self.addCleanup(self.driver.close)

    def test_descriptors_are_as_long_as_they_say(self):
        status, device = self.driver.control(0x80, GET_DESCRIPTOR, 1 << 8, 0, 18)
        self.assertEqual((status, len(device), device[0]), (0, 18, 18))
        _, configuration = self.driver.control(0x80, GET_DESCRIPTOR, 2 << 8, 0, 4096)
        self.assertEqual(struct.unpack_from("<H", configuration, 2)[0], len(configuration))
        position, kinds = 0, []
        while position < len(configuration):
            self.assertGreaterEqual(configuration[position], 2)
            kinds.append(configuration[position + 1])
            position += configuration[position]
        self.assertEqual(position, len(configuration))
        self.assertEqual(kinds.count(4), 2)

    def test_class_specific_lengths_cover_what_follows(self):
        configuration = uvc.configuration_descriptor(FORMATS)
        control = configuration.index(bytes([13, 0x24, 1, 0, 1]))
        (total,) = struct.unpack_from("<H", configuration, control + 5)
        self.assertEqual(configuration[control + total + 1], 4)
        stream = configuration.index(bytes([13 + len(FORMATS), 0x24, 1, len(FORMATS)]))
        (total,) = struct.unpack_from("<H", configuration, stream + 4)
        self.assertEqual(configuration[stream + total : stream + total + 2], bytes([7, 5]))

    def test_configuration_is_cut_to_the_length_asked_for(self):
        _, head = self.driver.control(0x80, GET_DESCRIPTOR, 2 << 8, 0, 9)
        self.assertEqual(len(head), 9)

    def test_unknown_requests_stall(self):
        self.assertEqual(self.driver.control(0x80, GET_DESCRIPTOR, 0x0F << 8, 0, 64)[0], -32)
        self.assertEqual(self.driver.control(0xA1, uvc.GET_CUR, 9 << 8, 1, 26)[0], -32)
        self.assertEqual(self.driver.control(0xA1, uvc.GET_CUR, 1 << 8, 0, 26)[0], -32)

    def test_probe_moves_what_is_asked_to_what_there_is(self):
        asked = struct.pack("<HBBI18x", 1, 9, 9, 400000)
        self.driver.control(0x21, uvc.SET_CUR, 1 << 8, 1, out=asked)
        _, probe = self.driver.control(0xA1, uvc.GET_CUR, 1 << 8, 1, 26)
        _, format_index, frame_index, interval = struct.unpack_from("<HBBI", probe)
        self.assertEqual((format_index, frame_index, interval), (2, 1, 333333))
        self.assertEqual(struct.unpack_from("<II", probe, 18), (320 * 240 * 2, uvc.PAYLOAD_BYTES))

    def test_frames_come_whole_in_turn_and_alternate_their_id(self):
        self.driver.start(1, 2)
        seen = [self.driver.frame() for _ in range(4)]
        expected = frames_of("a")
        self.assertEqual([data for data, _ in seen], [*expected, expected[0]])
        self.assertEqual(len({frame_id for _, frame_id in seen[:2]}), 2)

    def test_new_stream_shows_the_new_picture_from_its_start(self):
        self.driver.start(1, 2)
        self.driver.frame()
        self.webcam.show(shown("b"))
        self.driver.start(1, 1)
        self.assertEqual(self.driver.frame()[0], frames_of("b")[0])

    def test_every_stream_begins_with_the_frames_of_its_settling(self):
        self.webcam.show(shown("b"), [shown("c"), shown("d")])
        for _ in range(2):
            self.driver.start(1, 1)
            seen = [self.driver.frame()[0][2] for _ in range(3)]
            self.assertEqual(bytes(seen), b"cdb")

    def test_truncated_frames_are_half_as_long(self):
        self.webcam.fault = Fault.TRUNCATED
        self.driver.start(1, 1)
        self.assertEqual(self.driver.frame()[0], frames_of("a")[0][: len(frames_of("a")[0]) // 2])

    def test_frozen_camera_repeats_one_frame(self):
        self.webcam.fault = Fault.FROZEN
        self.driver.start(1, 1)
        self.assertEqual({self.driver.frame()[0] for _ in range(4)}, {frames_of("a")[0]})

    def test_garbage_is_as_long_as_the_frame_and_not_the_frame(self):
        self.webcam.fault = Fault.GARBAGE
        self.driver.start(1, 1)
        data, _ = self.driver.frame()
        self.assertEqual(len(data), len(frames_of("a")[0]))
        self.assertNotEqual(data, frames_of("a")[0])

    def test_stalled_camera_answers_no_read_but_control_transfers(self):
        self.webcam.fault = Fault.STALLED
        self.driver.start(1, 1)
        self.driver.send(uvc.ENDPOINT, uvc.PAYLOAD_BYTES)
        status, _ = self.driver.control(0x80, GET_DESCRIPTOR, 1 << 8, 0, 18)
        self.assertEqual(status, 0)

    def test_taken_back_read_is_not_answered(self):
        self.webcam.fault = Fault.STALLED
        self.driver.start(1, 1)
        waiting = self.driver.send(uvc.ENDPOINT, uvc.PAYLOAD_BYTES)
        taken_back = self.driver.take_back(waiting)
        self.assertEqual(self.driver.answer()[:3], (4, taken_back, -104))

    def test_read_that_is_taken_back_before_it_comes_is_not_answered(self):
        self.driver.start(1, 1)
        before = self.driver.sequence
        self.driver.sequence += 1
        taken_back = self.driver.take_back(before + 1)
        self.assertEqual(self.driver.answer()[:3], (4, taken_back, -104))
        self.driver.sequence = before
        self.driver.send(uvc.ENDPOINT, uvc.PAYLOAD_BYTES)
        self.driver.sequence = taken_back
        wanted = self.driver.send(uvc.ENDPOINT, uvc.PAYLOAD_BYTES)
        self.assertEqual(self.driver.answer()[:3], (3, wanted, 0))

    def test_unplugging_ends_the_connection_and_plugging_in_begins_another(self):
        self.driver.start(1, 1)
        self.driver.frame()
        self.webcam.unplug()
        with self.assertRaises(EOFError):
            self.driver.receive(1)
        again = Driver(self.webcam)
        self.addCleanup(again.close)
        again.start(1, 1)
        self.assertEqual(again.frame()[0], frames_of("a")[0])

    def test_oversized_transfer_ends_the_connection(self):
        self.driver.send(uvc.ENDPOINT, 1 << 30)
        with self.assertRaises(EOFError):
            self.driver.receive(1)


if __name__ == "__main__":
    unittest.main()
