from pathlib import Path
from typing import get_args

from prometheus_client.parser import text_string_to_metric_families

from convatlas.serving.metrics import Metrics, Why


def test_every_reason_is_there_before_its_first_time_and_on_the_page() -> None:
    families = text_string_to_metric_families(Metrics().text().decode())
    (rejected,) = [family for family in families if family.name == "convatlas_rejected"]
    counts = {s.labels["why"]: s.value for s in rejected.samples if s.name.endswith("_total")}
    assert counts == dict.fromkeys(get_args(Why), 0.0)
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    (row,) = [x for x in page.splitlines() if x.startswith("| `convatlas_rejected_total{why}`")]
    assert all(f"`{why}`" in row for why in get_args(Why))
