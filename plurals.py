"""Plurals: numbers with what they count, as sentences say them."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it must be.

    Example:
        >>> counted(1, "task"), counted(1200, "task")
        ('1 task', '1,200 tasks')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
