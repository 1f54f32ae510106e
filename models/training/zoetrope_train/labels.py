"""Hand rules on the teachers' labels of photos.

The segmentation teacher knows neither fire nor smoke, and one water only.
Its soft answer becomes our ten classes here, with fire found by colour in
photos that are known to show fire, and smoke taken from drawn masks.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .classes import ADE20K_32, INDEX, LOGIT_SCALE, STILL_CLASSES, ade_to_class_matrix

FIRE_SOURCE = "confire_fire"
#: Trust in "sky" on fire photos: what looks like sky is often their smoke.
FIRE_PHOTO_SKY_TRUST = 0.2
#: Trust in fire found by colour.
FIRE_TRUST = 0.7
#: How much a place beside a flame counts as fire.
FLICKERING = 0.6
#: Trust in faces: some are fruit or dogs, which rest as well.
FACE_TRUST = 0.8
#: Trust that is left where the sky teacher says the opposite, where sky lies under something
#: solid, and where water has the colour of sand.
OPPOSED, UNDER, SAND = 0.25, 0.3, 0.3
#: Solid cells above that make sky impossible, unless the sky teacher sees it too.
SOLID_CELLS, SOLID_SURE = 4, 0.8
#: Mean red over blue of the sky from which the light itself is warm.
WARM = 0.04
_SKY = ADE20K_32.index("sky")


def fire_share(rgb):
    """Share of burning pixels per 4x4 cell, [B, 1, h/4, w/4], of RGB 0..1.

    Flames are close to black bodies of 1,200 to 2,000 K: red at least as
    strong as green, green stronger than blue, bright and saturated; their
    core clips to white-yellow, which counts only beside flame colours.  Lit
    walls have the same colours but no contrast, which tells them apart.  What
    lies beside a flame now burns a moment later, and counts in part.
    """
    r, g, b = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
    coarse = F.avg_pool2d(rgb.mean(1, keepdim=True), 4)
    contrast = F.max_pool2d(coarse, 11, 1, 5) + F.max_pool2d(-coarse, 11, 1, 5)
    contrast = F.interpolate(contrast, scale_factor=4.0, mode="nearest")
    flame = (r > 0.78) & (r >= g) & (g > b + 0.05) & (r - b > 0.34) & (contrast > 0.42)
    core = (r > 0.92) & (g > 0.75) & (r >= g - 0.02) & (g >= b + 0.02)
    near = F.avg_pool2d(flame.float(), 9, 1, 4) > 0.25
    share = F.avg_pool2d((flame | (core & near)).float(), 4)
    return torch.maximum(share, FLICKERING * F.max_pool2d(share, 3, 1, 1))


def trust_in(classes, rgb, sky=None):
    """Trust 0..1 in the segmentation teacher's classes by rule, [B, 1, h, w].

    `classes` [B, 10, h, w] of whole pictures, `rgb` 0..1 at their size, `sky`
    [B, 1, h, w] the sky teacher's answer if it was asked.
    """
    said = classes[:, INDEX["sky"] : INDEX["sky"] + 1]
    trust = torch.ones_like(said)
    solid = classes[:, INDEX["rigid"] : INDEX["rigid"] + 1] > SOLID_SURE
    impossible = (solid.cumsum(2) >= SOLID_CELLS) & (said > 0.5)
    if sky is not None:
        impossible &= sky < 0.5
        trust[(said - sky).abs() > 0.6] = OPPOSED
    trust = torch.where(impossible, trust.clamp(max=UNDER), trust)
    water = classes[:, INDEX["water_still"] : INDEX["water_still"] + 1] > 0.5
    return trust.masked_fill(water & _like_sand(rgb, said), SAND)


def _like_sand(rgb, said_sky):
    """True where the colour is that of dry sand in light that is not warm itself."""
    warmth = rgb[:, 0:1] - rgb[:, 2:3]
    sky = (said_sky > 0.6).float()
    area = sky.sum((2, 3), keepdim=True)
    light = (warmth * sky).sum((2, 3), keepdim=True) / area.clamp(min=1)
    cold = (area > 0) & (light <= WARM)
    return cold & (rgb[:, 0:1] > 0.5) & (warmth > 0.08) & (warmth < 0.4)


def teacher_probabilities(logits):
    """The segmentation teacher's soft answer [B, 32, h, w] from its quantised logits."""
    return (logits.float() * LOGIT_SCALE).softmax(1)


