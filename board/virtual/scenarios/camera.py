"""Stills from the webcam, good ones and bad ones, and the webcam pulled out."""

import time

from lab import jobs, pictures
from lab.bench import CAMERA, Bench
from lab.daemon import CONFIGURATION
from lab.pictures import likeness_db
from lab.webcam import FORMATS, Fault

# A still is encoded once by the camera and once as the poster.
LIKENESS_DB = 30
# Another picture is far below that.
ANOTHER_DB = 25
# Light in the first frames of a camera whose exposure settles.
SETTLING = (0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9)
BAD_CAPTURES = 10
# Where udev puts the kernel's test camera.
VIVID = "/dev/v4l/by-path/platform-vivid.0-video-index0"
REPLUGS = 50
# Files of the board with what the daemon has said, each line with its time.
STATES, POSTERS = "/run/states", "/run/posters"
LOST_S_MAX = 2
BACK_S_MAX = 3


def still(bench: Bench):
    """The still is the picture shown at that moment, in its own light."""
    shown = bench.samples()
    with bench.webcam(shown[0]) as webcam, bench.broker.watch() as watch:
        for number, picture in enumerate(shown):
            webcam.show(picture.shown)
            likeness = _likeness(bench, watch, f"still-{number}", picture)
            bench.measure(f"still like {picture.name}", likeness, "dB", at_least=LIKENESS_DB)
            bench.machine.run(f"zoetrope capture --config {CONFIGURATION} -o /run/still.jpg")
            captured = bench.machine.get("/run/still.jpg")
            frames = picture.shown[("MJPG", *FORMATS[0].sizes[-1])]
            bench.demand(captured in frames, f"`zoetrope capture` gave no frame of {picture.name}")
        others = likeness_db(shown[0].jpeg, shown[1].jpeg)
        bench.measure("two pictures like each other", others, "dB", at_most=ANOTHER_DB)
        darker = [pictures.photograph(bench.sample_paths()[0], light).shown for light in SETTLING]
        webcam.show(shown[0].shown, darker)
        likeness = _likeness(bench, watch, "settled", shown[0])
        bench.measure("still after the exposure settled", likeness, "dB", at_least=LIKENESS_DB)


def bad_frames(bench: Bench):
    """Whatever is wrong with the frames, no still is taken and the reason is said."""
    good = bench.samples()[0]
    # What is shown, the fault, and the word that the reason must hold.
    bad = {
        "truncated": (good.shown, Fault.TRUNCATED, "truncated"),
        "frozen": (good.shown, Fault.FROZEN, "frozen"),
        "stalled": (good.shown, Fault.STALLED, "timeout"),
        "garbage": (good.shown, Fault.GARBAGE, "truncated"),
        "black": (pictures.black().shown, Fault.NONE, "black"),
        "wrong size": (pictures.of_wrong_size(good), Fault.NONE, "wrong size"),
    }
    count = BAD_CAPTURES if bench.full else 1
    with bench.webcam(good) as webcam, bench.broker.watch() as watch:
        for name, (shown, fault, word) in bad.items():
            webcam.show(shown)
            webcam.fault = fault
            reasons = [
                _reason(jobs.capture(bench.broker, watch, f"{name}-{number}"))
                for number in range(count)
            ]
            print(f"        {reasons[0]}", flush=True)
            rejected = sum(word in reason for reason in reasons)
            bench.measure(f"{name} rejected of {count}", rejected, "captures", at_least=count)
            webcam.show(good.shown)
            webcam.fault = Fault.NONE
            _likeness(bench, watch, f"after {name}", good)


