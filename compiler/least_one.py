"""Settings that count something must be at least one."""

from collections.abc import Iterator


def below_one(settings: object, *names: str) -> Iterator[str]:
    """Yield a line for each of the named attributes that is less than one."""
    for name in names:
        if getattr(settings, name) < 1:
            yield f"{name}: must be at least 1, got {getattr(settings, name)}"
