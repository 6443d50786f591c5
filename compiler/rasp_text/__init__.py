"""RASP as text: programs in the language of the RASP paper in, expressions out, and back.

    from glassbench.compiler.rasp_text import read_rasp, write_rasp

    source = read_rasp('''
        same = select(tokens, tokens, ==);
        histogram = selector_width(same);
    ''')
    source.outputs[0]("abac")    # [2, 1, 2, 1]
    write_rasp(*source.outputs)  # the text again

Reading goes through `parsing` (text to syntax tree, by `grammar.lark`), `precedence`
(what must be parenthesised), `statements` and `expressions` (syntax tree to parts) and
`building` (parts to RASP expressions). `writing` is the way back.
"""

from .reading import RaspSource, read_rasp
from .writing import write_rasp

__all__ = ["RaspSource", "read_rasp", "write_rasp"]
