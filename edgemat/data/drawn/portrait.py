"""Head-and-shoulder silhouettes: enough of a person for a small network to learn where one is.

A person is built in head coordinates (origin at the head's centre, 1 = half the head's height,
y down) and placed in the picture by a :class:`~edgemat.data.drawn.head.HeadPose`.
"""

from __future__ import annotations

import numpy as np

from edgemat.data.drawn.draw import (
    Layers,
    MaskPainter,
    Points,
    Size,
    ellipse,
    gaussian,
    rotate,
    smooth_closed,
)
from edgemat.data.drawn.head import (
    HeadPose,
    Palette,
    hair_outline,
    hair_texture,
    head_outline,
    paint_face,
    paint_hair,
    paint_hat,
)
from edgemat.data.drawn.textures import (
    cloth,
    clouds,
    hair_colour,
    lit,
    random_colour,
    skin_colour,
)
from edgemat.images import F32

STYLES = ("short", "long", "curly")


def random_palette(rng: np.random.Generator) -> Palette:
    """Return the colours of one person."""
    return Palette(skin=skin_colour(rng), hair=hair_colour(rng), cloth=random_colour(rng))


def portrait(
    rng: np.random.Generator, size: Size, *, style: str, palette: Palette
) -> tuple[F32, F32]:
    """Draw one person; returns (foreground HxWx3 defined everywhere, alpha HxW).

    `style` is the hair: "short" (with bald heads, hats and beards among them), "long" or "curly".
    """
    pose = _random_pose(rng, size)
    layers = Layers(size)
    skin_tone = lit(
        rng,
        clouds(rng, size, [palette.skin * 0.9, palette.skin, palette.skin * 1.04]),
        strength=0.35,
    )
    hair_tone = hair_texture(rng, size, palette.hair)
    outline = hair_outline(rng, pose, style=style)
    bald = style == "short" and rng.uniform() < 0.12
    hat = style != "curly" and rng.uniform() < 0.12

    if style != "short":
        layers.paint(pose.mask(outline), hair_tone * np.float32(0.8))
    _paint_body(rng, layers, pose, palette=palette, skin_tone=skin_tone)
    layers.paint(pose.mask(head_outline(pose)), skin_tone)
    for side in (-1, 1):
        ear = pose.head(ellipse((side * pose.face * 0.98, 0.08), (0.12, 0.22)))
        layers.paint(pose.mask(ear), skin_tone * np.float32(0.93))
    paint_face(rng, layers, pose, palette=palette)
    if not bald:
        paint_hair(rng, layers, pose, outline, style=style, tone=hair_tone)
    if hat:
        paint_hat(rng, layers, pose)
    foreground, alpha = layers.flatten()
    if rng.uniform() < 0.25:  # a lens that focuses on the eyes, or a soft camera
        alpha = gaussian(alpha, rng.uniform(0.5, 1.6) * min(size) / 256)
    return foreground, alpha


def _random_pose(rng: np.random.Generator, size: Size) -> HeadPose:
    height, width = size
    unit = min(height * rng.uniform(0.13, 0.25), width * 0.28)
    centre = np.array([width * rng.uniform(0.34, 0.66), 0.0])
    # The chin lies one unit below the centre; shoulders must stay in the picture.
    centre[1] = rng.uniform(unit * 1.15, max(height - 2.1 * unit, unit * 1.2))
    return HeadPose(
        size=size, centre=centre, unit=unit, tilt=rng.normal(0, 0.1), face=rng.uniform(0.7, 0.8)
    )


