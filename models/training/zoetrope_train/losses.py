"""What the network is asked to reproduce, on photos and in the world.

All terms are means over pixels, written so that 1 is about the error of a
network that says nothing; weights then say what matters.
"""

import torch
import torch.nn.functional as F

from .adapters import Adapters
from .classes import INDEX, MOVABLE_CLASSES
from .labels import (
    class_weights,
    still_share,
    surely_still,
    teacher_probabilities,
)
from .network import FLOW_UNIT, HARMONICS, SPECTRUM_UNIT

#: Weight of the teacher's features, before and after the rate decays: they
#: shape the encoder first, then the tasks themselves come to the fore.
FEATURES_EARLY, FEATURES_LATE = 5.0, 2.5
ADE, COARSE, CLASSES_PHOTO, CLASSES_TOLD = 1.0, 0.3, 1.2, 2.0
MOBILITY_PHOTO, MOBILITY_TOLD = 0.5, 1.0
#: Mobility of what could move, when only its class is known.
MOBILITY_ASSUMED = 0.8
DEPTH_PHOTO, DEPTH_WORLD = 0.3, 1.0
FLOW, FLOW_ANGLE, CONFIDENCE = 1.0, 0.5, 0.2
#: Speed by itself, as a factor: components alone shrink where the direction is in doubt.
FLOW_SPEED = 0.3
SPECTRUM, SPECTRUM_PHASE, LIGHT = 2.0, 0.5, 1.5
STILL_FLOW, STILL_SPECTRUM, DARK_LIGHT = 0.5, 0.5, 0.2
#: Classes that sway where they are and flow nowhere, and what that weighs on photos.
ROOTED, ROOTED_FLOW = ("foliage", "cloth"), 0.4
#: Our own large teacher's answers about photos, beside the exact ones about scenes.
TAUGHT = 0.8
#: Clips: measured, hence noisy, and few; the weights are below the world's.
MOBILITY_CLIP, MOVABLE_CLIP, DIRECTION_CLIP, SPEED_CLIP = 0.5, 0.3, 0.4, 0.6
CLASS_CLIP = 0.3
SPECTRUM_CLIP, REST_CLIP = 0.8, 0.25
#: Mobility of what was seen to move; not 1, since the flow is sometimes wrong.
MOBILITY_SEEN = 0.9
#: Speeds below this, in flow units, differ by noise only and have no direction.
SPEED_NOISE = 0.06
#: What things of a class usually do in the world: root mean square of the oscillation in
#: widths, speed in widths per second; None where it is not what shows them moving.  The
#: water of a photo may be of either kind, so either motion counts.
USUAL = {
    "sky": (None, 0.016),
    "water_still": (0.0017, 0.028),
    "smoke": (None, 0.015),
    "fire": (0.0074, 0.26),
    "foliage": (0.0021, None),
    "cloth": (0.0045, None),
}
#: Classes that move with the wind.
WINDY = ("sky", "foliage", "cloth")
#: Shares of the usual motion between which nothing is asked of a photo, and what it weighs.
USUAL_RANGE, USUAL_PHOTO = (0.75, 1.7), 0.5
#: Probability from which a place of a photo is asked to move like its class.
USUAL_SURE = 0.6
#: Weight of places at rest beside those where something happens.
AT_REST = 0.5
#: Flow error, in widths per second, at which confidence is to be 1/e.
CONFIDENCE_SCALE = 0.02
#: Pixels brighter than this may be lamps: nothing is said about their flicker.
LAMP_LUMA = 0.7
_MOVABLE = [INDEX[c] for c in MOVABLE_CLASSES]
_STILL_WATER, _FLOWING = INDEX["water_still"], INDEX["water_flow"]


def _mean(value, weight):
    return (value * weight).sum() / (weight.sum() * value.shape[1] / weight.shape[1] + 1.0)


def _split_mean(value, active):
    """Mean where something happens plus a smaller one where nothing does.

    Most of a picture is at rest; one mean over all of it would teach the
    network to say less than the truth everywhere.
    """
    return _mean(value, active) + AT_REST * _mean(value, 1 - active)


def _speed(flow):
    """Speeds [B, 1, h, w] in flow units, rounded up to the noise."""
    return torch.sqrt((flow * flow).sum(1, keepdim=True) + SPEED_NOISE**2)


def _smooth_l1(error):
    return torch.sqrt(error * error + 1e-3) - 0.0316


