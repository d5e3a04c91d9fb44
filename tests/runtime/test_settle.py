import torch

from convatlas import models
from convatlas.runtime.settle import settle


def test_scores_depend_on_the_picture_afterwards() -> None:
    torch.manual_seed(0)
    module = models.create("mobilenet_v1-0.25").eval()
    momenta = [getattr(part, "momentum", None) for part in module.modules()]
    x = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        first, second = module(x)
        assert (first - second).abs().max() < 1e-6  # faded away
    settle(module, (3, 224, 224))
    assert not module.training
    assert not any(part.training for part in module.modules())
    assert momenta == [getattr(part, "momentum", None) for part in module.modules()]
    with torch.inference_mode():
        first, second = module(x)
        assert (first - second).abs().max() > 0.01 * first.std()
