"""NNCF's quantiser on OpenVINO's form of a network: FakeQuantize operations that OpenVINO fuses.

Its mixed preset: weights symmetric with a scale for each output channel, activations symmetric or
not as they fall; biases are corrected for the mean error of each layer. Networks with layer norm
and attention are told as such, so that scales are moved from activations into weights (SmoothQuant,
Xiao et al. 2022, arXiv:2211.10438).
"""

import os
from collections.abc import Collection
from typing import Any

from convatlas.runtime.extras import need
from convatlas.runtime.int8.judge import Feeds
from convatlas.runtime.int8.prepared import Prepared, hushed
from convatlas.runtime.sessions import openvino_core

SUFFIXES = ("", "/WithoutBiases")  # OpenVINO splits a layer with biases in two
SILENT = "NNCF_CI"  # set while NNCF is imported, it sends nothing about its use


def quantise(model: Prepared, feeds: Feeds, *, keep: Collection[str] = ()) -> Any:
    """The int8 model of OpenVINO; the named nodes stay float32."""
    nncf = _nncf()
    core = openvino_core()
    made = core.read_model(model.model)
    names = {operation.get_friendly_name() for operation in made.get_ops()}
    ignored = [
        name + suffix
        for name in (*model.entry, *keep)
        for suffix in SUFFIXES
        if name + suffix in names
    ]
    transformer = any(operation.get_type_name() == "Softmax" for operation in made.get_ops())
    with hushed():
        return nncf.quantize(
            made,
            nncf.Dataset(feeds),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(feeds),
            model_type=nncf.ModelType.TRANSFORMER if transformer else None,
            ignored_scope=nncf.IgnoredScope(names=ignored, validate=False) if ignored else None,
        )


def _nncf() -> Any:
    before = os.environ.get(SILENT)
    os.environ[SILENT] = "1"
    try:
        with hushed():
            return need("nncf")
    finally:
        if before is None:
            del os.environ[SILENT]
        else:
            os.environ[SILENT] = before
