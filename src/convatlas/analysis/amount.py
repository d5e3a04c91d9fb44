"""Bytes as one reads them."""


def amount(count: int) -> str:
    """Three digits and a unit, powers of a thousand: ``244 MB``, ``2.32 MB``, ``640 B``."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and units[1:]:
        size, units = size / 1000, units[1:]
    if units[0] == "B":
        return f"{count:,} B"
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:,.{digits}f} {units[0]}"
