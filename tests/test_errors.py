from convatlas.errors import LONGEST, UserError, argued, one_line, with_kind


def test_pages_of_text_become_one_line() -> None:
    assert one_line(RuntimeError("first\n   second\tthird ")) == "first second third"
    assert one_line(RuntimeError("word " * 40)) == ("word " * 40).rstrip()
    assert one_line(RuntimeError("word " * 41)) == "word " * 39 + "word…"
    assert one_line(RuntimeError("a" * 201)) == "a" * (LONGEST - 1) + "…"


def test_an_exception_that_says_nothing_has_its_kind() -> None:
    assert one_line(ValueError()) == "ValueError"
    assert one_line(MemoryError(" \n")) == "MemoryError"


def test_an_exception_with_its_kind() -> None:
    assert with_kind(KeyError("x")) == "KeyError: 'x'"
    assert with_kind(RuntimeError("two\n  lines")) == "RuntimeError: two lines"
    assert with_kind(AssertionError()) == "AssertionError"


def test_an_argument_is_named_as_python_has_it_and_as_the_command_line_has_it() -> None:
    error = argued("give ", ("input=(1, 8, 8)", "--input 1x8x8"), ", or ", ("a", "b"))
    assert str(error) == "give input=(1, 8, 8), or a"
    assert error.typed == "give --input 1x8x8, or b"
    assert UserError("the same").typed == "the same"
