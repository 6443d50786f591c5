"""Escapes: text of others as Markdown, LaTeX and HTML that show it as it is.

Names of methods and errors come from outside. Each function escapes every character that its
format would read as markup.
"""

import html
import re

_MARKDOWN = re.compile(r"([\\`*_\[\]#|~!$@])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # at the start of a row these two would be taken for arguments of the \\ before it
    "*": "{*}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def one_line(text: str) -> str:
    """Return `text` with control characters and runs of white space as single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def escape_markdown(text: str) -> str:
    r"""Return `text` so that Markdown, and HTML inside it, show it as it is.

    Example:
        >>> escape_markdown("a|b <i> my_tool")
        'a\\|b &lt;i&gt; my\\_tool'
    """
    # Entities keep a bare address from becoming a link in dialects that link it.
    text = "".join(_HTML.get(character, character) for character in one_line(text))
    return _MARKDOWN.sub(r"\\\1", text).replace("://", "&#58;//").replace("www.", "www&#46;")


def escape_latex(text: str) -> str:
    r"""Return `text` so that LaTeX typesets it as it is.

    Example:
        >>> escape_latex(r"100%_\x")
        '100\\%\\_\\textbackslash{}x'
    """
    escaped = "".join(_LATEX.get(character, character) for character in one_line(text))
    return re.sub("-(?=-)", "-{}", escaped)  # no en dash out of two hyphens


def escape_html(text: str) -> str:
    """Return `text` so that HTML shows it as it is, in an attribute too.

    Example:
        >>> escape_html("a & <b>")
        'a &amp; &lt;b&gt;'
    """
    return html.escape(one_line(text))
