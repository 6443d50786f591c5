"""Lower: `Program` -> blocks, the exact algebra of every operation.

`None` is the zero vector throughout: maps send it to itself, selectors score it
zero and so never select it, and it decodes to `None`. The algebra of heads stands in
`attention_blocks`, that of neurons in `mlp_blocks`.
"""

import numpy as np

from . import program as ir
from .attention_blocks import aggregate_block, width_block
from .blocks import BOS, PAD, Block, Blocks, Embedding, Variable
from .mlp_blocks import mlp_block
from .residual_coding import encode_rows
from .spans import spans
from .values import Domain, Encoding


def lower(program: ir.Program) -> Blocks:
    """Return the blocks that compute every variable of `program`."""
    flag = Domain((True,))
    variables = {
        BOS: Variable(BOS, -1, Encoding.CATEGORICAL, flag, np.ones(1), True),
        PAD: Variable(PAD, -1, Encoding.CATEGORICAL, flag, np.zeros(1)),
    }
    n_tokens = len(program.vocabulary)
    embeddings = [
        Embedding(BOS, False, np.eye(n_tokens + 2)[:, [n_tokens]]),
        Embedding(PAD, False, np.eye(n_tokens + 2)[:, [n_tokens + 1]]),
    ]
    blocks: list[Block] = []
    names: dict[int, str] = {}
    known = spans(program)

    def variable_of(place: int) -> Variable:
        return variables[names[place]]

    block: Block
    for place, node in enumerate(program.nodes):
        match node.operation:
            case ir.Select():
                continue
            case ir.Tokens() | ir.Indices():
                embedding, variable = _input(place, node)
                embeddings.append(embedding)
            case ir.Aggregate():
                block, variable = aggregate_block(place, program, variable_of)
                blocks.append(block)
            case ir.ReciprocalWidth():
                block, variable = width_block(place, program, variable_of)
                blocks.append(block)
            case _:
                block, variable = mlp_block(place, node, variable_of, known)
                blocks.append(block)
        variables[variable.name] = variable
        names[place] = variable.name
    outputs = tuple(names[place] for place in program.outputs)
    return Blocks(variables, tuple(embeddings), tuple(blocks), outputs)


def _input(place: int, node: ir.Node) -> tuple[Embedding, Variable]:
    """Return what the embeddings write for the tokens or the positions."""
    rows = encode_rows(node.domain, node.encoding, np.arange(len(node.domain)))
    by_position = isinstance(node.operation, ir.Indices)
    padding = (1, 0) if by_position else (0, 2)
    embedding = Embedding(node.name, by_position, np.pad(rows, (padding, (0, 0))))
    at_bos = np.zeros(rows.shape[1])
    variable = Variable(
        node.name, place, node.encoding, node.domain, at_bos, zero_at_pad=not by_position
    )
    return embedding, variable
