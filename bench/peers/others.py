"""Peers' networks, each fed as its makers feed it.

The whole picture is stretched to the input, and the mask is enlarged bilinearly: that is what the
peers' own SDKs do. On request the mask is enlarged by our guided filter instead.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgemat.bench.peers.catalog import Peer
from edgemat.bench.peers.contestants import ContestantFacts, NetworkRun, noise, tflite_call
from edgemat.errors import ArtifactError
from edgemat.images import F32, IMAGENET_MEAN, IMAGENET_STD, U8, resize, to_float
from edgemat.matting.guided import guided_upsample
from edgemat.matting.onnx_session import open_onnx
from edgemat.matting.runtime import TfliteModel

MEAN, STD = np.array(IMAGENET_MEAN, np.float32), np.array(IMAGENET_STD, np.float32)


class TflitePeer:
    """A peer's .tflite file: RGB / 255 in, one channel of the output is the person."""

    def __init__(self, peer: Peer, path: Path, *, threads: int, guided: bool) -> None:
        self._model = TfliteModel(path, threads=threads)
        given, made = self._model.input_shape, self._model.output_shape
        fits = given == (1, *peer.size, 3) and len(made) == 4 and made[:3] == given[:3]
        if not fits or made[3] <= peer.channel:
            raise _not_the_peer(path, peer, given, made)
        self._peer, self._guided = peer, guided
        self.facts = _peer_facts(peer, path)

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha; see :class:`~bench.peers.contestants.Contestant`."""
        small = to_float(resize(image, self._peer.size, method="bilinear"))
        made = self._model.run(small[None])[0]
        alpha = (softmax(made) if self._peer.softmax else made)[..., self._peer.channel]
        return enlarge(np.clip(alpha, 0, 1), small, image, guided=self._guided)

    def network(self) -> NetworkRun | None:
        """Return one run of the network; None with the guided filter, which has it too."""
        if self._guided:
            return None
        return tflite_call(self._model.path, self._model.threads)


class OnnxPeer:
    """U-2-Net as ``rembg`` runs it.

    RGB is divided by the picture's maximum and normalised by ImageNet's statistics; the range of
    the output is stretched to 0..1, so that something stands out in every picture.
    """

    def __init__(self, peer: Peer, path: Path, *, threads: int, guided: bool) -> None:
        self._session = open_onnx(path, threads=threads)
        given = tuple(self._session.get_inputs()[0].shape)
        if len(given) != 4 or given[1:] != (3, *peer.size):
            made = tuple(self._session.get_outputs()[0].shape)
            raise _not_the_peer(path, peer, given, made)
        self._peer, self._guided = peer, guided
        self.facts = _peer_facts(peer, path)

    def predict(self, image: U8, trimap: U8 | None) -> F32:
        """Return alpha; see :class:`~bench.peers.contestants.Contestant`."""
        small_u8 = resize(image, self._peer.size, method="bilinear")
        bright = max(1, int(small_u8.max()))
        x = (small_u8 / np.float32(bright) - MEAN) / STD
        made = self._run(np.ascontiguousarray(x.transpose(2, 0, 1)[None], np.float32))
        alpha = stretch(made[0, self._peer.channel])
        return enlarge(alpha, to_float(small_u8), image, guided=self._guided)

    def network(self) -> NetworkRun | None:
        """Return one run of the network, with copying; None as above."""
        if self._guided:
            return None
        x = noise((1, 3, *self._peer.size))
        return lambda: self._run(x)

    def _run(self, x: F32) -> F32:
        first = self._session.get_inputs()[0].name
        wanted = self._session.get_outputs()[0].name
        alpha: F32 = self._session.run([wanted], {first: x})[0]
        return alpha


def enlarge(alpha: F32, small: F32, image: U8, *, guided: bool) -> F32:
    """Take a peer's mask, hxw in 0..1, to the picture's size: bilinear, or guided as edgemat's.

    `small` is the picture at the mask's size, hxwx3 in 0..1. A picture that is smaller than the
    mask is not filtered, here as in :func:`edgemat.matting.matte.matte`.
    """
    size = image.shape[0], image.shape[1]
    if guided and alpha.size < size[0] * size[1]:
        return np.clip(guided_upsample(alpha, small, image), 0, 1)
    return resize(alpha, size, method="bilinear")


def softmax(logits: F32) -> F32:
    """Return the softmax over the last axis, float32 in 0..1."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: F32 = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def stretch(alpha: F32) -> F32:
    """Stretch the range of a mask to 0..1; a flat one becomes 0."""
    low, high = float(alpha.min()), float(alpha.max())
    if high <= low:
        return np.zeros_like(alpha)
    stretched: F32 = (alpha - np.float32(low)) / np.float32(high - low)
    return np.clip(stretched, 0, 1)


def _peer_facts(peer: Peer, path: Path) -> ContestantFacts:
    height, width = peer.size
    return ContestantFacts(
        peer.licence, peer.runtime, f"{width}x{height}", takes_trimap=False, file=path
    )


def _not_the_peer(
    path: Path, peer: Peer, given: tuple[object, ...], made: tuple[object, ...]
) -> ArtifactError:
    height, width = peer.size
    return ArtifactError(
        f"{path} takes {given} and gives {made}: that is not {peer.name}.",
        remedy=f"Give the file of {width}x{height} px RGB in which channel {peer.channel} "
        "is the person.",
    )
