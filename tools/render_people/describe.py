"""The random description of one picture: who is seen, how, and in which light.

Picture ``number`` of ``seed`` is described by its own random generators, so it is the same
whenever and in whatever order pictures are made. What bias is later measured over (skin tone,
hair, framing, view) is dealt from shuffled decks, so that any run of :data:`DECK` pictures is
balanced.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

DECK = 20
MONK_TONES = tuple(range(1, 11))
FRAMINGS = ("head_and_shoulders",) * 7 + ("close_up",) * 3 + ("half",) * 5 + ("full",) * 5
VIEWS = ("front",) * 9 + ("three_quarter",) * 8 + ("profile", "profile", "back")
# (length, texture, style) dealt once per deck to adults; see `_hair` for what age and sex change.
HAIRS: tuple[tuple[str, str, str], ...] = (
    ("bald", "none", "none"),
    ("buzz", "straight", "loose"),
    ("short", "straight", "swept_back"),
    ("short", "straight", "side_part"),
    ("short", "straight", "fringe"),
    ("short", "wavy", "side_part"),
    ("short", "curly", "loose"),
    ("short", "coily", "afro"),
    ("medium", "coily", "afro"),
    ("medium", "straight", "middle_part"),
    ("medium", "wavy", "side_part"),
    ("medium", "curly", "middle_part"),
    ("medium", "straight", "fringe"),
    ("long", "straight", "middle_part"),
    ("long", "straight", "side_part"),
    ("long", "wavy", "middle_part"),
    ("long", "wavy", "side_part"),
    ("long", "curly", "side_part"),
    ("long", "straight", "ponytail"),
    ("long", "wavy", "bun"),
)
HAIR_COLOURS = ("black", "brown", "dark_brown", "blond", "red", "grey", "white", "dyed")
BEARDS = ("none", "stubble", "moustache", "goatee", "full")
AGES = ((6, 12), (13, 18), (19, 39), (40, 59), (60, 82))
AGE_SHARES = (0.13, 0.1, 0.42, 0.2, 0.15)
POSES = (
    ("standing", 5),
    ("relaxed", 4),
    ("hands_on_hips", 2),
    ("arms_raised", 1),
    ("waving", 1),
    ("arms_out", 1),
    ("contrapposto", 3),
    ("walking", 2),
    ("sitting", 2),
    ("running", 1),
)
LIGHTS = (
    "studio",
    "rim",
    "window",
    "overcast",
    "hard_sun",
    "warm_evening",
    "cool_shade",
    "backlight",
    "low_light",
)


@dataclass(frozen=True)
class Hair:
    """Hair of the head: kind, colour and what varies within a kind (all 0..1)."""

    length: str
    texture: str
    style: str
    colour: str
    grey: float
    volume: float
    frizz: float
    parting: float


@dataclass(frozen=True)
class Person:
    """One person. ``age`` years, ``sex`` 0 female..1 male, macro values 0..1."""

    seed: int
    skin_tone: int
    age: int
    sex: float
    weight: float
    muscle: float
    height: float
    ancestry: tuple[float, float, float]
    face: tuple[float, ...]
    expression: str
    expression_strength: float
    hair: Hair
    beard: str
    pose: str
    turn: tuple[float, float, float]
    gaze: tuple[float, float]
    clothes: str


@dataclass(frozen=True)
class Shot:
    """Camera, light and blur. Degrees, millimetres (35 mm equivalent) and 0..1."""

    framing: str
    view: str
    azimuth: float
    elevation: float
    roll: float
    lens: float
    zoom: float
    shift: tuple[float, float]
    light: str
    light_azimuth: float
    exposure: float
    warmth: float
    defocus: float
    motion_blur: float


@dataclass(frozen=True)
class PictureDescription:
    """All that is random about one picture."""

    seed: int
    number: int
    people: tuple[Person, ...]
    shot: Shot

    def as_json(self) -> dict[str, Any]:
        """Return the metadata as JSON-ready values."""
        return {**asdict(self), "group_size": len(self.people)}


def describe(seed: int, number: int) -> PictureDescription:
    """Describe picture `number` of the set `seed`."""
    shot = _shot(seed, number)
    rng = _rng(seed, number, "group")
    size = 2 if shot.framing in ("half", "full") and rng.random() < 0.12 else 1
    people = tuple(_person(seed, number, place, shot) for place in range(size))
    return PictureDescription(seed, number, people, shot)


def _rng(seed: int, number: int, topic: str) -> np.random.Generator:
    return np.random.default_rng([seed, number, zlib.crc32(topic.encode())])


def _deal(seed: int, number: int, topic: str, cards: Sequence[Any]) -> Any:
    """Return this picture's card of a deck that is shuffled anew every ``len(cards)`` pictures."""
    deck, place = divmod(number, len(cards))
    order = _rng(seed, deck, f"deck {topic}").permutation(len(cards))
    return cards[int(order[place])]


def _choose(rng: np.random.Generator, options: Sequence[tuple[str, float]]) -> str:
    weights = np.asarray([weight for _, weight in options], dtype=np.float64)
    return options[int(rng.choice(len(options), p=weights / weights.sum()))][0]


