"""Which photos and clips exist: the manifest, the split by source, sampling weights."""

import csv
from dataclasses import dataclass
from pathlib import Path

#: Photo sources that are never trained on.
VALIDATION_SOURCES = (
    "stunning",
    "deepphoto_style",
    "smartcrop",
    "exif_samples",
    "cid22",
)
#: Real smoke photos that are never trained on.
SMOKE_TEST_SOURCES = ("smoke5k_figlib",)

#: Chance of a photo to be drawn, relative to 1, by source.  Close-ups teach
#: the student the teacher's mistakes (produce and petals called "person").
SAMPLING_WEIGHTS = {
    "flowers": 0.2,
    "grocery": 0.1,
    "foodpics": 0.25,
    "hymenoptera": 0.25,
    "templates_lz": 0.6,
    "imagenet_sample": 0.4,
    "bep_travel": 2.0,
    "confire_fire": 4.0,
    "elementary_wallpapers": 3.0,
    "mdn_shared_assets": 2.0,
    "smoke5k_other": 3.0,
    "smoke5k_synthetic": 0.5,
}

#: Close-ups in which the segmentation teacher sees people: what it calls a person is a petal
#: in the first, and food, goods or an insect in the others.
PETAL_SOURCES = ("flowers",)
STILL_LIFE_SOURCES = ("grocery", "foodpics", "hymenoptera")

PHOTO_SUFFIXES = (".webp", ".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Photo:
    """One photo of the material; holding it means that the file is listed."""

    file: str
    source: str
    licence: str

    @property
    def is_smoke(self):
        """True when a smoke mask lies beside the photo."""
        return self.file.startswith("smoke/")

    @property
    def is_test(self):
        """True when the photo may not be trained on."""
        return self.source in VALIDATION_SOURCES + SMOKE_TEST_SOURCES

    @property
    def weight(self):
        """Relative chance of being drawn for training; 0 for test photos."""
        return 0.0 if self.is_test else SAMPLING_WEIGHTS.get(self.source, 1.0)

    def mask_file(self):
        """Path of the smoke mask, relative to the material."""
        path = Path(self.file)
        return str(path.parent / "labels" / (path.stem + ".png"))


def read_manifest(data_dir):
    """All photos under `photos/` and `smoke/`, in the manifest's order."""
    photos = []
    with open(Path(data_dir) / "MANIFEST.tsv", newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            parts = row["file"].split("/")
            is_photo = parts[0] in ("photos", "smoke") and len(parts) == 3
            if is_photo and row["file"].lower().endswith(PHOTO_SUFFIXES):
                photos.append(Photo(row["file"], parts[1], row["licence"]))
    return photos


#: Clip sources that are never trained on.
CLIP_VALIDATION_SOURCES = (
    "Pavelkv94__Meditation-App",
    "utkangl__sleepnoise",
    "bmccollumw__weallvote",
    "mdn__shared-assets",
)
#: Clips whose camera the manifest doubts, with drifts far below what moves in them.
CLIPS_NEARLY_STATIC = ("ocean_0", "ocean_1", "ocean_2", "ocean_3", "tornado")
#: Clips called static in which the camera was seen to pan, sink or zoom.
CLIPS_NOT_STATIC = ("eruption", "volcano_ash", "sun_tree")
#: Kinds of motion in clips.  An actor moves by itself: the network is never
#: asked about that motion, only about what rests around it.
KINDS = (
    "none", "actor", "cloud", "fog", "smoke", "fire", "fall", "river", "sea",
    "ripple", "foliage", "cloth",
)
#: First words of a clip's content -> kind of what moves in it.
_CONTENT_KINDS = {
    "cloud": "cloud",
    "smoke/steam": "smoke",
    "smoke/dust": "fog",
    "fog": "fog",
    "fire": "fire",
    "sea": "sea",
    "rain on water": "ripple",
    "water_still": "ripple",
    "foliage": "foliage",
    "cloth": "cloth",
    "static scene": "none",
}


@dataclass(frozen=True)
class Clip:
    """One clip of a camera at rest; holding it means that the file is listed."""

    file: str
    source: str
    content: str

    @property
    def is_test(self):
        """True when the clip may not be trained on."""
        return self.source in CLIP_VALIDATION_SOURCES

    @property
    def is_timelapse(self):
        """True when directions are right and speeds are not."""
        return "timelapse" in self.content

    @property
    def kind(self):
        """One of KINDS; people, traffic and rain in the air are actors.

        A fall seen with the clouds above it counts as a river: most of its
        water runs sideways.
        """
        if self.content.startswith("water_flow"):
            falls = Path(self.file).stem.startswith("waterfall") and "cloud" not in self.content
            return "fall" if falls else "river"
        for words, kind in _CONTENT_KINDS.items():
            if self.content.startswith(words):
                return kind
        return "actor"


def read_clips(data_dir):
    """All clips under `clips/` from a camera at rest, in the manifest's order."""
    clips = []
    with open(Path(data_dir) / "MANIFEST.tsv", newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE):
            parts = row["file"].split("/")
            if parts[0] != "clips" or len(parts) != 3:
                continue
            name = Path(parts[2]).stem
            static = row["static_camera"] == "y" and name not in CLIPS_NOT_STATIC
            if static or name in CLIPS_NEARLY_STATIC:
                clips.append(Clip(row["file"], parts[1], row["content"]))
    return clips