def replug(bench: Bench):
    """A camera that is pulled out is missed soon, and works soon after it is back."""
    picture = bench.samples()[0]
    count = REPLUGS if bench.full else 2
    lost_s, back_s = [], []
    with bench.webcam(picture) as webcam, bench.broker.watch() as watch:
        _likeness(bench, watch, "before", picture)
        files_before = bench.daemon.open_files()
        _record_messages(bench)
        for number in range(count):
            since_s = time.monotonic()
            webcam.unplug()
            _await_camera(watch, "lost", since_s)
            since_s = time.monotonic()
            bench.plug_in(webcam)
            node_s = float(bench.machine.run(f"stat -c %.W {CAMERA}"))
            likeness = _likeness(bench, watch, f"replug-{number}", picture)
            bench.demand(likeness >= LIKENESS_DB, f"after replug {number}: {likeness:.1f} dB")
            _await_camera(watch, "online", since_s)
            gone_s = _gone_at(bench)
            told_s = [each for each in _times(bench, f"grep '\"lost\"' {STATES}") if each > gone_s]
            bench.demand(bool(told_s), f"nothing was said of loss {number}")
            lost_s.append(told_s[0] - gone_s)
            back_s.append(_times(bench, f"cat {POSTERS}")[-1] - node_s)
        files_after = bench.daemon.open_files()
    bench.measure(f"lost noticed, slowest of {count}", max(lost_s), "s", at_most=LOST_S_MAX)
    bench.measure(
        f"good still after the node is back, slowest of {count}",
        max(back_s),
        "s",
        at_most=BACK_S_MAX,
    )
    bench.measure("files left open", files_after - files_before, "files", at_most=0)


def second_camera(bench: Bench):
    """The kernel's own test camera, vivid, works as well: raw formats alone."""
    bench.machine.run("modprobe vivid; udevadm settle", 120)
    bench.daemon.configure(bench.configuration.replace(CAMERA, VIVID))
    bench.await_ready()
    with bench.broker.watch() as watch:
        answer = jobs.capture(bench.broker, watch, "vivid")
        bench.demand(answer["status"] == "ok", f"vivid: {answer}")
        bench.keep("vivid.jpg", jobs.poster(watch, answer["data"]["sha256"]))


def _likeness(bench: Bench, watch, transaction: str, picture: pictures.Picture) -> float:
    """Takes a still and compares it with the picture, in dB."""
    answer = jobs.capture(bench.broker, watch, transaction)
    bench.demand(answer["status"] == "ok", f"{transaction}: {answer}")
    poster = jobs.poster(watch, answer["data"]["sha256"])
    bench.keep(f"{transaction.replace(' ', '-')}.jpg", poster)
    return likeness_db(poster, picture.jpeg)


def _reason(answer: dict) -> str:
    """Why a still was refused; nothing if it was not."""
    error = answer.get("error") or {}
    return f"{error['code']}: {error['message']}" if answer["status"] == "error" else ""


def _await_camera(watch, state: str, since_s: float):
    watch.wait(
        lambda each: each.topic == "state" and each.json().get("camera") == state,
        f"state with camera {state}",
        30,
        since_s,
    )


def _record_messages(bench: Bench):
    """Has the board write down when, by its own clock, the daemon says what."""
    subscribe = "nohup mosquitto_sub -V 5 -q 1"
    bench.machine.run(
        f"{subscribe} -t {bench.broker.prefix}state -F '%U %p' >{STATES} 2>/dev/null & "
        f"{subscribe} -t {bench.broker.prefix}poster -F %U >{POSTERS} 2>/dev/null & sleep 1"
    )


def _times(bench: Bench, lines: str) -> list[float]:
    """The times, in seconds, that those lines begin with which a command of the board
    prints."""
    return [float(line.split()[0]) for line in bench.machine.run(lines).splitlines()]


def _gone_at(bench: Bench) -> float:
    """When the kernel last saw a camera go, in seconds of the board's clock. Not from the
    journal, which notes when it has read the kernel's message; how far the kernel's own
    clock is behind is told by a message that holds the time it was written at."""
    bench.machine.run("echo clock $EPOCHREALTIME >/dev/kmsg")
    said = bench.machine.run("dmesg | grep -E 'USB disconnect|clock [0-9.]+$' | tr -d '[]'")
    lines = [line.split() for line in said.splitlines()]
    gone_s = [float(words[0]) for words in lines if "disconnect," in words][-1]
    now_s, kernel_s = float(lines[-1][-1]), float(lines[-1][0])
    return now_s - kernel_s + gone_s