def merged(log_p):
    """Log-probabilities with both waters summed into one, [B, 9, h, w]."""
    water = torch.logaddexp(log_p[:, _STILL_WATER], log_p[:, _FLOWING]).unsqueeze(1)
    others = [c for c in range(log_p.shape[1]) if c not in (_STILL_WATER, _FLOWING)]
    return torch.cat([log_p[:, others], water], 1)


def _merge_targets(p):
    water = (p[:, _STILL_WATER] + p[:, _FLOWING]).unsqueeze(1)
    others = [c for c in range(p.shape[1]) if c not in (_STILL_WATER, _FLOWING)]
    return torch.cat([p[:, others], water], 1)


def usual_motion_loss(raw, classes, trust, wind):
    """How far photos move too little or too much for what they show.

    Nobody measured how a photo moves; without this, a network whose only moving
    pictures are drawn ones learns that photos are still.  `classes` [B, 10, h, w]
    soft, `trust` [B, 1, h, w], `wind` [B, 2].
    """
    rms = torch.sqrt((raw["spectrum"].float() ** 2).sum(1, keepdim=True) / 2 + 1e-10)
    speed = torch.sqrt((raw["flow"].float() ** 2).sum(1, keepdim=True) + 1e-8)
    breeze = 0.5 + wind.norm(dim=1).view(-1, 1, 1, 1)
    low, high = USUAL_RANGE
    total = 0.0
    for name, (usual_rms, usual_speed) in USUAL.items():
        share = classes[:, INDEX[name] : INDEX[name] + 1]
        if name == "water_still":
            share = share + classes[:, _FLOWING : _FLOWING + 1]
        asked = trust * share * (share > USUAL_SURE)
        motion = (rms / usual_rms if usual_rms else 0) + (speed / usual_speed if usual_speed else 0)
        motion = motion / breeze if name in WINDY else motion
        error = F.relu(low - motion) + 0.5 * F.relu(motion - high).clamp(max=2.0)
        total = total + (error * asked).sum() / (asked.sum() + 100.0)
    return USUAL_PHOTO * total


def feature_losses(answers, batch, early):
    """Named terms of the segmentation teacher's own classes and features, already weighted."""
    ade = teacher_probabilities(batch["logits"])
    trust = ade.max(1, keepdim=True).values
    terms = {}
    ordinary = (~(batch["is_fire"] | batch["is_smoke"])).view(-1, 1, 1, 1).float()
    log_ade = F.log_softmax(answers["ade"].float(), 1)
    cross = -(ade * log_ade).sum(1, keepdim=True)
    terms["ade"] = ADE * _mean(cross, trust * (0.3 + 0.7 * ordinary))
    log_coarse = F.log_softmax(answers["coarse"].float(), 1)
    terms["coarse"] = COARSE * -(F.avg_pool2d(ade, 4) * log_coarse).sum(1).mean()
    for name in Adapters.TAPS:
        weight = (FEATURES_EARLY if early else FEATURES_LATE) * (0.5 if name == "tap4" else 1.0)
        terms[name] = weight * F.mse_loss(answers[name].float(), batch[name])
    return terms


def photo_losses(raw, batch, classes, trust):
    """Named loss terms of the photo part of a batch, already weighted.

    `classes` [B, 10, h, w] and `trust` [B, 1, h, w] are those of `class_targets`.
    """
    terms = {}
    weights = class_weights().to(classes).view(1, -1, 1, 1)
    pixel = trust * (classes * weights).sum(1, keepdim=True)
    log_p = merged(F.log_softmax(raw["classes"].float(), 1))
    cross = -(_merge_targets(classes) * log_p).sum(1, keepdim=True)
    terms["classes"] = CLASSES_PHOTO * _mean(cross, pixel)

    depth = (raw["depth"].float() - batch["depth"]).abs()
    terms["depth"] = DEPTH_PHOTO * depth.mean()
    sure = surely_still(classes)
    terms["still"] = STILL_FLOW * _mean(
        (raw["flow"].float() / FLOW_UNIT).abs(), sure
    ) + STILL_SPECTRUM * _mean((raw["spectrum"].float() / SPECTRUM_UNIT).abs(), sure)
    dark = (F.avg_pool2d(batch["rgb"].mean(1, keepdim=True), 4) < LAMP_LUMA).float()
    terms["dark"] = DARK_LIGHT * _mean(raw["light"].float(), dark * (1 - classes[:, 5:6]))
    if "taught_classes" in batch:
        return terms | taught_losses(raw, batch, classes)
    return terms | assumed_motion_losses(raw, classes, trust, batch["wind"])


