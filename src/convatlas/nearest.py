"""What to say of a name that is none."""

import difflib


def unknown(name: str, names: tuple[str, ...]) -> str:
    """Its profiles if the network exists under others, else the nearest names."""
    base = name.split("@")[0]
    profiles = [other for other in names if other.split("@")[0] == base]
    if profiles:
        return f"unknown network {name!r}; of {base} there are {', '.join(profiles)}"
    return f"unknown network {name!r}{closest(name, names)}; `convatlas list` shows all of them"


def closest(name: str, names: tuple[str, ...]) -> str:
    """``; did you mean …?``, or nothing if no name is near."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
