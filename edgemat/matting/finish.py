"""What becomes of a picture and its matte."""

from __future__ import annotations

from dataclasses import dataclass

from edgemat.errors import UsageError
from edgemat.images import F32, U8, to_uint8
from edgemat.matting.foreground import (
    blur_background,
    check_blur,
    cut_out,
    replace_background,
)


@dataclass(frozen=True)
class Finish:
    """By default a transparent cut-out.

    Attributes
    ----------
    background:
        HxWx3 uint8 to put behind instead.
    blur:
        Radius in pixels that the picture's own background is blurred by instead.
    only_mask:
        The matte itself, in grey.

    Raises
    ------
    UsageError
        For two of them, or an impossible radius.
    """

    background: U8 | None = None
    blur: float | None = None
    only_mask: bool = False

    def __post_init__(self) -> None:
        asked = {
            "--background": self.background is not None,
            "--blur": self.blur is not None,
            "--only-mask": self.only_mask,
        }
        chosen = [name for name, is_asked in asked.items() if is_asked]
        if len(chosen) > 1:
            raise UsageError(
                f"{chosen[0]} and {chosen[1]} exclude each other.", remedy="Give one of them."
            )
        if self.blur is not None:
            check_blur(self.blur)

    @property
    def transparent(self) -> bool:
        """True where the result has an alpha channel."""
        return self.background is None and self.blur is None and not self.only_mask

    def __call__(self, image: U8, alpha: F32) -> U8:
        """Return HxWx4 uint8, or HxWx3, or the mask as HxW."""
        if self.only_mask:
            return to_uint8(alpha)
        if self.background is not None:
            return replace_background(image, alpha, self.background)
        if self.blur is not None:
            return blur_background(image, alpha, self.blur)
        return cut_out(image, alpha)
