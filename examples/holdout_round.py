"""A hold-out round: tasks are fixed, problems handed out, answers handed in, and then measured.

python holdout_round.py FOLDER

Each function is what one party does, with the files that it has; FOLDER is new.
"""

import json
import subprocess
import sys
from pathlib import Path

import glassbench as gb
from glassbench.evaluators.problem_index import write_problems
from glassbench.evaluators.submission_folder import read_submission
from glassbench.evaluators.validation import validated
from glassbench.ground_truth import holdout

TOOLS = Path(__file__).resolve().parent / "tools"
TRACK = gb.evaluators.find_track("circuit")
N_TASKS = 2


def the_organiser_commits(private, public, seed=None):
    """Draw tasks that nobody has seen, publish the commitment, and hand out the problems."""
    secret = holdout.commit(N_TASKS, "easy", regimes="scrambled", seed=seed)
    secret.write(private / "secret.json")
    secret.commitment.write(public / "commitment.json")
    tasks = holdout.reveal(secret, secret.commitment).tasks
    write_problems(TRACK, tasks, public / "problems", names=False)


def an_entrant_answers(public, name, command, submission):
    """Answer every problem with a program of one's own, and say whose it is.

    No task has a name yet: the id of its problem stands in its place.
    """
    runs = []
    handed_out = json.loads((public / "problems" / "problems.json").read_text())
    for asked in handed_out["problems"]:
        problem = public / "problems" / asked["problem"]
        answer = submission / "answers" / asked["problem"]
        answer.mkdir(parents=True)
        subprocess.run([*command, problem, answer], cwd=TOOLS, check=True)
        runs.append({**asked, "folder": answer.name})
    record = {
        "format_version": "1.0",
        "name": name,
        "authors": ["An Entrant"],
        "licence": "CC-BY-4.0",
        "contact": "entrant@example.org",
        "runs": runs,
    }
    (submission / "submission.json").write_text(json.dumps(record, indent=1))


def the_organiser_reveals(private, public):
    """Publish the secret when all answers are in."""
    (public / "secret.json").write_bytes((private / "secret.json").read_bytes())


def anyone_measures(public, submissions, results):
    """Check the secret against the commitment, build the tasks again, and measure all answers."""
    secret = holdout.Secret.read(public / "secret.json")
    commitment = holdout.Commitment.read(public / "commitment.json")
    tasks = holdout.reveal(secret, commitment).tasks  # refuses a secret that was exchanged
    for place in sorted(submissions.iterdir()):
        found = validated(read_submission(place), tasks)
        found.check()  # says what is wrong, if anything is
        found.write(results)
    return gb.leaderboard.read_results(results)


def anyone_ranks(results, board):
    """Rank the methods; on so few tasks all are tied."""
    return gb.leaderboard.write_leaderboard(results, board).markdown.read_text()


def main(folder, seed=None):
    """Play all parts; return the results. The seed is drawn, as it must be, unless it is given."""
    private, public, submissions = folder / "private", folder / "public", folder / "submissions"
    the_organiser_commits(private, public, seed)
    interchange, norms = [sys.executable, "interchange.py"], ["sh", "norms.sh"]
    an_entrant_answers(public, "Each edge alone", interchange, submissions / "edges")
    an_entrant_answers(public, "Norms, by awk", norms, submissions / "norms")
    the_organiser_reveals(private, public)
    return anyone_measures(public, submissions, folder / "results")


if __name__ == "__main__":
    place = Path(sys.argv[1]).resolve()
    for result in main(place):
        print(f"{result.tool:16}  {result.task[:40]}...  {result}")
    print(anyone_ranks(place / "results", place / "board"))
    print(f"A site of them:  glassbench leaderboard {place / 'results'} -o {place / 'board'}")
