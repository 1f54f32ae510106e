"""Jobs as somebody at the other end of the broker asks for and follows them."""

import hashlib

from .broker import Broker, BrokerError, Watch

# An emulated processor takes some 200 times as long for the network.
RENDER_TIMEOUT_S = 300
CAPTURE_TIMEOUT_S = 60


def event(watch: Watch, job_id: str, name: str, timeout_s: float) -> dict:
    """The first event of that name; raises if the job fails before it."""
    message = watch.wait(
        lambda each: each.topic == f"job/{job_id}" and each.json().get("event") in (name, "failed"),
        f"{name} of job {job_id}",
        timeout_s,
    )
    document = message.json()
    if document["event"] != name:
        raise BrokerError(
            f"job {job_id} failed with {document.get('code')}: {document.get('message')}"
        )
    return document


def clip(watch: Watch, job_id: str, timeout_s: float = RENDER_TIMEOUT_S) -> bytes:
    """The clip that was made for the job, verified by its sha256."""
    sha256 = event(watch, job_id, "published", timeout_s)["sha256"]
    message = watch.wait(
        lambda each: each.topic == "clip" and hashlib.sha256(each.payload).hexdigest() == sha256,
        f"the clip {sha256}",
        30,
    )
    return message.payload


def capture(broker: Broker, watch: Watch, transaction: str) -> dict:
    """Asks for a still; returns the answer, be it good or bad."""
    broker.send("capture", b'{"transaction": "%s"}' % transaction.encode())
    message = watch.wait(
        lambda each: each.topic == "response/capture"
        and each.json().get("transaction") == transaction,
        f"the answer to capture {transaction}",
        CAPTURE_TIMEOUT_S,
    )
    return message.json()


def poster(watch: Watch, sha256: str) -> bytes:
    """The poster of that digest."""
    message = watch.wait(
        lambda each: each.topic == "poster" and hashlib.sha256(each.payload).hexdigest() == sha256,
        f"the poster {sha256}",
        30,
    )
    return message.payload
