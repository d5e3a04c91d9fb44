from convatlas.checkpoints.layouts.layout import Layout


def test_old_keys_are_read_as_they_are_now_and_constants_left_out() -> None:
    layout = Layout(
        sources=("a", "b"), networks=(), rules=(), old=((r"\.eca\.", ".se."),), ignored=("index",)
    )
    assert layout.present(["1.eca.w", "2.se.w", "1.index"]) == {
        "1.se.w": "1.eca.w",
        "2.se.w": "2.se.w",
    }
    assert layout.label == "a and b"


def test_some_keys_stand_before_the_rest_of_their_block() -> None:
    layout = Layout(sources=(), networks=(), rules=(), ahead=r"(?P<block>b\d\.)down\.")
    keys = ["stem", "b1.one", "b1.two", "b1.down.w", "b1.down.b", "b2.one", "b2.down.w", "head"]
    assert layout.ordered(keys) == [
        *("stem", "b1.down.w", "b1.down.b", "b1.one", "b1.two"),
        *("b2.down.w", "b2.one", "head"),
    ]
