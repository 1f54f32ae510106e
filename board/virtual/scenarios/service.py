"""The daemon as a service: ready after the start, and kept so."""

import time

from lab import jobs
from lab.bench import Bench
from lab.daemon import UNIT
from lab.pictures import likeness_db

READY_S_MAX = 120
EXPOSURE_MAX = 1.8
# The unit's WatchdogSec, and time for a restart under emulation.
BITE_S_MAX = 60 + 60


def ready(bench: Bench):
    """The board is switched off and on; the daemon is ready, no unit has failed."""
    bench.machine.power_off()
    boot_s = bench.machine.boot()
    began_s = time.monotonic()
    bench.await_ready()
    bench.measure("switched on to shell", boot_s, "s")
    bench.measure("shell to ready", time.monotonic() - began_s, "s", at_most=READY_S_MAX)
    failed = bench.machine.run("systemctl --failed --plain --no-legend")
    bench.demand(not failed, f"failed units: {failed}")
    said = bench.machine.run(f"systemd-analyze security --no-pager {UNIT} | tail -n 1")
    exposure = next(float(word) for word in said.split() if word[0].isdigit())
    bench.measure("exposure by systemd-analyze security", exposure, "of 10", at_most=EXPOSURE_MAX)


def display(bench: Bench):
    """What is drawn on the framebuffer is on the screen."""
    bench.machine.run(
        "for console in /sys/class/vtconsole/*/bind; do echo 0 >$console || true; done"
    )
    size = bench.machine.run("cat /sys/class/graphics/fb0/virtual_size").split(",")
    bits = bench.machine.run("cat /sys/class/graphics/fb0/bits_per_pixel")
    bench.demand(bits == "32", f"the framebuffer has {bits} bits a pixel")
    width_px, height_px = map(int, size)
    row = b"".join(bytes([x % 256, x // 4 % 256, 200, 0]) for x in range(width_px))
    bench.machine.put(row * height_px, "/run/screen")
    bench.machine.run("cat /run/screen >/dev/fb0")
    drawn = (
        bytes(value for pixel in range(width_px) for value in row[pixel * 4 : pixel * 4 + 3][::-1])
        * height_px
    )
    path = bench.evidence / "screen.ppm"
    bench.keep("screen.ppm", b"")
    # The display is refreshed by the guest's driver some time after the write.
    for _ in range(50):
        bench.machine.screenshot(path)
        if path.read_bytes().split(b"\n255\n", 1)[-1] == drawn:
            return
        time.sleep(0.2)
    bench.demand(False, f"the screen does not show what was drawn; see {path}")


def broker_restart(bench: Bench):
    """A job that was accepted is answered although the broker goes away meanwhile."""
    picture = bench.samples()[0]
    with bench.broker.watch() as watch:
        bench.broker.send("render_photo", picture.jpeg, job_id="broker")
        jobs.event(watch, "broker", "accepted", jobs.CAPTURE_TIMEOUT_S)
    bench.machine.run("systemctl stop mosquitto; sleep 10; systemctl start mosquitto", 60)
    with bench.broker.watch() as watch:
        watch.wait(
            lambda each: each.topic == "availability" and each.payload == b"online", "online", 60
        )
        clip = jobs.clip(watch, "broker")
    bench.demand(bench.daemon.restart_count() == 0, "the daemon was started again")
    bench.measure(
        "first frame like the photograph", likeness_db(clip, picture.jpeg), "dB", at_least=30
    )


def sandbox(bench: Bench):
    """Nothing that the daemon does is refused by its sandbox: a system call that is
    kills it here, where it would elsewhere get an error that nobody may see."""
    bench.daemon.drop_in("strict", "[Service]\nSystemCallErrorNumber=kill\n")
    bench.await_ready()
    picture = bench.samples()[0]
    with bench.webcam(picture), bench.broker.watch() as watch:
        for number in range(3):
            answer = jobs.capture(bench.broker, watch, f"sandbox-{number}")
            bench.demand(answer["status"] == "ok", f"capture: {answer}")
        bench.broker.send("render", b'{"job_id": "sandbox"}')
        jobs.clip(watch, "sandbox")
        bench.broker.send("reload")
        watch.wait(lambda each: each.topic == "response/reload", "the answer to reload", 60)
    bench.demand(
        bench.daemon.restart_count() == 0, f"the daemon died: {bench.daemon.journal()[-8:]}"
    )
    denials = bench.daemon.denials()
    bench.demand(not denials, f"refused: {denials}")
    bench.measure("denials", len(denials), "lines", at_most=0)


def watchdog(bench: Bench):
    """A daemon that stands still is killed by systemd and its job done by the next."""
    picture = bench.samples()[0]
    stopped = bench.daemon.pid()
    with bench.broker.watch() as watch:
        bench.broker.send("render_photo", picture.jpeg, job_id="watchdog")
        jobs.event(watch, "watchdog", "accepted", jobs.CAPTURE_TIMEOUT_S)
        bench.machine.run(f"kill -STOP {stopped}")
        began_s = time.monotonic()
        while bench.daemon.restart_count() == 0:
            bench.demand(
                time.monotonic() - began_s < BITE_S_MAX, f"still not killed after {BITE_S_MAX} s"
            )
            time.sleep(1)
        bench.measure("stopped to killed", time.monotonic() - began_s, "s", at_most=BITE_S_MAX)
        bench.await_ready()
        jobs.clip(watch, "watchdog")
    bench.demand(bench.daemon.pid() != stopped, "the process is the same")
    bench.demand(
        any("watchdog" in line.lower() for line in bench.daemon.journal()),
        "the journal says nothing of a watchdog",
    )


def purge(bench: Bench):
    """Removing the package with its configuration leaves nothing behind."""
    bench.machine.run("DEBIAN_FRONTEND=noninteractive dpkg --purge zoetrope", 120)
    left = bench.machine.run(
        "find / -xdev -iname '*zoetrope*' -not -path '/proc/*' -not -path '/var/log/*' -not -path '/root/*'",
        120,
    )
    bench.demand(not left, f"left behind: {left}")
    status, said = bench.machine.attempt(f"systemctl status {UNIT}")
    bench.demand(status == 4, f"systemd still knows the unit: {said}")
