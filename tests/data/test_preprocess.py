import torch

from convatlas.data.preprocess import channel_statistics, fit


def pictures() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (50, 3, 6, 6), dtype=torch.uint8, generator=generator)


def test_channel_statistics_against_numpy_style_moments() -> None:
    images = pictures()
    pixels = images.double() / 255
    mean, deviation = channel_statistics(images)
    torch.testing.assert_close(mean[:, 0, 0].double(), pixels.mean((0, 2, 3)))
    torch.testing.assert_close(
        deviation[:, 0, 0].double(), pixels.std((0, 2, 3), correction=0), rtol=1e-6, atol=1e-6
    )


def test_channel_standard_gives_zero_mean_and_unit_variance() -> None:
    images = pictures()
    x = fit("channel-standard", images)(images)
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(x.var((0, 2, 3), correction=0), torch.ones(3), rtol=0, atol=1e-5)


def test_mean_image_is_taken_position_by_position() -> None:
    images = pictures()
    x = fit("mean-image", images)(images)
    torch.testing.assert_close(x.mean(0), torch.zeros(3, 6, 6), rtol=0, atol=1e-6)
    torch.testing.assert_close(x, images / 255 - (images / 255).mean(0), rtol=0, atol=1e-6)


def test_channel_mean_leaves_the_scale_alone() -> None:
    images = pictures()
    x = fit("channel-mean", images)(images)
    expected = images / 255 - (images / 255).mean((0, 2, 3))[:, None, None]
    torch.testing.assert_close(x, expected, rtol=0, atol=1e-6)


def test_ink_maps_paper_and_ink_to_the_values_of_lenet5() -> None:
    # section II-B: background -0.1, foreground 1.175
    images = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    x = fit("ink", images)(images)
    torch.testing.assert_close(x.flatten(), torch.tensor([-0.1, 1.175]), rtol=0, atol=1e-6)


def test_the_frame_is_background() -> None:
    images = torch.full((1, 1, 28, 28), 255, dtype=torch.uint8)
    x = fit("ink", images, pad=2)(images)
    assert x.shape == (1, 1, 32, 32)
    torch.testing.assert_close(x[0, 0, 0], torch.full((32,), -0.1), rtol=0, atol=1e-6)
    assert fit("mean-image", images, pad=2)(images).abs().max() < 1e-6


def test_a_channel_of_one_value_does_not_divide_by_zero() -> None:
    images = torch.full((4, 1, 2, 2), 7, dtype=torch.uint8)
    assert fit("channel-standard", images)(images).abs().max() < 1e-6
