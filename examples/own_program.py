"""Compile a RASP program of your own, certify which edges compute its output, and score methods.

python own_program.py
"""

import glassbench as gb
from glassbench.ground_truth.task_tables import certificate_text

rasp = gb.rasp

# Is the token at this position the same as the one before it?
previous = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query == key + 1)
token_before = rasp.Aggregate(previous, rasp.tokens).named("token_before")
repeats = (token_before == rasp.tokens).named("repeats")

if __name__ == "__main__":
    task = gb.make_task(repeats, "abc", 4)  # compiled, and certified
    print(task)
    print(repeats("abba"), "by the interpreter")
    print(task.compiled("abba"), "by the weights")

    for variable in task.compiled.source_map.variables:
        print(f"  {variable.name:28}{variable.encoding.value:13}written by {variable.writer}")
    for label in task.labels.edges:
        if label.state != "unwired":
            print(f"  {label.edge:20}{label.state:12}{certificate_text(label.certificate)}")

    for method in ("interchange", "weight-norm"):
        print(f"{method:12} {gb.score(method, task)}")

    # What cannot be compiled exactly is refused, with the reasons.
    copied = rasp.categorical(rasp.Aggregate(~previous, rasp.tokens == "a"))
    try:
        gb.compile(copied, vocab="abc", max_length=4)
    except gb.ProgramError as error:
        print(error)
