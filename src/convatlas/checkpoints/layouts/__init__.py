"""The published layouts, by family."""

from convatlas.checkpoints.layouts import inception, plain, residual
from convatlas.checkpoints.layouts.layout import Layout

LAYOUTS: dict[str, tuple[Layout, ...]] = {
    "alexnet": (plain.ALEXNET,),
    "vgg": plain.VGGS,
    "resnet": (residual.RESNETS,),
    "preact-resnet": (residual.PREACT_RESNETS,),
    "wide-resnet": (residual.WIDE_RESNETS,),
    "resnext": (residual.RESNEXTS,),
    "senet": (residual.SENETS, residual.LEGACY_SENETS),
    "eca": (residual.ECA_RESNETS,),
    "densenet": (plain.DENSENETS,),
    "googlenet": (inception.GOOGLENET,),
    "inception_v3": (inception.INCEPTION_V3,),
    "inception_v4": (inception.INCEPTION_V4,),
    "inception_resnet": (inception.INCEPTION_RESNET,),
    "swin": (plain.SWIN_TORCHVISION, plain.SWIN_TIMM, plain.SWIN_AUTHORS),
    "mobilenet_v1": (plain.MOBILENETS,),
}
SOURCES = ("torchvision", "timm")
