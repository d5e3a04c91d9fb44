from pathlib import Path

import pytest

from convatlas import processor


def test_the_first_processor_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(
        "processor\t: 0\nmodel name\t: A Fine One\nflags\t\t: avx2 amx_tile\n\n"
        "processor\t: 1\nmodel name\t: Another\nflags\t\t: none\n"
    )
    monkeypatch.setattr(processor, "DESCRIPTION", told)
    monkeypatch.setattr(processor, "platform", None)  # which would start `uname`
    found = processor.processor()
    assert found.name == "A Fine One"
    assert found.instructions == {"avx2", "amx_tile"}


def test_without_a_description_there_is_a_name_and_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "DESCRIPTION", tmp_path / "none")
    monkeypatch.setenv("PROCESSOR_IDENTIFIER", "Named by the system")
    assert processor.processor() == processor.Processor("Named by the system", frozenset())