def assumed_motion_losses(raw, classes, trust, wind):
    """Terms of how a photo moves by what it shows, where nobody better is there to ask."""
    mobility = raw["mobility"].float().clamp(1e-4, 1 - 1e-4)
    target = MOBILITY_ASSUMED * (1 - still_share(classes))
    cross = F.binary_cross_entropy(mobility, target, reduction="none")
    rooted = sum(classes[:, INDEX[c] : INDEX[c] + 1] for c in ROOTED)
    rooted = trust * rooted * (rooted > USUAL_SURE)
    return {
        "mobile": MOBILITY_PHOTO * _mean(cross, trust),
        "rooted": ROOTED_FLOW * _mean((raw["flow"].float() / FLOW_UNIT).abs(), rooted),
        "usual": usual_motion_loss(raw, classes, trust, wind),
    }


def taught_losses(raw, batch, classes):
    """Terms of what our own large teacher says of a photo at the batch's wind.

    Where smoke was drawn by hand, `classes` [B, 10, h, w] know better than that teacher.
    """
    told = {
        name: batch[f"taught_{name}"]
        for name in ("classes", "mobility", "flow", "spectrum", "light")
    }
    drawn = batch["is_smoke"].view(-1, 1, 1, 1)
    told["classes"] = torch.where(drawn, classes, told["classes"])
    return {f"t_{name}": TAUGHT * term for name, term in _told_losses(raw, told).items()}


def _amplitudes(spectrum):
    """Magnitudes [B, 16, h, w] of k-major complex x, y displacements."""
    b, _, h, w = spectrum.shape
    pairs = spectrum.reshape(b, 2 * HARMONICS, 2, h, w)
    return torch.sqrt((pairs * pairs).sum(2) + 1e-6)


def spectrum_phase_error(said, truth):
    """Mean complex error after the best turn per picture and harmonic.

    The phase of a harmonic as a whole cannot be seen in a still, and the
    product turns it by its own seed anyway; phases *between* places can.
    """
    b, _, h, w = said.shape
    s = said.reshape(b, HARMONICS, 2, 2, h, w)
    t = truth.reshape(b, HARMONICS, 2, 2, h, w)
    re = (s[:, :, :, 0] * t[:, :, :, 0] + s[:, :, :, 1] * t[:, :, :, 1]).sum((2, 3, 4))
    im = (s[:, :, :, 0] * t[:, :, :, 1] - s[:, :, :, 1] * t[:, :, :, 0]).sum((2, 3, 4))
    norm = torch.sqrt(re * re + im * im + 1e-8)
    cos = (re / norm).detach().view(b, HARMONICS, 1, 1, 1)
    sin = (im / norm).detach().view(b, HARMONICS, 1, 1, 1)
    turned_re = s[:, :, :, 0] * cos - s[:, :, :, 1] * sin
    turned_im = s[:, :, :, 0] * sin + s[:, :, :, 1] * cos
    turned = torch.stack([turned_re, turned_im], 3)
    return (turned - t).abs().mean((1, 2, 3)).unsqueeze(1)


def world_losses(raw, batch):
    """Named loss terms of the world part of a batch, already weighted."""
    depth = (raw["depth"].float() - batch["depth"]).abs().mean()
    terms = _told_losses(raw, batch) | {"depth": DEPTH_WORLD * depth}
    return {f"w_{name}": term for name, term in terms.items()}


