import random

import pytest

from convatlas.notes.statements import Statement, statements


def judged(note: str) -> list[tuple[str, str]]:
    return [(found.verdict, found.value) for found in statements(note)]


@pytest.mark.parametrize(
    ("note", "verdict", "value"),
    [
        ("30×3000+3000 = 903000", "wrong", "93,000"),
        ("3x3x256x192=442,368", "right", "442,368"),
        ("3 X 3 x 4 = 36", "right", "36"),
        ("3·3·3·4 = 108 weights", "right", "108"),
        ("**30 * 3 = 90** parameters", "right", "90"),
        (r"30 \* 3 = 90", "right", "90"),
        ("2**10 = 1024", "right", "1,024"),
        ("2 ** 10 = 1023", "wrong", "1,024"),
        ("5² + 1 = 26", "right", "26"),
        ("(224+2*3-7)/2+1 = 112.5", "right", "112.5"),
        ("⌊(224+2*3-7)/2⌋+1 = 112", "right", "112"),
        ("ceil(5/2) = 3", "right", "3"),
        ("floor(5/2) = 3", "wrong", "2"),
        (r"$\frac{28-5}{1}+1 = 24$", "right", "24"),
        (r"\left\lfloor \dfrac{7}{2} \right\rfloor = 3", "right", "3"),
        ("（224－4）÷2＝110", "right", "110"),
        ("16万×800 = 1.28亿", "right", "128,000,000"),
        ("160 k * 800 = 128 M", "right", "128,000,000"),
        ("1284 × 100000 ≈ 128 million", "right, rounded", "128,400,000"),
        ("160000 × 800 ≈ 131 million", "near", "128,000,000"),
        ("160000 × 800 ≈ 140 million", "wrong", "128,000,000"),
        ("1/3 = 0.333", "right, rounded", "0.333333"),
        ("2/3 = 0.666", "right, rounded", "0.666667"),
        ("2/3 = 0.68", "wrong", "0.666667"),
        ("14.71/138.34 = 10.6%", "right, rounded", "0.106332"),
        ("- 3 - 4 = -7", "wrong", "-1"),  # the dash at the front is a bullet
        ("x: −3 − 4 = −7", "right", "-7"),
        ("a 3*4 == 12", "right", "12"),
        ("n*n = 9", "not computed", "9"),
        ("[3+4]*2 = 14", "right", "14"),
        ("2(3+4) = 14", "right", "14"),
        ("(1+2)(3+4) = 20", "wrong", "21"),
        ("8^(1/3) = 2", "not computed", "2"),
        ("9**99999999 = 1", "not computed", "1"),
        ("1000 × 2 = 2 000", "right", "2,000"),
        ("1000 × 2 = 2\u202f000", "right", "2,000"),
        ("1'000 × 2'000 = 2_000_000", "right", "2,000,000"),
        ("1/3 = 0.34", "wrong", "0.333333"),
        ("-1/3 = -0.33", "right, rounded", "-0.333333"),
        ("0,5 M * 2 = 1 M", "right", "1,000,000"),
        ("25,557,032 + 0 = 25,557,032", "right", "25,557,032"),
        ("25 557 032 / 1 ≈ 25,6 million", "right, rounded", "25,557,032"),
        ("1,23 + 1 = 2,23", "right", "2.23"),
        ("0,125 * 8 = 1", "right", "1"),  # no thousands begin with 0
        ("(1,5 + 2) * 2 = 7", "right", "7"),
        ("1/3 = 0,333", "right, rounded", "0.333333"),
        ("共 3，4×5=20", "right", "20"),  # a full-width comma parts two things
    ],
)
def test_one_statement(note: str, verdict: str, value: str) -> None:
    assert judged(note) == [(verdict, value)]


def test_a_decimal_comma_is_said() -> None:
    (one,) = statements("0,5 M * 2 = 1,0 M and 25,557,032")
    assert one.read == "0,5 read as 0.5, 1,0 read as 1.0"
    (other,) = statements("25,557,032 * 2 = 51,114,064")
    assert (other.verdict, other.read) == ("right", "")


def test_a_chain_is_judged_sign_by_sign() -> None:
    assert judged("(224-2+1)/2= 111.5=112") == [("right", "111.5"), ("rounded", "111.5")]
    assert [v for v, _ in judged("2*3 = 6 = 7 = 3 + 4")] == ["right", "wrong", "right"]


def test_names_hold_for_their_paragraph() -> None:
    note = "k = 3, Cin=256, Cout=192: k*k*Cin*Cout = 442,368\nand k + 1 = 5\n\nk + 1 = 4"
    assert judged(note) == [("right", "442,368"), ("wrong", "4"), ("not computed", "4")]


def test_a_formula_before_its_numbers_is_not_guessed() -> None:
    assert judged("参数量 k*k*Cin*Cout = 3*3*256*192 = 442,368") == [
        ("not computed", "442,368"),
        ("right", "442,368"),
    ]


def test_lines_are_counted_and_the_statement_is_quoted() -> None:
    assert list(statements("# title\n\n1. so 2*3 = 7, they say\n")) == [
        Statement(3, "2*3 = 7", "wrong", "6")
    ]


@pytest.mark.parametrize(
    "note",
    [
        "in 2012 = the year",
        "lr = 0.1, batch = 128",
        "self.fc = nn.Linear(256*5*5, 4096)",
        "a => 3*4 and 3 <= 4 and 5 >= 2 != 1",
        "1/0 = 3",
        "3 * = 12 = ",
        "((((3 = 3",
        "= 3*4",
        "224x224x3 and 3x3",
        "max(3,5+1) = 6",
        "shape (3,5) * 2 = 7",
        "[3,5 + 1] = 9",
        "nn.Linear(256*5*5,4096) * 1 = 3",
        "2*3=6,4*2=8",
        "1,2,3 * 2 = 7",
        "1,234,5 * 2 = 7",
        "1.234,5 * 2 = 2.469",
        "(" * 300 + "3*3" + ")" * 300 + " = 9",
        "1" * 100_000 + " * 2 = 3",
        "",
    ],
)
def test_what_is_no_statement_is_left_alone(note: str) -> None:
    assert judged(note) == []


def test_any_text_at_all_can_be_read() -> None:
    signs = "0123456789+-*/^()=≈ xk.,%万亿⌊⌋$\\frac{}²**KM\n"
    draw = random.Random(0)
    for _ in range(3000):
        for found in statements("".join(draw.choices(signs, k=40))):
            assert found.text


def test_a_tower_of_powers_is_given_up() -> None:
    assert {verdict for verdict, _ in judged("9^" * 5000 + "9 = 1")} == {"not computed"}
