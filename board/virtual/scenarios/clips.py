"""From a picture to a clip outside the board."""

from lab import jobs
from lab.bench import Bench
from lab.pictures import likeness_db

# First frame of the clip against the picture: what JPEG and H.264 may cost.
LIKENESS_DB = 30


def photo(bench: Bench):
    """A photograph that is sent becomes a clip whose first frame is the photograph."""
    picture = bench.samples()[0]
    with bench.broker.watch() as watch:
        bench.broker.send("render_photo", picture.jpeg, job_id="photo")
        clip = jobs.clip(watch, "photo")
    bench.keep("photo.mp4", clip)
    bench.measure(
        "first frame like the photograph",
        likeness_db(clip, picture.jpeg),
        "dB",
        at_least=LIKENESS_DB,
    )


def from_camera(bench: Bench):
    """An empty request becomes a clip whose first frame is what the camera sees."""
    picture = bench.samples()[1]
    with bench.webcam(picture), bench.broker.watch() as watch:
        bench.broker.send("render", b'{"job_id": "camera"}')
        clip = jobs.clip(watch, "camera")
    bench.keep("camera.mp4", clip)
    bench.measure(
        "first frame like what the camera sees",
        likeness_db(clip, picture.jpeg),
        "dB",
        at_least=LIKENESS_DB,
    )
