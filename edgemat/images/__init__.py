"""Pictures in and out: every file mode that a user may bring, read into plain numpy arrays.

Only numpy and Pillow are needed, so that the light install (no torch) can cut out a photograph.
Images are HxWx3 RGB, alpha mattes HxW float32 in 0..1, trimaps HxW uint8 in {0, 128, 255}.
"""

from edgemat.images.arrays import (
    BACKGROUND,
    F32,
    FOREGROUND,
    IMAGENET_MEAN,
    IMAGENET_STD,
    MAX_SIDE,
    MIN_SIDE,
    PIXEL_SCALE,
    U8,
    UNKNOWN,
    Method,
    T,
    check_same_size,
    check_sizes,
    resize,
    to_float,
    to_uint8,
)
from edgemat.images.decode import PackedFile, PictureBytes, PictureFile, image_size
from edgemat.images.read import (
    read_background,
    read_grey,
    read_image,
    read_rgba,
    read_trimap,
)
from edgemat.images.write import check_image_name, encode_image, write_image

__all__ = [
    "BACKGROUND",
    "F32",
    "FOREGROUND",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "MAX_SIDE",
    "MIN_SIDE",
    "PIXEL_SCALE",
    "U8",
    "UNKNOWN",
    "Method",
    "PackedFile",
    "PictureBytes",
    "PictureFile",
    "T",
    "check_image_name",
    "check_same_size",
    "check_sizes",
    "encode_image",
    "image_size",
    "read_background",
    "read_grey",
    "read_image",
    "read_rgba",
    "read_trimap",
    "resize",
    "to_float",
    "to_uint8",
    "write_image",
]
