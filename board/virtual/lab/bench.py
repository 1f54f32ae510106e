"""What a scenario works with: the board on the table and the sheet for its results."""

import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .broker import Broker
from .console import CommandFailed, ConsoleError
from .daemon import Daemon
from .machine import Machine
from .pictures import Picture, photograph
from .webcam import Webcam

INSTALLED = "installed"
HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[2] / "models" / "samples"
# Where udev puts the webcam, named after the strings of its descriptors.
CAMERA = "/dev/v4l/by-id/usb-Zoetrope_Virtual_webcam_0001-video-index0"
NODE_TIMEOUT_S = 30


class Failed(Exception):
    """The board did not do what the scenario demands."""


@dataclass
class Bench:
    """One board with the package installed, and the results so far."""

    machine: Machine
    # Where pictures and logs that a person may want to see are left.
    evidence: Path
    # Whether there is time for as many repetitions as the bars ask for.
    full: bool
    random: random.Random
    measured: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.daemon = Daemon(self.machine)
        self.broker = Broker(self.machine.broker_port)
        self.configuration = (HERE.parent / "zoetrope.toml").read_text()

    def set_up(self, package: bytes):
        """Boots a board with an untouched disk, installs the package and takes the
        snapshot that every scenario starts from."""
        self.machine.create()
        self.measure("untouched disk to shell", self.machine.boot(), "s")
        began_s = time.monotonic()
        self.daemon.install(package)
        self.measure("package installed", time.monotonic() - began_s, "s")
        self.await_ready()
        self.daemon.configure(self.configuration)
        self.await_ready()
        self.machine.run("sync")
        self.machine.save(INSTALLED)

    def last_words(self) -> list[str]:
        """The journal of a board on which something has gone wrong, if it still says it."""
        try:
            return self.daemon.journal()
        except (CommandFailed, ConsoleError) as error:
            return [str(error)]

    def demand(self, holds: bool, what: str):
        """Ends the scenario unless `holds`."""
        if not holds:
            raise Failed(what)

    def measure(
        self, name: str, value: float, unit: str, at_most: float = None, at_least: float = None
    ):
        """Notes a value, and ends the scenario if it is beyond its bar."""
        bar = (
            f"<= {at_most:g}"
            if at_most is not None
            else f">= {at_least:g}" if at_least is not None else "no bar"
        )
        line = f"{name}: {value:.2f} {unit} ({bar})"
        self.measured.append(line)
        print(f"        {line}", flush=True)
        self.demand(at_most is None or value <= at_most, line)
        self.demand(at_least is None or value >= at_least, line)

    def await_ready(self, timeout_s: float = 180):
        """Waits until systemd and MQTT both say that the daemon is ready."""
        began_s = time.monotonic()
        while not self.daemon.is_active():
            if time.monotonic() - began_s > timeout_s:
                raise Failed(
                    f"the daemon is not active {timeout_s} s after the start: {self.daemon.journal()[-5:]}"
                )
            time.sleep(0.5)
        with self.broker.watch() as watch:
            watch.wait(
                lambda each: each.topic == "state" and each.json().get("state") == "ready",
                "state ready",
                timeout_s,
            )

    def sample_paths(self) -> list[Path]:
        """Photographs of the repository."""
        paths = sorted(SAMPLES.glob("*.jpg"))
        self.demand(len(paths) >= 2, f"{len(paths)} samples in {SAMPLES}")
        return paths

    def samples(self) -> list[Picture]:
        """The same as the webcam shows them."""
        return [photograph(path) for path in self.sample_paths()]

    @contextmanager
    def webcam(self, picture: Picture):
        """A webcam that shows `picture`, plugged in until the end of the block."""
        with Webcam(picture.shown) as webcam:
            self.plug_in(webcam)
            yield webcam

    def plug_in(self, webcam: Webcam):
        """Plugs the webcam in and waits until the board has its node."""
        self.machine.run("modprobe -a vhci-hcd uvcvideo")
        self.machine.run(webcam.attach_command())
        self.machine.run(
            f"for try in $(seq {NODE_TIMEOUT_S * 10}); do [ -e {CAMERA} ] && exit; sleep 0.1; done; exit 1",
            NODE_TIMEOUT_S + 10,
        )

    def keep(self, name: str, content: bytes):
        """Leaves a file for people to look at."""
        self.evidence.mkdir(parents=True, exist_ok=True)
        (self.evidence / name).write_bytes(content)
