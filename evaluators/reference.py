"""Reference: one work that can be cited, read from `references.bib`.

The file is BibTeX of a plain kind, so that it can also be used as it is: an entry begins with
`@kind{key,` and ends with `}`, each on a line of its own, and each line between is a field,
`name = {value},`. Braces in a title keep its capitals.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("references.bib")
_ENTRY = re.compile(r"^@(\w+)\{(\w+),\n(.*?)^\}$", flags=re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", flags=re.MULTILINE)
_MOST_NAMED = 3


@dataclass(frozen=True)
class Reference:
    """One work that can be cited.

    Attributes:
        key: how it is called.
        kind: of the BibTeX entry, such as `article`.
        fields: by name, in order; `title`, `author` and `year` are always there.
    """

    key: str
    kind: str
    fields: Mapping[str, str]

    @property
    def title(self) -> str:
        """The title, without the braces that keep capitals."""
        return self.fields["title"].translate({ord("{"): None, ord("}"): None})

    @property
    def bibtex(self) -> str:
        """The BibTeX entry, a field a line."""
        lines = [f"  {name} = {{{value}}},\n" for name, value in self.fields.items()]
        return f"@{self.kind}{{{self.key},\n{''.join(lines)}}}"

    @property
    def text(self) -> str:
        """The reference in words: authors, year, title, and where it appeared."""
        names = self.fields["author"].strip("{}").split(" and ")
        if names[-1] == "others" or len(names) > _MOST_NAMED:
            who = f"{names[0]} et al."
        else:
            who = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
        title = self.title if self.title.endswith("?") else f"{self.title}."
        places = [self._where(), self._archive(), self.fields.get("url", "")]
        told = [f"{place}." for place in places if place]
        return " ".join([f"{who} ({self.fields['year']}). {title}", *told])

    def _where(self) -> str:
        """Return the journal, the proceedings or the publisher; empty without one."""
        names = ("journal", "booktitle", "howpublished", "publisher")
        place = next((self.fields[name] for name in names if name in self.fields), "")
        if "version" in self.fields:
            place = f"Version {self.fields['version']}"
        if "volume" in self.fields:
            place += f" {self.fields['volume']}"
            place += f"({self.fields['number']})" if "number" in self.fields else ""
        return place

    def _archive(self) -> str:
        """Return the identifier on arXiv; empty without one."""
        return f"arXiv:{self.fields['eprint']}" if "eprint" in self.fields else ""


@cache
def references() -> Mapping[str, Reference]:
    """Return every work that Glassbench can cite, by key."""
    text = _FILE.read_text(encoding="utf-8")
    return {
        key: Reference(key, kind, dict(_FIELD.findall(body)))
        for kind, key, body in _ENTRY.findall(text)
    }
