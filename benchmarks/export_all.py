"""Every network to ONNX, run on both engines: of any batch, and of any size where it takes one.

    python benchmarks/export_all.py [NETWORK …]     without a name: those not on record or failed

Networks are exported as published, with drawn weights. A network that takes a second size is
exported once more with a free height and width and run at both. It takes an hour or two on one
core; the record is written after every network.
"""

import copy
import json
import sys
import time
import traceback

import torch

from convatlas import atlas, models
from convatlas.errors import UserError
from convatlas.runtime.cases import Case, cases, other_size
from convatlas.runtime.closeness import EQUAL, relative_error
from convatlas.runtime.network import Network
from convatlas.runtime.onnx_file import Form, to_onnx
from convatlas.runtime.sessions import Run, onnx_runner, openvino_core, openvino_runner
from convatlas.workbench.export import network_of
from record import RESULTS, write_record

NAME = "export_all"


def main() -> None:
    """One network after another, the smallest first."""
    torch.set_num_threads(1)
    path = RESULTS / f"{NAME}.json"
    rows = json.loads(path.read_text())["networks"] if path.exists() else {}
    asked = sys.argv[1:]
    for name in asked or sorted(models.names(), key=lambda name: atlas.entry(name).macs):
        if asked or name not in rows or failed(rows[name]):
            rows[name] = row(network_of(name))
            print(name, json.dumps(rows[name]), flush=True)
            ordered = {each: rows[each] for each in models.names() if each in rows}
            write_record(NAME, {**summary(ordered), "networks": ordered})


def row(network: Network) -> dict[str, dict[str, object]]:
    """One network: seconds of its exports and its largest errors, or why it has no free size."""
    found = {"batch": tried(network, Form())}
    try:
        other_size(network)
    except UserError as error:
        return {**found, "size": {"refused": str(error)}}
    return {**found, "size": tried(network, Form(dynamic_size=True))}


def tried(network: Network, form: Form) -> dict[str, object]:
    """What `exported` finds, or why there is nothing: refused by us, or failed."""
    try:
        return exported(network, form)
    except UserError as error:
        return {"refused": str(error)}
    except Exception as error:  # the others are still to be tried
        return {"failed": traceback.format_exception_only(error)[-1].strip()}


def failed(row: dict[str, dict[str, object]]) -> bool:
    """Whether one of its exports broke off, or computes something else."""
    return any(
        "failed" in each
        or any(not float(str(each.get(run, 0))) <= EQUAL for run in ("onnxruntime", "openvino"))
        for each in row.values()
    )


def exported(network: Network, form: Form) -> dict[str, object]:
    """Export once; the largest relative error of each engine over all cases."""
    started = time.perf_counter()
    blob = to_onnx(network, form)
    seconds = time.perf_counter() - started
    fed = cases(network, form)
    return {
        "seconds": round(seconds, 1),
        "bytes": len(blob),
        "inputs": len(fed),
        "last": fed[-1].label,
        "onnxruntime": worst(onnx_runner(blob), fed),
        "openvino": worst(openvino_runner(openvino_core().read_model(blob)), fed),
        "float64": rounding(network, fed[0]),
    }


def worst(run: Run, fed: list[Case]) -> float:
    """The largest relative error to torch eager."""
    return float(f"{max(case.compare(run(case.fed)).error for case in fed):.1e}")


def rounding(network: Network, case: Case) -> float:
    """How far torch eager in float32 is itself from float64."""
    exact = copy.deepcopy(network.module).double()
    with torch.inference_mode():
        scores = exact(torch.from_numpy(case.fed).double()).float().numpy()
    return float(f"{relative_error(case.expected, scores):.1e}")


def summary(rows: dict[str, dict[str, dict[str, object]]]) -> dict[str, object]:
    """How many were exported, of how many, and the largest error of each engine."""
    of_kind = {kind: [row[kind] for row in rows.values()] for kind in ("batch", "size")}
    made = {kind: [each for each in of if "seconds" in each] for kind, of in of_kind.items()}
    every = [each for of in made.values() for each in of]
    return {
        "tolerance": EQUAL,
        "count": len(rows),
        "any batch": len(made["batch"]),
        "any size": len(made["size"]),
        "failed": [name for name, row in rows.items() if failed(row)],
        "seconds": round(sum(float(str(each["seconds"])) for each in every)),
        **{
            engine: max((each[engine] for each in every), default=None, key=lambda v: float(str(v)))
            for engine in ("onnxruntime", "openvino", "float64")
        },
    }


if __name__ == "__main__":
    main()
