"""Power that goes away in the middle of work, and comes back."""

import time

from lab import jobs
from lab.bench import Bench
from lab.broker import Watch

CUTS = 20
# Longest time from the first accepted job of a run to the cut.
WORK_S = 30
JOBS_PER_RUN = 2
# More than this many unanswered jobs are worked off before the next cut, because a
# full queue accepts nothing.
DUE_MAX = 4


class Account:
    """Which jobs the daemon has accepted, and which it has answered with a clip."""

    def __init__(self):
        self.accepted = set()
        self.answered = set()

    def due(self) -> set[str]:
        """Jobs that the daemon still owes."""
        return self.accepted - self.answered

    def read(self, watch: Watch):
        """Enters what the daemon has said of its jobs so far."""
        for message in watch.messages():
            if message.topic.startswith("job/"):
                job_id, event = message.topic.removeprefix("job/"), message.json().get("event")
                if event == "accepted":
                    self.accepted.add(job_id)
                elif event == "published":
                    self.answered.add(job_id)


def power_cuts(bench: Bench):
    """Every job that was accepted is answered, however often the power is cut."""
    photographs = {}
    samples = [each.jpeg for each in bench.samples()]
    account = Account()
    count = CUTS if bench.full else 2
    watch = bench.broker.watch()
    for run in range(count):
        _work_off(watch, account, DUE_MAX)
        for number in range(JOBS_PER_RUN):
            job_id = f"cut-{run}-{number}"
            photographs[job_id] = samples[(run + number) % len(samples)]
            bench.broker.send("render_photo", photographs[job_id], job_id=job_id)
        jobs.event(watch, f"cut-{run}-0", "accepted", jobs.CAPTURE_TIMEOUT_S)
        cut_s = bench.random.uniform(0, WORK_S)
        time.sleep(cut_s)
        bench.machine.power_cut()
        watch.close()
        account.read(watch)
        print(
            f"        cut {run} after {cut_s:.1f} s: {len(account.accepted)} jobs accepted so far, "
            f"{len(account.answered)} answered",
            flush=True,
        )
        bench.machine.boot()
        # As early as can be, to miss none of what the daemon says.
        watch = bench.broker.watch()
        bench.await_ready()
        _demand_whole(bench)
    with watch:
        _work_off(watch, account, 0)
        account.answered |= {
            each for each in account.due() if _ended(bench, each, photographs[each])
        }
    bench.measure(
        f"accepted jobs lost of {len(account.accepted)} in {count} cuts",
        len(account.due()),
        "jobs",
        at_most=0,
    )


def _work_off(watch: Watch, account: Account, due_max: int):
    """Waits until no more jobs are due, or until the daemon has nothing left to do."""
    deadline_s = time.monotonic() + jobs.RENDER_TIMEOUT_S * (DUE_MAX + JOBS_PER_RUN)
    while time.monotonic() < deadline_s:
        account.read(watch)
        states = [each.json() for each in watch.messages() if each.topic == "state"]
        idle = states and states[-1].get("state") == "ready" and states[-1].get("queue_length") == 0
        if len(account.due()) <= due_max or idle:
            return
        time.sleep(0.5)


def _ended(bench: Bench, job_id: str, photograph: bytes) -> bool:
    """Whether the daemon knows the job as one that ended well, asked for it again: its
    word of that may have left the daemon and not the board. It would accept anew a job
    that was lost."""
    with bench.broker.watch() as watch:
        bench.broker.send("render_photo", photograph, job_id=job_id, transaction=job_id)
        answer = watch.wait(
            lambda each: (
                each.topic == "response/render_photo" and each.json().get("transaction") == job_id
            )
            or (each.topic == f"job/{job_id}" and each.json().get("event") == "accepted"),
            f"an answer about {job_id}",
            60,
        ).json()
    return answer.get("status") == "ok"


def _demand_whole(bench: Bench):
    """Neither the file system nor the daemon has found anything damaged."""
    with bench.broker.watch() as watch:
        state = watch.wait(lambda each: each.topic == "state", "the state", 30).json()
    bench.demand(not state.get("reason"), f"after a power cut: {state.get('reason')}")
    damaged = bench.machine.run("find /var/lib/zoetrope/ -path '*/damaged/*'")
    bench.demand(not damaged, f"damaged: {damaged}")
    errors = bench.machine.run("dmesg | grep -E 'EXT4-fs (error|warning)' || true")
    bench.demand(not errors, f"file system: {errors}")
