"""Page names: how names that come from outside stand on a page and in an address.

A name may hold markup, a text that runs from right to left, line breaks, or a thousand characters.
Templates escape it; here it becomes one line of some length, and no two names look alike.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from .escapes import one_line

LONGEST = 80
"""How many characters of a name are shown."""
_ADDRESS = 40


def shown(text: str, longest: int = LONGEST) -> str:
    r"""Return a text of others as one line of some length.

    Example:
        >>> shown("a\nb"), shown("abcdef", 4), shown("\u202e")
        ('a b', 'abc…', '(nothing that can be shown)')
    """
    line = one_line(text) or "(nothing that can be shown)"
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def distinct_names(texts: Iterable[str]) -> Mapping[str, str]:
    """Return what each text is shown as; those that would look alike bear their digest.

    Example:
        >>> distinct_names(["a", "b b", "b  b"])["b b"]
        'b b #32b857b3'
    """
    names = {text: shown(text) for text in sorted(set(texts))}
    for _ in range(2):  # a name can be made to look like another with its digest
        count = Counter(names.values())
        names = {
            text: name if count[name] == 1 else f"{name} #{_digest(text)[:8]}"
            for text, name in names.items()
        }
    return names


@lru_cache(2**16)
def page_name(text: str) -> str:
    """Return the name of the page about a text, without a suffix: no two texts have the same.

    Example:
        >>> page_name("../Edge patching")
        'edge-patching-ae8baa17e4'
    """
    words = re.sub("[^a-z0-9]+", "-", text[: 4 * _ADDRESS].lower())[:_ADDRESS].strip("-")
    return "-".join([*([words] if words else []), _digest(text)[:10]])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
