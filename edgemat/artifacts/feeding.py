"""How a model is fed: what an app does to a picture before, and nothing else."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from edgemat.artifacts.vocabulary import Fit, InputLayout

MAX_SIDE = 16_384


class Feeding(BaseModel):
    """The inputs that an app feeds the file with, and its output.

    Pixels are divided by 255 and nothing else: the statistics of the training set are inside the
    network. The output is the alpha matte in 0..1, of the input's size.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: InputLayout
    height: int = Field(ge=1, le=MAX_SIDE)
    width: int = Field(ge=1, le=MAX_SIDE)
    channels: Literal[1, 3, 4]
    stride: int = Field(ge=1, description="height and width must be multiples of this")
    colour_order: Literal["RGB"] = "RGB"
    scale: float = 1 / 255
    trimap_channel: int | None = Field(
        default=None, description="channel that holds the trimap: 0, 128/255 or 1"
    )
    fit: Fit | None = Field(
        default=None,
        description="how a picture of any size is brought to this one; None: letterbox, or tiles "
        "with a trimap",
    )

    @classmethod
    def of(
        cls,
        channels: int,
        size: tuple[int, int],
        *,
        layout: InputLayout,
        stride: int,
        fit: Fit | None = None,
    ) -> Feeding:
        """Return the feeding of so many channels: of four, the last is the trimap's.

        >>> from edgemat.artifacts.feeding import Feeding
        >>> Feeding.of(4, (320, 320), layout="NCHW", stride=32).trimap_channel
        3

        Parameters
        ----------
        channels:
            1, 3 or 4.
        size:
            Height and width, px.
        """
        height, width = size
        return cls(
            layout=layout,
            height=height,
            width=width,
            channels=channels,  # type: ignore[arg-type]  # pydantic looks
            stride=stride,
            trimap_channel=3 if channels == 4 else None,
            fit=fit,
        )

    @property
    def fitting(self) -> Fit:
        """How a picture of any size is brought to the input; :mod:`edgemat.matting.matte` does."""
        return self.fit or ("tiles" if self.channels == 4 else "letterbox")

    @model_validator(mode="after")
    def _ways_that_there_are(self) -> Feeding:
        if self.fit == "letterbox" and self.channels == 4:
            raise ValueError("a letterbox is for pictures without a trimap")
        return self

    @model_serializer(mode="wrap")
    def _say_fit_where_there_is_one(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave `fit` out where it is None: it is younger than files and names that must hold."""
        fields: dict[str, Any] = write(self)
        if self.fit is None:
            fields.pop("fit", None)
        return fields
