"""What the board has to do. Each scenario starts from the same snapshot: the package
is installed, the daemon is ready, no camera is plugged in."""

from dataclasses import dataclass
from typing import Callable

from lab.bench import Bench

from . import camera, clips, power, service


@dataclass(frozen=True)
class Scenario:
    """One of them; the `smoke` run takes only some, and those briefly."""

    name: str
    run: Callable[[Bench], None]
    smoke: bool = False


ALL = (
    Scenario("ready", service.ready, smoke=True),
    Scenario("display", service.display, smoke=True),
    Scenario("photo", clips.photo, smoke=True),
    Scenario("still", camera.still, smoke=True),
    Scenario("clip", clips.from_camera, smoke=True),
    Scenario("bad-frames", camera.bad_frames, smoke=True),
    Scenario("replug", camera.replug, smoke=True),
    Scenario("second-camera", camera.second_camera),
    Scenario("broker-restart", service.broker_restart),
    Scenario("sandbox", service.sandbox),
    Scenario("watchdog", service.watchdog),
    Scenario("power-cuts", power.power_cuts),
    Scenario("purge", service.purge),
)
