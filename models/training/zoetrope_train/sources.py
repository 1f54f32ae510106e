"""Which photos exist: the manifest, the split by source, sampling weights."""

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
    "smoke5k_synthetic": 1.5,
}

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
