from convatlas.analysis.value import Value


def test_bytes_are_those_of_a_storage_of_its_own() -> None:
    assert Value(0, (2, 3), (3, 1), 4, True).size == 24
    assert Value(None, (), (), 8, False).size == 8
    assert Value(3, (2, 3), (0, 1), 2, True).size == 12  # stretched: as if it were copied