def _paint_body(
    rng: np.random.Generator, layers: Layers, pose: HeadPose, *, palette: Palette, skin_tone: F32
) -> None:
    """Neck, shoulders, sometimes an arm, collar and neckline."""
    shoulder = rng.uniform(1.7, 2.5)
    slope = rng.uniform(0.25, 0.6)
    drop = 1.3 + slope
    floor = (pose.size[0] - pose.centre[1]) / pose.unit + 0.5
    lean = rng.normal(0, 0.12)
    garment = cloth(rng, pose.size, palette.cloth)
    if rng.uniform() < 0.18:
        _paint_arm(rng, layers, pose, shoulder=shoulder, garment=garment, skin_tone=skin_tone)
    half = pose.face * rng.uniform(0.55, 0.72)
    right = [
        (half * 0.9, 1.2),
        (half * 1.25, 1.4),
        (shoulder * 0.72, drop - 0.3),
        (shoulder, drop + 0.1),
    ]
    right += [(shoulder * 1.07, drop + 0.8), (shoulder * 1.12, max(floor, drop + 1.2))]
    left = [(-x + lean * (y > 1.3), y) for x, y in right[::-1]]
    torso = smooth_closed(np.array(right + left))
    shade = np.float32(0.86)  # the neck lies in the shadow of the chin
    layers.paint(pose.mask(pose.body(torso)), garment)
    neckline = rng.uniform(1.3, 1.9)
    neck = [(-half, 0.2), (half, 0.2), (half, 1.12), (half * 1.2, 1.36), (0, neckline + 0.1)]
    neck += [(-half * 1.2, 1.36), (-half, 1.12)]
    layers.paint(pose.mask(pose.body(np.array(neck))), skin_tone * shade)
    if rng.uniform() < 0.4:
        _paint_collar(rng, layers, pose, half=half, neckline=neckline, colour=palette.cloth)


def _paint_collar(
    rng: np.random.Generator,
    layers: Layers,
    pose: HeadPose,
    *,
    half: float,
    neckline: float,
    colour: F32,
) -> None:
    tone = np.clip(colour * rng.uniform(0.5, 1.4) + rng.uniform(-0.1, 0.3), 0, 1)
    tips = [(half * 1.15, 1.15), (half * 1.6, 1.55), (half * 0.6, neckline + 0.35)]
    flap = np.array([*tips, (0.0, neckline + 0.05)])
    flaps = [pose.body(flap), pose.body(flap * (-1, 1))]
    layers.paint(pose.mask(*flaps), tone.astype(np.float32))


def _paint_arm(
    rng: np.random.Generator,
    layers: Layers,
    pose: HeadPose,
    *,
    shoulder: float,
    garment: F32,
    skin_tone: F32,
) -> None:
    """A raised forearm with a hand, beside the head."""
    side = rng.choice([-1.0, 1.0])
    elbow = np.array([side * (shoulder + rng.uniform(0.3, 0.7)), 2.6])
    hand = np.array([side * rng.uniform(1.2, 2.0), rng.uniform(-0.4, 0.9)])
    for bone, width, tone in (
        (np.array([[side * shoulder * 0.85, 2.0], elbow]), 0.75, garment),
        (np.array([elbow, elbow + 0.55 * (hand - elbow)]), 0.62, garment),
        (np.array([elbow + 0.5 * (hand - elbow), hand]), 0.4, skin_tone),
    ):
        layers.paint(pose.mask(pose.body(_capsule(bone, width))), tone)
    palm = ellipse((hand[0], hand[1] - 0.15), (0.27, 0.36), angle=rng.normal(0, 0.3))
    fingers = MaskPainter(pose.size)
    fingers.polygon(pose.body(palm))
    fan = rng.normal(0, 0.15) - np.pi / 2 + np.linspace(-0.55, 0.55, 5)
    tips = hand + np.stack([np.cos(fan), np.sin(fan)], axis=1) * 0.8
    lines = pose.body(np.stack([np.broadcast_to(hand, tips.shape), tips], axis=1))
    fingers.polylines(lines, [0.13 * pose.unit] * 5)
    layers.paint(fingers.mask(), skin_tone)


def _capsule(bone: Points, width: float) -> Points:
    """Return the outline of a thick line with round ends."""
    along = bone[1] - bone[0]
    angle = np.arctan2(along[1], along[0])
    turn = np.linspace(-np.pi / 2, np.pi / 2, 12)
    cap = np.stack([np.cos(turn), np.sin(turn)], axis=1) * width / 2
    return np.concatenate([rotate(cap, angle) + bone[1], rotate(cap, angle + np.pi) + bone[0]])