def without_people(classes, is_petal, is_still_life):
    """Classes [B, 10, h, w] of close-ups: nobody is in them, whatever the teacher says.

    The flags [B] say in which photos a "person" is a petal, and in which a thing that rests.
    """
    person = classes[:, INDEX["person"]] * (is_petal | is_still_life).view(-1, 1, 1)
    petal = is_petal.view(-1, 1, 1).to(classes)
    moved = torch.zeros_like(classes)
    moved[:, INDEX["person"]] = -person
    moved[:, INDEX["foliage"]] = person * petal
    moved[:, INDEX["rigid"]] = person * (1 - petal)
    return classes + moved


def class_targets(batch):
    """Soft classes [B, 10, h, w] and trust [B, 1, h, w] of a photo batch.

    `logits` are the quantised teacher logits [B, 32, h, w]; `rgb` 0..1 at 4
    times the size, before any change of colours; `smoke` a 0..1 mask; the flags
    `is_fire` and `is_smoke` [B] say which photos show fire and which come with
    a smoke mask, `is_petal` and `is_still_life` which are close-ups; `label_trust` and `face`
    are second opinions, see `opinions`, if somebody asked for them; without, the rules judge alone.
    """
    logits, rgb, smoke = batch["logits"], batch["rgb"], batch["smoke"]
    is_fire, is_smoke = batch["is_fire"], batch["is_smoke"]
    ade = teacher_probabilities(logits)
    matrix = torch.from_numpy(ade_to_class_matrix()).to(ade)
    classes = torch.einsum("bchw,ck->bkhw", ade, matrix)
    label_trust = batch.get("label_trust")
    if label_trust is None:
        label_trust = trust_in(classes, F.avg_pool2d(rgb, 4))
    classes = without_people(classes, batch["is_petal"], batch["is_still_life"])
    trust = ade.max(1, keepdim=True).values
    fire_flag = is_fire.view(-1, 1, 1, 1).float()
    smoke_flag = is_smoke.view(-1, 1, 1, 1).float()

    trust = trust * (1 - fire_flag * (1 - FIRE_PHOTO_SKY_TRUST) * ade[:, _SKY : _SKY + 1])
    trust = trust * label_trust
    nowhere = torch.zeros_like(trust)
    fire, face = nowhere, batch.get("face", nowhere)
    if is_fire.any():
        fire = nowhere.clone()
        fire[is_fire] = fire_share(rgb[is_fire])
    smoke = smoke * smoke_flag
    for name, share, drawn_trust in (
        ("person", face, FACE_TRUST), ("smoke", smoke, 1.0), ("fire", fire, FIRE_TRUST)
    ):
        one = torch.zeros(1, classes.shape[1], 1, 1, device=classes.device)
        one[:, INDEX[name]] = 1.0
        classes = classes * (1 - share) + one * share
        trust = trust * (1 - share) + drawn_trust * share
    return classes, trust


def still_share(classes):
    """Probability of rigid, person or vehicle, [B, 1, h, w]."""
    index = [INDEX[c] for c in STILL_CLASSES]
    # Rounding may bring the sum above 1, which a device refuses as a probability.
    return classes[:, index].sum(1, keepdim=True).clamp(max=1)


def surely_still(classes, threshold=0.85):
    """1 where rigid, person or vehicle is certain at the place and around it."""
    doubt = F.max_pool2d(1 - still_share(classes), 3, 1, 1)
    return (doubt < 1 - threshold).float()


def class_weights():
    """Mild weights per class: rare ones count a little more, [10]."""
    weights = np.ones(len(INDEX), np.float32)
    for name, value in {"rigid": 0.9, "smoke": 2.5, "fire": 2.0, "cloth": 2.0,
                        "person": 2.5, "vehicle": 2.0, "water_still": 1.3,
                        "water_flow": 1.3}.items():
        weights[INDEX[name]] = value
    return torch.from_numpy(weights)
