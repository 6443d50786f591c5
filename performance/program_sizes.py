"""Sizes of programs as the options name them: tokens/greatest length."""


def parsed(sizes: str) -> list[tuple[int, int]]:
    """Return (tokens, greatest length) of every size of a list such as `4/5,8/8`, sorted."""
    pairs = [size.split("/") for size in sizes.split(",")]
    return sorted((int(vocab), int(length)) for vocab, length in pairs)
