"""A user's own mattes: folders of pictures whose files have the same names.

    FOLDER/alpha/        grey; required
           foreground/   (or fg/) colours of the foreground: composited over backgrounds, or
           image/        photographs, taken as they are
           trimap/       optional; made from alpha where it is missing
           background/   optional, with names of its own; procedural ones where it is missing

Files belong together by their stem: alpha/cat.png, foreground/cat.jpg, trimap/cat.png.
"""

from __future__ import annotations

from pathlib import Path

from edgemat.data.procedural import ProceduralSource
from edgemat.data.sample import Matte
from edgemat.errors import UsageError
from edgemat.images import F32, check_same_size, read_grey, read_image, read_trimap, to_float

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


class FolderSource:
    """Mattes from a folder; see the module's text for its layout.

    Raises
    ------
    UsageError
        When the folder or its alphas are missing, a picture has no partner, or two pictures of
        one folder have the same stem.
    """

    def __init__(self, path: Path, *, seed: int, size: tuple[int, int]) -> None:
        if not path.is_dir():
            raise UsageError(
                f"There is no data folder {path}.",
                remedy='Name a folder with alpha/ and foreground/ or image/, or "procedural".',
            )
        self.path = path
        alphas = _pictures(path / "alpha")
        if not alphas:
            raise UsageError(
                f"{path} has no pictures in alpha/.", remedy="Put the alpha mattes there."
            )
        colours, self.has_layers = self._colours()
        trimaps = _pictures(path / "trimap")
        _require_partners(alphas, colours, trimaps, path)
        self._stems = sorted(alphas)
        self._alphas, self._colour_files = alphas, colours
        self._trimaps = trimaps
        self._backgrounds = list(_pictures(path / "background").values())
        self._procedural = ProceduralSource(seed, size=size)
        self.count: int | None = len(self._stems)

    def __getitem__(self, index: int) -> Matte:
        """Return matte `index`, 0..count-1.

        Raises
        ------
        ImageError
            When a file is not a picture, or the sizes of the pictures of one matte differ.
        """
        stem = self._stems[index]
        alpha = read_grey(self._alphas[stem])
        colours = to_float(read_image(self._colour_files[stem]))
        alpha_name = str(self._alphas[stem])
        check_same_size(alpha, colours, names=(alpha_name, str(self._colour_files[stem])))
        trimap = None
        if stem in self._trimaps:
            trimap = read_trimap(self._trimaps[stem])
            check_same_size(alpha, trimap, names=(alpha_name, str(self._trimaps[stem])))
        if self.has_layers:
            return Matte(alpha, foreground=colours, trimap=trimap)
        return Matte(alpha, image=colours, trimap=trimap)

    def background(self, index: int) -> F32:
        """Return a background, HxWx3 float32 in 0..1: the folder's own, else a procedural one.

        `index` may exceed the count of mattes: each further pass over them shifts the folder's
        backgrounds by one, so that every matte meets every background.
        """
        if not self._backgrounds:
            return self._procedural.background(index)
        turn, matte = divmod(index, len(self._stems))
        return to_float(read_image(self._backgrounds[(matte + turn) % len(self._backgrounds)]))

    def _colours(self) -> tuple[dict[str, Path], bool]:
        for name, has_layers in (("foreground", True), ("fg", True), ("image", False)):
            found = _pictures(self.path / name)
            if found:
                return found, has_layers
        raise UsageError(
            f"{self.path} has neither foreground/ nor image/ with pictures.",
            remedy="Put the colours there, with the same names as the alphas.",
        )


def _pictures(folder: Path) -> dict[str, Path]:
    """Return the pictures of a folder by stem, sorted; empty where there is no folder."""
    if not folder.is_dir():
        return {}
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        # Hidden files are no pictures: macOS leaves "._cat.png" beside "cat.png".
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        if file.stem in files:
            raise UsageError(
                f"{folder} has both {files[file.stem].name} and {file.name}.",
                remedy="Keep one of the two, or give them different names.",
            )
        files[file.stem] = file
    return files


def _require_partners(
    alphas: dict[str, Path], colours: dict[str, Path], trimaps: dict[str, Path], path: Path
) -> None:
    alone = sorted((alphas.keys() ^ colours.keys()) | (trimaps.keys() - alphas.keys()))
    if alone:
        shown = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
        raise UsageError(
            f"In {path} some pictures have no partner of the same name: {shown}.",
            remedy="Every alpha needs a foreground or image of the same name, and every "
            "foreground, image or trimap an alpha.",
        )
