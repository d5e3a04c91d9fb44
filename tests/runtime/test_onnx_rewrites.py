import numpy as np
import onnxruntime as ort
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convatlas.errors import UserError
from convatlas.runtime.closeness import relative_error
from convatlas.runtime.network import Network, random_pixels
from convatlas.runtime.onnx_file import Form, to_onnx
from convatlas.runtime.onnx_rewrites import adaptive_average_pool, average_pool


@pytest.mark.parametrize("cells", [(1, 2), (2, 3), (6, 6), (7, 5), (13, 13)])
@pytest.mark.parametrize("size", [(7, 7), (13, 6), (9, 31), (3, 4)])
def test_an_adaptive_pool_is_two_matrix_products(
    cells: tuple[int, int], size: tuple[int, int]
) -> None:
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    expected = F.adaptive_avg_pool2d(x, cells)
    torch.testing.assert_close(adaptive_average_pool(x, cells), expected, rtol=0, atol=1e-6)


def test_a_mean_over_all_is_left_to_the_exporter() -> None:
    assert adaptive_average_pool(torch.zeros(1, 1, 4, 4), (1, 1)) is NotImplemented


@pytest.mark.parametrize("divisor", [1, 3, 7])
@pytest.mark.parametrize("padding", [0, 1])
def test_a_divisor_is_a_factor(divisor: int, padding: int) -> None:
    x = torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(0))
    wanted = F.avg_pool2d(x, (3, 2), 2, padding, divisor_override=divisor)
    found = average_pool(x, (3, 2), (2, 2), (padding, padding), divisor_override=divisor)
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-6)


def test_uneven_windows_are_refused() -> None:
    x = torch.zeros(1, 1, 8, 8)
    with pytest.raises(UserError, match="no ONNX form"):
        average_pool(x, (3, 3), (2, 2), ceil_mode=True, divisor_override=2)
    with pytest.raises(UserError, match="no ONNX form"):
        average_pool(x, (3, 3), padding=(1, 1), count_include_pad=False, divisor_override=2)
    assert average_pool(x, (3, 3)) is NotImplemented


@pytest.mark.parametrize("cells", [(6, 6), (4, 5)])
def test_adaptive_pools_are_right_at_every_size(cells: tuple[int, int]) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.AdaptiveAvgPool2d(cells)).eval()
    pool = Network(name="pool", module=module, shape=(3, 30, 30))
    blob = to_onnx(pool, Form(dynamic_size=True))
    session = ort.InferenceSession(blob, providers=["CPUExecutionProvider"])
    for shape in ((3, 3, 30, 30), (2, 3, 67, 83), (1, 3, 13, 61)):
        fed = random_pixels(shape)
        (found,) = session.run(None, {"pixels": fed})
        assert relative_error(np.asarray(found), pool.eager(fed)) < 1e-5
