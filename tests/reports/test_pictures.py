import base64
import io

import pytest
import torch
from PIL import Image

from convatlas.reports.pictures import GAP, coloured, picture, sheet, signed, thumbnail


def decoded(uri):
    head, data = uri.split(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_pixels_survive(channels, mode):
    pixels = torch.randint(256, (channels, 3, 5), dtype=torch.uint8)
    made = picture(pixels, "noise", zoom=2)
    image = decoded(made.uri)
    assert (image.mode, image.size) == (mode, (5, 3))
    assert bytes(image.tobytes()) == bytes(pixels.permute(1, 2, 0).contiguous().numpy())
    assert (made.width, made.height, made.alt) == (10, 6, "noise")


def test_signed_is_clear_at_zero_and_symmetrical():
    pixels = signed(torch.tensor([[-2.0, -1.0, 0.0, 1.0, 2.0]]), 2.0)
    assert pixels.shape == (4, 1, 5)
    assert pixels[3, 0].tolist() == [255, 128, 0, 128, 255]
    assert pixels[:3, 0, 0].tolist() != pixels[:3, 0, 4].tolist()


def test_signed_of_nothing_but_zeros():
    assert int(signed(torch.zeros(1, 2, 2), 0.0)[:, 3].max()) == 0


def test_coloured_is_grey_at_zero():
    pixels = coloured(torch.tensor([-1.0, 0.0, 1.0]).repeat(1, 3, 1, 1), 1.0)
    assert pixels[0, 0, 0].tolist() == [0, 128, 255]
    assert pixels[0, 3].unique().tolist() == [255]


def test_sheet_enlarges_by_whole_pixels_and_wraps():
    tiles = torch.full((5, 4, 3, 3), 9, dtype=torch.uint8)
    page = sheet(tiles, columns=4, side=10)
    tile = 3 * 3 + 2  # zoom 3, frame of one pixel
    assert page.shape == (4, 2 * tile + GAP, 4 * tile + 3 * GAP)
    assert page[:, 1, 1].tolist() == [9] * 4
    assert page[:, tile + GAP :, tile:].eq(0).all()  # the last row holds one tile


def test_sheet_shrinks_what_is_large():
    page = sheet(torch.full((1, 4, 90, 90), 7, dtype=torch.uint8), columns=8, side=30)
    assert page.shape == (4, 32, 32)
    assert page[:, 5, 5].tolist() == [7] * 4


def test_thumbnail_keeps_the_shape():
    assert thumbnail(torch.zeros(3, 100, 50, dtype=torch.uint8), 20).shape == (3, 20, 10)
    small = torch.zeros(1, 8, 8, dtype=torch.uint8)
    assert thumbnail(small, 20) is small
