"""From the text of a new program to a bundle, and from the bundle to a score.

    python text_to_score.py FOLDER

The same from the shell:

    glassbench compile records.rasp --vocab 0,1,2,3 --length 4 \
        --regimes crowded/scrambled -o records
    glassbench verify records
    glassbench score interchange eap weight-norm --task records
"""

import sys
from pathlib import Path

import glassbench as gb
from glassbench.ground_truth import read_bundle, verify_bundle, write_bundle

PROGRAM = Path(__file__).resolve().parent / "records.rasp"


def main(folder):
    """Compile, certify, write, verify, read and score; return the results by method."""
    text = PROGRAM.read_text(encoding="utf-8")
    print(text)
    task = gb.make_task(text, range(4), 4, name="records", regimes="crowded/scrambled")
    print(task)
    print("[1, 3, 0, 3] ->", task.compiled([1, 3, 0, 3]))

    bundle = write_bundle(task, folder)
    size = sum(file.stat().st_size for file in bundle.rglob("*") if file.is_file())
    print(f"\n{size:,} bytes in {bundle}")
    wrong = verify_bundle(read_bundle(bundle))  # compiled and certified again, compared by bytes
    print(wrong or "every byte is what the program compiles to")

    results = {}
    for method in ("interchange", "eap", "weight-norm"):
        results[method] = gb.score(method, gb.load_bundle(bundle))
        print(f"{method:14}{results[method]}")
    return results


if __name__ == "__main__":
    main(Path(sys.argv[1]))
