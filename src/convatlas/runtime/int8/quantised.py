"""A network in int8 by a method, judged, and refused if too much is lost."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from convatlas.errors import UserError, one_line
from convatlas.runtime.bundle import BundleCard, Quantised
from convatlas.runtime.extras import need
from convatlas.runtime.int8 import onnx_quantiser, openvino_quantiser
from convatlas.runtime.int8.judge import Feeds, Judgement, Limits, judge
from convatlas.runtime.int8.prepared import prepared
from convatlas.runtime.int8.sample import Sample
from convatlas.runtime.int8.search import Found, Quantise, search
from convatlas.runtime.sessions import Run, onnx_runner, openvino_runner


@dataclass(frozen=True, slots=True)
class Plan:
    """The pictures to quantise with, and what may be lost."""

    sample: Sample
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Method:
    """A quantiser, how its model is run for any batch, and the package it needs."""

    quantise: Quantise
    run: Callable[[Any], Run]
    package: str


@dataclass(frozen=True, slots=True)
class Result:
    """An int8 model (ONNX as bytes, or OpenVINO's), how to run it, and the figures."""

    model: Any
    run: Run
    report: Quantised
    worst: float  # relative error of a picture


def quantised(blob: bytes, card: BundleCard, plan: Plan, method: str) -> Result:
    """Quantise a float32 ONNX file whose card says how it reads pictures.

    Raises `UserError` with the figures if the limits are not met, or for a missing package.
    """
    how = METHODS[method]
    need(how.package)  # before anything that takes time
    original = onnx_runner(blob)
    with _told(method, card.network), prepared(blob, card.network) as model:
        found = search(
            model,
            Feeds(plan.sample, card),
            how.quantise,
            lambda made: judge(how.run(made), original, plan.sample, card),
            plan.limits,
        )
        layers = len(model.layers)
    if not found.judgement.passes(plan.limits):
        raise UserError(_refusal(card, plan, found, layers))
    report = _report(plan, method, found, layers)
    return Result(found.model, how.run(found.model), report, found.judgement.worst)


@contextmanager
def _told(method: str, name: str) -> Iterator[None]:
    """A quantiser that breaks off, in one line; it raises what it likes."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{method} cannot quantise {name}: {one_line(error)}; export it without --int8"
        ) from error


METHODS = {
    "onnxruntime": Method(onnx_quantiser.quantise, onnx_runner, "onnxruntime"),
    "nncf": Method(openvino_quantiser.quantise, openvino_runner, "nncf"),
}


def _report(plan: Plan, method: str, found: Found, layers: int) -> Quantised:
    judged, sample = found.judgement, plan.sample
    drop = judged.loss(plan.limits)
    original = None if drop is None else judged.accuracy
    return Quantised(
        method=method,
        weight_bits=onnx_quantiser.weight_bits() if method == "onnxruntime" else 8,
        data=sample.data,
        calibrated=len(sample.calibrating),
        judged=judged.count,
        part=sample.part,
        agreement=judged.agreement,
        error=judged.error,
        accuracy=None if original is None or drop is None else original - drop,
        original=original,
        drop=drop,
        interval=None if drop is None else judged.interval,
        unknown=_unknown(plan, judged),
        layers=layers,
        float_layers=found.kept,
    )


def _unknown(plan: Plan, judged: Judgement) -> str:
    """Why the accuracy is not known, or tells nothing."""
    if judged.accuracy is None or judged.loss(plan.limits) is not None:
        return plan.sample.unknown
    order = ", if the classes are in the network's order" if plan.sample.by_number else ""
    return (
        f"float32 is right in {judged.accuracy:.1%}{order}, and {judged.blind:.1%} may come by "
        f"chance, too near to tell whether --max-drop {100 * plan.limits.max_drop:g} is kept"
    )


def _refusal(card: BundleCard, plan: Plan, found: Found, layers: int) -> str:
    """One line: the figures, the data and the way out."""
    judged, sample, limits = found.judgement, plan.sample, plan.limits
    kept = f", even with {len(found.kept)} of {layers} layers in float32" if found.kept else ""
    where = f"on {judged.count} pictures of {sample.data} ({sample.part}){kept}"
    calibrate = f"calibrate on more or other pictures than these {len(sample.calibrating)}"
    if not math.isfinite(judged.error):
        return f"int8 gives scores of {card.network} that are no numbers {where}; {calibrate}"
    loss = judged.loss(limits)
    if loss is not None and loss > limits.max_drop:
        half = _half(judged)
        return (
            f"int8 loses {100 * loss:.1f} ± {half:.1f} points of {card.network}'s accuracy "
            f"{where}, at most {100 * limits.max_drop:g} are accepted; {calibrate}, or give a "
            "larger --max-drop"
        )
    unknown = _unknown(plan, judged)
    reason = f"; {unknown}" if unknown else ""
    return (
        f"int8 agrees with {card.network} in {judged.agreement:.1%} {where}, at least "
        f"{limits.floor:.0%} are asked for{reason}; {calibrate}, or give a smaller --min-agreement"
    )


def _half(judged: Judgement) -> float:
    assert judged.interval
    low, high = judged.interval
    return 50 * (high - low)