def _person(seed: int, number: int, place: int, shot: Shot) -> Person:
    rng = _rng(seed, number, f"person {place}")
    tone = _deal(seed, number + 7 * place, "tone", MONK_TONES)
    hair_card = _deal(seed, number + 11 * place, "hair", HAIRS)
    low, high = AGES[int(rng.choice(len(AGES), p=AGE_SHARES))]
    years = int(rng.integers(low, high + 1))
    sex = _sex(rng, hair_card)
    hair = _hair(rng, hair_card, years, tone)
    beard = "none"
    if sex > 0.5 and years > 18:
        beard = _choose(rng, list(zip(BEARDS, (0.4, 0.18, 0.1, 0.12, 0.2), strict=True)))
    pose = _choose(rng, POSES)
    if shot.framing == "close_up" and pose in ("arms_raised", "waving"):
        pose = "relaxed"
    return Person(
        seed=int(rng.integers(1 << 31)),
        skin_tone=tone,
        age=years,
        sex=sex,
        weight=float(np.clip(rng.normal(0.5, 0.17), 0.12, 0.95)),
        muscle=float(np.clip(rng.normal(0.5, 0.15), 0.15, 0.9)),
        height=float(np.clip(rng.normal(0.5, 0.15), 0.1, 0.9)),
        ancestry=_ancestry(rng, tone),
        face=tuple(float(x) for x in np.clip(rng.normal(0, 0.45, 16), -1, 1)),
        expression=_choose(
            rng, [("neutral", 4), ("smile", 4), ("brows_up", 1), ("frown", 1), ("talk", 1)]
        ),
        expression_strength=float(rng.uniform(0.3, 0.9)),
        hair=hair,
        beard=beard,
        pose=pose,
        turn=(
            float(np.clip(rng.normal(0, 14), -32, 32)),
            float(np.clip(rng.normal(0, 6), -12, 14)),
            float(np.clip(rng.normal(0, 5), -12, 12)),
        ),
        gaze=(float(rng.normal(0, 8)), float(rng.normal(0, 4))),
        clothes=_choose(rng, [("suit", 0.5), ("cut", 0.5)]),
    )


def _sex(rng: np.random.Generator, hair: tuple[str, str, str]) -> float:
    """Draw a sex that leaves every hair kind on both, but in the usual proportions."""
    female = {"bald": 0.12, "buzz": 0.2, "short": 0.3, "medium": 0.7, "long": 0.85}[hair[0]]
    if hair[2] == "afro":
        female = 0.5
    value = rng.uniform(0.0, 0.12) if rng.random() < female else rng.uniform(0.88, 1.0)
    return float(value)


def _ancestry(rng: np.random.Generator, tone: int) -> tuple[float, float, float]:
    """Draw face-shape weights (african, asian, caucasian), loosely tied to the skin tone."""
    dark, light = (tone - 1) / 9, (10 - tone) / 9
    draw = rng.dirichlet([0.25 + 3 * dark**2, 0.9, 0.25 + 2.5 * light**2])
    return float(draw[0]), float(draw[1]), float(draw[2])


def _hair(rng: np.random.Generator, card: tuple[str, str, str], age: int, tone: int) -> Hair:
    length, texture, style = card
    if age < 19 and length == "bald":
        length, texture, style = "short", "straight", "fringe"
    weights = [3.0, 2.0, 2.0, 1.6, 0.8, 0.25, 0.1, 0.7]
    if tone >= 7:
        weights = [5.0, 1.0, 2.5, 0.3, 0.3, 0.25, 0.1, 0.7]
    colour = _choose(rng, list(zip(HAIR_COLOURS, weights, strict=True)))
    grey = 0.0
    if age >= 40:
        grey = float(np.clip(rng.normal((age - 45) / 25, 0.3), 0, 1))
        if grey > 0.55:
            colour = "white" if grey > 0.9 else "grey"
    elif colour in ("grey", "white") and age < 30:
        colour = "black"
    return Hair(
        length=length,
        texture=texture,
        style=style,
        colour=colour,
        grey=grey,
        volume=float(rng.uniform()),
        frizz=float(rng.uniform()),
        parting=float(rng.choice([-1.0, 1.0]) * rng.uniform(0.6, 1.0)),
    )


def _shot(seed: int, number: int) -> Shot:
    rng = _rng(seed, number, "shot")
    framing = _deal(seed, number, "framing", FRAMINGS)
    view = _deal(seed, number, "view", VIEWS)
    side = float(rng.choice([-1.0, 1.0]))
    azimuth = {
        "front": rng.uniform(0, 18),
        "three_quarter": rng.uniform(25, 55),
        "profile": rng.uniform(75, 105),
        "back": rng.uniform(140, 180),
    }[view]
    lens = {
        "close_up": rng.uniform(50, 135),
        "head_and_shoulders": rng.uniform(45, 135),
        "half": rng.uniform(35, 100),
        "full": rng.uniform(35, 85),
    }[framing]
    defocus = float(rng.uniform(0.3, 1.0)) if rng.random() < 0.3 else 0.0
    blur = float(rng.uniform(0.3, 1.0)) if rng.random() < 0.1 else 0.0
    return Shot(
        framing=framing,
        view=view,
        azimuth=side * float(azimuth),
        elevation=float(np.clip(rng.normal(2, 8), -15, 24)),
        roll=float(rng.normal(0, 2)),
        lens=float(lens),
        zoom=float(rng.uniform(0.85, 1.15)),
        shift=(float(rng.normal(0, 0.05)), float(rng.normal(0, 0.03))),
        light=_deal(seed, number, "light", LIGHTS),
        light_azimuth=float(rng.uniform(20, 75) * rng.choice([-1.0, 1.0])),
        exposure=float(np.clip(rng.normal(0, 0.25), -0.6, 0.5)),
        warmth=float(rng.normal(0, 0.5)),
        defocus=defocus,
        motion_blur=blur,
    )
