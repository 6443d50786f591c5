"""Writes the JSON Schema of every file of a bundle that is JSON, and of what stands alone.

python docs/make_schemas.py

Each follows from the model by which the file is read, so that it cannot say anything else.
"""

import json
from pathlib import Path

from pydantic import BaseModel

from glassbench.evaluators.answer_folder import ToolAnswer
from glassbench.evaluators.kept_answer import AnswerRecord
from glassbench.evaluators.problem_folder import ProblemRecord
from glassbench.evaluators.problem_index import ProblemIndex
from glassbench.evaluators.result import Result
from glassbench.evaluators.submission import SubmissionRecord
from glassbench.evaluators.validation_report import ValidationReport
from glassbench.ground_truth.bundle import RECORDS
from glassbench.ground_truth.compression_report import CompressionReport
from glassbench.ground_truth.holdout import Commitment, Secret
from glassbench.ground_truth.model_config import NamelessConfig
from glassbench.ground_truth.registry import REGISTRY, Registry

FOLDER = Path(__file__).parent / "schemas"
PAGE = FOLDER.parent / "schemas.md"
ALONE: dict[str, type[BaseModel]] = {
    REGISTRY: Registry,
    "answer": AnswerRecord,
    "compression_report": CompressionReport,
    "holdout.commitment": Commitment,
    "holdout.secret": Secret,
    "problem": ProblemRecord,
    "problem.model.config": NamelessConfig,
    "problems": ProblemIndex,
    "result": Result,
    "submission": SubmissionRecord,
    "tool_answer": ToolAnswer,
    "validation_report": ValidationReport,
}
"""What is no part of a bundle."""

SAID_FIRST = """\
Files of JSON that are kept or exchanged have a JSON Schema, draft 2020-12, made from the model by
which they are read. Unknown fields are refused. What the files are for: [bundle.md](bundle.md) for
tasks, [any_language.md](any_language.md) for problems and answers of tools,
[submissions.md](submissions.md) for what is handed in and for hold-outs, [compiler.md](compiler.md)
for programs, and [methods.md](methods.md#answers-on-disk) for results and answers on disk."""


def schema_text(name: str, kind: type[BaseModel]) -> str:
    """Return the schema of a file, as JSON."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        **{key: value for key, value in kind.model_json_schema().items() if key != "title"},
    }
    return json.dumps(schema, sort_keys=True, indent=1) + "\n"


def schemas() -> dict[str, str]:
    """Return the schemas by the names of their files."""
    return {
        f"{name.removesuffix('.json').replace('/', '.')}.schema.json": schema_text(name, kind)
        for name, kind in {**RECORDS, **ALONE}.items()
    }


def page() -> str:
    """Return the page that lists every schema, with the first sentence of what it describes."""
    lines = []
    for path in sorted(FOLDER.iterdir()):
        schema = json.loads(path.read_text(encoding="utf-8"))
        says = " ".join(schema["description"].split("\n\n")[0].split())
        lines.append(f"| [{schema['title']}](schemas/{path.name}) | {says} |")
    heading = "# Schemas\n\n" + SAID_FIRST + "\n\n| file | |\n| :-- | :-- |\n"
    return heading + "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
