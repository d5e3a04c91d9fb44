"""A line of a note made plain: one way to write each sign."""

import re
import unicodedata

POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
PLAIN = {
    **dict.fromkeys(("\\times", "\\cdot", "\\ast", "×", "✕", "✖", "·", "⋅", "•", "∗", "∙"), "*"),
    **dict.fromkeys(("÷", "\\div", "∕", "⁄"), "/"),
    **dict.fromkeys(("−", "–", "﹣"), "-"),
    **dict.fromkeys(("≈", "\\approx", "≃", "≅", "~=", "约等于", "≒"), "≈"),
    **dict.fromkeys(("\\lfloor", "⌊"), "⌊"),
    **dict.fromkeys(("\\rfloor", "⌋"), "⌋"),
    **dict.fromkeys(("\\lceil", "⌈"), "⌈"),
    **dict.fromkeys(("\\rceil", "⌉"), "⌉"),
    **dict.fromkeys(("\\left", "\\right", "\\,", "\\;", "\\ ", "$", "`", "\\displaystyle"), " "),
    "等于": "=",
    "，": ", ",  # between two things, never within a number
    "\\%": "%",
    "\\*": "*",
    "\\_": "_",
}
FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
TEXT = re.compile(r"\\(?:text|mathrm|operatorname)\s*\{([^{}]*)\}")
RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:([ '_\u00a0\u202f\u2009])\d{3})(?:\1\d{3})*(?![\d,])")
BULLET = re.compile(r"^\s*(?:>\s*)*(?:[-*+•]|\(?\d{1,3}[.)、])\s+")


def plain(line: str) -> str:
    """The line with every sign in its plainest form; bullets and LaTeX go."""
    joined = GROUPS.sub(lambda found: found[0].replace(found[1], ""), line)
    raised = RAISED.sub(lambda found: f"^{found[0].translate(POWERS)}", joined)
    for sign, simple in PLAIN.items():
        raised = raised.replace(sign, simple)
    flat = unicodedata.normalize("NFKC", raised)
    flat = BULLET.sub("", TEXT.sub(r" \1 ", flat))
    while FRACTION.search(flat):
        flat = FRACTION.sub(r"((\1)/(\2))", flat)
    return flat.replace("{", "(").replace("}", ")")
