"""
Say what a camera makes of light: exposure, white balance, colour mosaic, noise, JPEG.

Used for drawn presentations only, where a real hand and a copy of one must be taken by the same camera. Light is
linear, float32 (H, W, 3) RGB, and 1 is white paper in the light of the room.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from handsel.drawn.canvas import ByteArray, FloatArray

GAMMA = 2.2  # Of what is stored and shown; the linear foot of sRGB is left out.
_MIDDLE = 0.2  # Mean of the picture's middle after exposure, linear; 0.18 is a photographer's grey.
_WELL = 4095.0  # Levels of the converter: 12 bits.


@dataclass(frozen=True)
class Sensor:
    """
    One camera: blur of its lens (sigma in pixels), how much of a pixel's side takes light (0 to 1), noise (of full
    scale, at white and in the dark), how much of a cast it takes out (0 to 1), JPEG quality.

    LIMITATIONS: Exposure and white balance hold still during a presentation of a second; nothing is sharpened, and no
    noise is taken out.
    """

    blur_px: float
    fill: float
    shot_noise: float
    dark_noise: float
    balance: float
    quality: int


def draw_sensor(rng: np.random.Generator) -> Sensor:
    """
    Return a webcam, better or worse.
    """
    u = rng.uniform
    return Sensor(
        blur_px=float(u(0.3, 0.75)),
        fill=float(u(0.5, 1.0)),  # A sensor of more pixels that skips rows and columns looks at small places far apart.
        shot_noise=float(u(0.006, 0.02)),
        dark_noise=float(u(0.001, 0.004)),
        balance=float(u(0.3, 0.9)),
        quality=int(rng.integers(82, 96)),
    )


def to_light(picture: FloatArray | ByteArray) -> FloatArray:
    """
    Return linear light, 0 to 1, for stored values of 0 to 255.
    """
    return np.asarray(np.power(np.asarray(picture, np.float32) / np.float32(255), np.float32(GAMMA)), np.float32)


def exposure(light: FloatArray, sensor: Sensor) -> FloatArray:
    """
    Return the gain for each channel, float32 (3,), that the camera chooses for `light`.
    """
    height, width = light.shape[:2]
    middle = light[height // 5 : -height // 5, width // 5 : -width // 5].mean(axis=(0, 1))
    cast = (middle[1] / np.maximum(middle, 1e-4)) ** np.float32(sensor.balance)
    return np.asarray(cast * np.float32(_MIDDLE / max(float(middle.mean()), 1e-4)), np.float32)


def taken(light: FloatArray, sensor: Sensor, gain: FloatArray, rng: np.random.Generator) -> ByteArray:
    """
    Return the picture, uint8 (H, W, 3) RGB, that the camera takes of `light`, which its lens has blurred already.

    1. Each pixel sees one colour: red and blue a quarter of the places each. 2. Noise. 3. The others are guessed from
    the neighbours. 4. Stored values, and JPEG with halved colour.
    """
    exposed = np.clip(light * gain, 0, 1)
    mosaic = exposed[..., 1].copy()  # 1
    mosaic[0::2, 0::2] = exposed[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = exposed[1::2, 1::2, 2]
    spread = np.sqrt(np.float32(sensor.shot_noise**2) * mosaic + np.float32(sensor.dark_noise**2))
    mosaic += rng.standard_normal(mosaic.shape, dtype=np.float32) * spread  # 2
    raw = (np.clip(mosaic, 0, 1) * np.float32(_WELL)).astype(np.uint16)
    # OpenCV names a mosaic by its second row: "BG" begins with red; 3
    full = np.asarray(cv2.cvtColor(raw, cv2.COLOR_BayerBG2RGB), np.float32) / np.float32(_WELL)
    stored = (np.power(full, np.float32(1 / GAMMA)) * 255).astype(np.uint8)  # 4
    options = [cv2.IMWRITE_JPEG_QUALITY, sensor.quality]
    coded = cv2.imencode(".jpg", cv2.cvtColor(stored, cv2.COLOR_RGB2BGR), options)[1]
    return np.asarray(cv2.cvtColor(cv2.imdecode(coded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)
