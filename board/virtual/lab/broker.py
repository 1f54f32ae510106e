"""The board's MQTT broker as the world outside the board sees it."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass

# After a power cut the broker and the daemon have only begun to start.
_CONNECT_TIMEOUT_S = 120
_PUBLISH_TIMEOUT_S = 30


class BrokerError(Exception):
    """The broker did not take a message, or what was waited for did not come."""


@dataclass(frozen=True)
class Message:
    """One message, `topic` without the board's own prefix, and when it came."""

    at_s: float
    topic: str
    payload: bytes
    retained: bool

    def json(self) -> dict:
        """The payload as a document; `{}` if it is none."""
        try:
            document = json.loads(self.payload)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


class Broker:
    """Sends to the daemon `device_id` by way of the broker at `port`."""

    def __init__(self, port: int, device_id: str = "board"):
        self._address = ["-V", "5", "-h", "127.0.0.1", "-p", str(port)]
        self.prefix = f"zoetrope/{device_id}/"

    def send(self, command: str, payload: bytes = b"", **properties: str):
        """Publishes a request with quality of service 1."""
        named = [
            word
            for name, value in properties.items()
            for word in ("-D", "publish", "user-property", name, value)
        ]
        topic = ["-q", "1", "-t", f"{self.prefix}request/{command}"]
        # An empty message is asked for by an option, not by empty input.
        content = "-s" if payload else "-n"
        done = subprocess.run(
            ["mosquitto_pub", *self._address, *topic, content, *named],
            input=payload,
            capture_output=True,
            timeout=_PUBLISH_TIMEOUT_S,
        )
        if done.returncode != 0:
            raise BrokerError(f"{command} was not taken: {done.stderr.decode(errors='replace')}")

    def watch(self) -> "Watch":
        """Everything that the daemon publishes from now on, retained messages first."""
        return Watch(self._address, self.prefix)


class Watch:
    """Collects messages in the background until it is closed."""

    def __init__(self, address: list[str], prefix: str):
        self._command = ["mosquitto_sub", *address, "-q", "1", "-t", f"{prefix}#", "-F", "%r %t %x"]
        self._prefix = prefix
        self._messages = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        threading.Thread(target=self._collect, args=(self._process.stdout,), daemon=True).start()
        # The daemon says at every start whether it is there, so this much always comes.
        self.wait(
            lambda message: message.topic == "availability",
            "the daemon's availability",
            _CONNECT_TIMEOUT_S,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops collecting."""
        self._process.kill()
        self._process.wait()

    def messages(self) -> list[Message]:
        """All so far."""
        with self._changed:
            return list(self._messages)

    def wait(self, wanted, what: str, timeout_s: float, since_s: float = 0) -> Message:
        """The first message that came after `since_s` and that `wanted` accepts."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            seen = 0
            while True:
                for message in self._messages[seen:]:
                    if message.at_s >= since_s and wanted(message):
                        return message
                seen = len(self._messages)
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    last = [f"{each.topic} {each.payload[:160]!r}" for each in self._messages[-5:]]
                    raise BrokerError(f"{what} did not come within {timeout_s} s; last came {last}")
                self._changed.wait(left_s)

    def _collect(self, lines):
        for line in lines:
            retained, topic, *payload = line.decode().split()
            message = Message(
                time.monotonic(),
                topic.removeprefix(self._prefix),
                bytes.fromhex(payload[0]) if payload else b"",
                retained == "1",
            )
            with self._changed:
                self._messages.append(message)
                self._changed.notify_all()
