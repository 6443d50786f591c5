"""Compile a RASP program of your own, and certify which edges of the model compute its output.

python own_program.py
"""

import glassbench as gb
from glassbench.ground_truth import certify
from glassbench.ground_truth.task_tables import certificate_text

rasp = gb.rasp

# Is the token at this position the same as the one before it?
previous = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query == key + 1)
token_before = rasp.Aggregate(previous, rasp.tokens).named("token_before")
repeats = (token_before == rasp.tokens).named("repeats")

if __name__ == "__main__":
    print(repeats("abba"), "by the interpreter")
    compiled = gb.compile(repeats, vocab="abc", max_length=4)
    print(compiled("abba"), "by the weights")

    weights = compiled.model.weights
    print(f"{weights.n_layers} layers, {weights.n_heads} heads, d_model {weights.d_model}")
    for variable in compiled.source_map.variables:
        print(f"  {variable.name:28}{variable.encoding.value:13}written by {variable.writer}")

    labels = certify(compiled, "repeats")
    print(", ".join(f"{count} {state}" for state, count in labels.counts.items()))
    for label in labels.edges:
        if label.state != "unwired":
            print(f"  {label.edge:20}{label.state:12}{certificate_text(label.certificate)}")

    # What cannot be compiled exactly is refused, with every reason.
    earlier = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LT)
    try:
        gb.compile(rasp.Aggregate(earlier, rasp.tokens), vocab="abc", max_length=4)
    except gb.ProgramError as error:
        print(error)
