"""What cameras and networks do to a picture: tilt, haze, blur, exposure, white balance, noise, compression."""

from dataclasses import replace

import cv2
import numpy as np


def tilted(scene, wind, degrees):
    """The scene and the wind seen by a camera held askew, enlarged until no corner is empty.

    Positive angles turn the picture counter-clockwise. Velocities and displacements turn and grow with the picture.
    """
    h, w = scene.rgb.shape[:2]
    angle = np.radians(degrees)
    grown = abs(np.cos(angle)) + abs(np.sin(angle)) * max(w / h, h / w)
    matrix = cv2.getRotationMatrix2D(((w - 1) / 2, (h - 1) / 2), degrees, grown)
    turn = matrix[:, :2].astype(np.float32)

    def seen(field, how=cv2.INTER_LINEAR):
        return cv2.warpAffine(field, matrix, (w, h), flags=how, borderMode=cv2.BORDER_REPLICATE)

    waves = scene.spectrum.reshape(h, w, -1)
    planes = [
        seen(np.ascontiguousarray(part[..., k])) for k in range(waves.shape[-1]) for part in (waves.real, waves.imag)
    ]
    waves = np.stack([re + 1j * im for re, im in zip(planes[0::2], planes[1::2], strict=True)], -1)
    waves = waves.reshape(scene.spectrum.shape) @ turn.T
    turned = replace(
        scene,
        rgb=seen(scene.rgb),
        classes=seen(scene.classes, cv2.INTER_NEAREST),
        mobility=seen(scene.mobility),
        flow=seen(scene.flow) @ turn.T,
        spectrum=waves.astype(np.complex64),
        depth=seen(scene.depth),
        light=seen(scene.light),
    )
    return turned, (turn / grown) @ np.asarray(wind, np.float32)


def augment(rgb, rng):
    """A used-looking copy of ``rgb`` (uint8 H x W x 3); geometry is untouched, so labels stay true."""
    h, w = rgb.shape[:2]
    image = (rgb.astype(np.float32) / 255) ** 2.2
    if rng.random() < 0.25:
        veil = rng.uniform(0.4, 0.95, 3) * 0.5 + rng.uniform(0.2, 0.45)
        rise = np.linspace(rng.uniform(0.4, 1), rng.uniform(0.0, 0.6), h, dtype=np.float32)[:, None, None]
        image += (veil.astype(np.float32) - image) * rise * np.float32(rng.uniform(0.05, 0.35))
    image *= np.float32(2.0 ** np.clip(rng.normal(0, 0.45), -1.2, 1.0))
    image *= np.exp(rng.normal(0, 0.09, 3)).astype(np.float32)
    if rng.random() < 0.5:
        grey = image.mean(-1, keepdims=True)
        image = np.maximum(grey + (image - grey) * np.float32(rng.uniform(0.55, 1.35)), 0)
    if rng.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.35, 1.3))
    if rng.random() < 0.08:
        length = int(rng.integers(3, 6))
        kernel = np.eye(length, dtype=np.float32) / length
        image = cv2.filter2D(image, -1, kernel if rng.random() < 0.5 else kernel[::-1].copy())
    shot = rng.normal(0, 1, image.shape).astype(np.float32) * np.sqrt(np.maximum(image, 0) + 0.002)
    image = image + shot * np.float32(rng.choice([0.0, 0.01, 0.02, 0.05], p=[0.25, 0.35, 0.3, 0.1]))
    image = np.clip(image, 0, 1) ** np.float32(1 / rng.uniform(2.0, 2.45))
    if rng.random() < 0.4:
        image = np.clip(
            image + rng.uniform(0.03, 0.12) * np.sin((image - 0.5) * np.pi * 2) / (2 * np.pi) * rng.choice([-1, 1]) * 2,
            0,
            1,
        )
    out = (image * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.25:
        factor = rng.uniform(0.5, 0.9)
        small = cv2.resize(out, (max(8, int(w * factor)), max(8, int(h * factor))), interpolation=cv2.INTER_AREA)
        out = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.75:
        _, code = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))])
        out = cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(out)
