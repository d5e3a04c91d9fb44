"""Numbers as the page prints them; units stay on the line of their number."""

NBSP = "\N{NO-BREAK SPACE}"
DASH = "\N{EN DASH}"


def percent(share: float, count: int) -> str:
    """A share of ``count`` pictures, with no more decimals than one picture can move."""
    return f"{100 * share:.{_decimals(count)}f}{NBSP}%"


def percent_range(low: float, high: float, count: int) -> str:
    """Both ends of an interval, the unit once."""
    return f"{100 * low:.{_decimals(count)}f}{DASH}{percent(high, count)}"


def setting(share: float) -> str:
    """A share that somebody chose: 10 %, not 10.00 %."""
    return f"{100 * share:g}{NBSP}%"


def whole(number: int) -> str:
    """With commas between thousands."""
    return f"{number:,}"


def counted(number: int, thing: str) -> str:
    """``1 picture``, ``2 pictures``."""
    return f"{number:,}{NBSP}{thing}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds below two minutes, then minutes, then hours."""
    if seconds < 119.95:  # what prints as 120.0 is two minutes
        return f"{seconds:.1f}{NBSP}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 120:
        return f"{minutes}{NBSP}min {rest}{NBSP}s"
    return f"{minutes // 60}{NBSP}h {minutes % 60}{NBSP}min"


def figure(value: float) -> str:
    """Three significant digits, as in a table of figures."""
    return f"{value:.3g}"


def _decimals(count: int) -> int:
    return 2 if count >= 1000 else 1
