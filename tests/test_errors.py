from convatlas.errors import LONGEST, one_line


def test_pages_of_text_become_one_line() -> None:
    assert one_line(RuntimeError("first\n   second\tthird ")) == "first second third"
    assert one_line(RuntimeError("word " * 100)) == ("word " * 100)[:LONGEST]


def test_an_exception_that_says_nothing_has_its_kind() -> None:
    assert one_line(ValueError()) == "ValueError"
    assert one_line(MemoryError(" \n")) == "MemoryError"
