"""Tensors as PNG pictures inside the page."""

import base64
import io
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by number of channels
NEGATIVE, POSITIVE = (37, 99, 176), (200, 85, 20)
RULE = (128, 128, 128, 110)  # around a tile, visible on light and on dark paper
GAP = 6  # pixels between tiles


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG as a data URI, its size on the page, and what it shows in words."""

    uri: str
    width: int
    height: int
    alt: str


def picture(pixels: Tensor, alt: str, *, zoom: int = 1) -> Picture:
    """uint8 pixels (1, 3 or 4 channels, H, W); ``zoom`` is left to the page's style."""
    channels, height, width = pixels.shape
    plain = pixels[0] if channels == 1 else pixels.permute(1, 2, 0)
    buffer = io.BytesIO()
    image = Image.fromarray(plain.contiguous().numpy(), MODES[channels])
    image.save(buffer, "PNG")
    coded = base64.b64encode(buffer.getvalue()).decode()
    return Picture(f"data:image/png;base64,{coded}", width * zoom, height * zoom, alt)


def signed(values: Tensor, limit: float) -> Tensor:
    """Values in ±limit as RGBA (…, 4, H, W): hue for the sign, opacity for the size.

    Zero is clear, so that the paper shows through, light or dark.
    """
    hues = torch.tensor((NEGATIVE, POSITIVE), dtype=torch.uint8)[(values > 0).long()]
    share = values.abs() / limit if limit else torch.zeros_like(values)
    opacity = (255 * share.clamp(max=1)).round().byte()
    return torch.cat((hues.movedim(-1, -3), opacity.unsqueeze(-3)), -3)


def coloured(kernels: Tensor, limit: float) -> Tensor:
    """Kernels on red, green and blue (N, 3, k, k) as RGBA; grey is zero."""
    share = kernels / limit if limit else torch.zeros_like(kernels)
    colours = (127.5 + 127.5 * share).round().clamp(0, 255).byte()
    return torch.cat((colours, torch.full_like(colours[:, :1], 255)), 1)


def sheet(tiles: Tensor, *, columns: int, side: int) -> Tensor:
    """RGBA tiles (N, 4, h, w) in rows, each framed and about ``side`` wide: one picture."""
    framed = _framed(_resized(tiles, side))
    count, _, height, width = framed.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    page = torch.zeros(4, rows * (height + GAP), columns * (width + GAP), dtype=torch.uint8)
    for index, tile in enumerate(framed):
        top, left = (index // columns) * (height + GAP), (index % columns) * (width + GAP)
        page[:, top : top + height, left : left + width] = tile
    return page[:, :-GAP, :-GAP]


def thumbnail(pixels: Tensor, side: int) -> Tensor:
    """A uint8 picture (C, H, W) made no larger than ``side``."""
    longest = max(pixels.shape[-2:])
    if longest <= side:
        return pixels
    height, width = (max(1, round(length * side / longest)) for length in pixels.shape[-2:])
    return F.adaptive_avg_pool2d(pixels.float(), (height, width)).round().byte()


def _framed(tiles: Tensor) -> Tensor:
    """A line of one pixel around each tile."""
    count, _, height, width = tiles.shape
    rule = torch.tensor(RULE, dtype=torch.uint8)[:, None, None]
    framed = rule.repeat(count, 1, height + 2, width + 2)
    framed[..., 1:-1, 1:-1] = tiles
    return framed


def _resized(tiles: Tensor, side: int) -> Tensor:
    """Whole pixels repeated to about ``side``; averaged down to it if the tiles are larger."""
    height, width = tiles.shape[-2:]
    if max(height, width) > side:
        return F.adaptive_avg_pool2d(tiles.float(), side).round().byte()
    zoom = max(1, side // max(height, width))
    return tiles.repeat_interleave(zoom, -1).repeat_interleave(zoom, -2)