def _told_losses(raw, batch):
    """Terms of classes, mobility and motion that somebody told for every place."""
    terms = {}
    classes = batch["classes"]
    pixel = (classes * class_weights().to(classes).view(1, -1, 1, 1)).sum(1, keepdim=True)
    log_p = F.log_softmax(raw["classes"].float(), 1)
    terms["classes"] = CLASSES_TOLD * _mean(-(classes * log_p).sum(1, keepdim=True), pixel)
    mobility = raw["mobility"].float().clamp(1e-4, 1 - 1e-4)
    terms["mobile"] = MOBILITY_TOLD * F.binary_cross_entropy(mobility, batch["mobility"])

    said, truth = raw["flow"].float() / FLOW_UNIT, batch["flow"] / FLOW_UNIT
    speed = torch.sqrt((truth * truth).sum(1, keepdim=True) + 1e-6)
    moving = (speed > 0.06).float()
    error = said - truth
    # Rounded only where it moves: what rests is to rest, not nearly so.
    terms["flow"] = FLOW * (
        _mean(_smooth_l1(error), moving) + AT_REST * _mean(error.abs(), 1 - moving)
    )
    cosine = F.cosine_similarity(said, truth, 1, 1e-3).unsqueeze(1)
    terms["angle"] = FLOW_ANGLE * _mean(1 - cosine, moving)
    terms["speed"] = FLOW_SPEED * _mean(_smooth_l1(torch.log(_speed(said) / _speed(truth))), moving)
    error = torch.sqrt(((said - truth).detach() ** 2).sum(1, keepdim=True)) * FLOW_UNIT
    confidence = raw["confidence"].float().clamp(1e-4, 1 - 1e-4)
    terms["conf"] = CONFIDENCE * F.binary_cross_entropy(
        confidence, torch.exp(-error / CONFIDENCE_SCALE)
    )

    said, truth = raw["spectrum"].float() / SPECTRUM_UNIT, batch["spectrum"] / SPECTRUM_UNIT
    sways = (truth.abs().amax(1, keepdim=True) > 0.02).float()
    size = (_amplitudes(said) - _amplitudes(truth)).abs().mean(1, keepdim=True)
    terms["sway"] = SPECTRUM * _split_mean(size, sways)
    terms["phase"] = SPECTRUM_PHASE * _split_mean(spectrum_phase_error(said, truth), sways)

    burning = (batch["light"] > 0.05).float()
    terms["light"] = LIGHT * _split_mean((raw["light"].float() - batch["light"]).abs(), burning)
    return terms


def clip_losses(raw, batch):
    """Named loss terms of the clip part of a batch, already weighted.

    `moving_class` [B, 10, h, w] is what moves there, or nothing.  The masks of
    the batch, [B, 1, h, w] in 0..1, say where which question is asked: `moving` and `rest` for mobility, `directed` for the direction,
    `axial` for its axis, `timed` for the speed, `sways` for amplitudes.
    A plain cosine would pull without bounds where the network says nearly
    nothing; speeds are rounded up to the noise instead.
    """
    terms = {}
    mobility = raw["mobility"].float().clamp(1e-4, 1 - 1e-4)
    target = torch.full_like(mobility, MOBILITY_SEEN)
    cross = _mean(F.binary_cross_entropy(mobility, target, reduction="none"), batch["moving"])
    terms["c_mobile"] = MOBILITY_CLIP * (cross + _mean(-torch.log(1 - mobility), batch["rest"]))
    log_p = F.log_softmax(raw["classes"].float(), 1)
    log_movable = log_p[:, _MOVABLE].logsumexp(1, keepdim=True)
    terms["c_movable"] = MOVABLE_CLIP * _mean(-log_movable, batch["moving"])
    cross = -(batch["moving_class"] * log_p).sum(1, keepdim=True)
    known = batch["moving_class"].sum(1, keepdim=True)
    terms["c_class"] = CLASS_CLIP * _mean(cross, known)

    said, truth = raw["flow"].float() / FLOW_UNIT, batch["flow"] / FLOW_UNIT
    speeds = [_speed(said), _speed(truth)]
    cosine = (said * truth).sum(1, keepdim=True) / (speeds[0] * speeds[1])
    error = batch["directed"] * (1 - cosine) + batch["axial"] * (1 - cosine.abs())
    asked = batch["directed"] + batch["axial"]
    terms["c_angle"] = DIRECTION_CLIP * error.sum() / (asked.sum() + 1.0)
    log_ratio = torch.log(speeds[0] / speeds[1])
    terms["c_speed"] = SPEED_CLIP * _mean(_smooth_l1(log_ratio), batch["timed"])

    said, truth = raw["spectrum"].float() / SPECTRUM_UNIT, batch["spectrum"] / SPECTRUM_UNIT
    size = (_amplitudes(said) - _amplitudes(truth)).abs().mean(1, keepdim=True)
    terms["c_sway"] = SPECTRUM_CLIP * _mean(size, batch["sways"])
    motion = (raw["flow"].float() / FLOW_UNIT).abs().mean(1, keepdim=True)
    motion = motion + said.abs().mean(1, keepdim=True)
    terms["c_rest"] = REST_CLIP * _mean(motion, batch["rest"])
    return terms
