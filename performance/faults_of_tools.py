"""Faults of tools: short scripts that fail, each in its own way, and what row each must become.

`fault_injection.py` runs them, and so do the tests of commands.
"""

from dataclasses import dataclass, field

from glassbench.evaluators import Limits

PRELUDE = """
import json, os, pathlib, resource, signal, sys, time
problem, answer = map(pathlib.Path, sys.argv[1:3])
asked = json.loads((problem / "problem.json").read_text())
scores = {name: 0.0 for name in asked["answer"].get("names", ())}
def give(**changed):
    told = {"format_version": "1.0", "problem": asked["id"], "scores": scores, **changed}
    (answer / "answer.json").write_text(json.dumps(told))
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(1000)
        os._exit(0)
    os.wait()
def arrays(header, size):
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + bytes(size)
    (answer / "answer.safetensors").write_bytes(content)
    told = {"format_version": "1.0", "problem": asked["id"], "array_file": "answer.safetensors"}
    (answer / "answer.json").write_text(json.dumps(told))
def shaped():
    header, end = {}, 0
    for name, shape in asked["answer"]["arrays"].items():
        shape = [2 if extent == "m" else extent for extent in shape]
        size = 8 * shape[0] * shape[1]
        header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    return header, end
"""


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    Attributes:
        name: what the tool does.
        script: what it runs.
        status: which row it becomes.
        error: what the row must say, as a regular expression; empty where nothing is wrong.
        limits: under which it runs.
        track: the question.
        command: the command, where it is not the script.
    """

    name: str
    script: str
    status: str
    error: str
    limits: Limits = field(default_factory=lambda: Limits(seconds=60, memory_mb=1024))
    track: str = "circuit"
    command: str = ""


def quick(**limits: float) -> Limits:
    """Return limits that are soon reached."""
    return Limits(**{"seconds": 60, "memory_mb": 1024, **limits})  # type: ignore[arg-type]


FAULTS = (
    Fault("nothing wrong", "give()", "ok", ""),
    Fault(
        "ends with an exit code",
        "give(); print('no luck', file=sys.stderr); sys.exit(3)",
        "failed",
        r"must end with exit code 0, and ended with 3 after .* s\nThe end .*:\n  no luck",
    ),
    Fault(
        "crashes",
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), signal.SIGSEGV)",
        "failed",
        "was ended by SIGSEGV",
    ),
    Fault("is killed", "os.kill(os.getpid(), signal.SIGKILL)", "failed", "was ended by SIGKILL"),
    Fault("hangs", "time.sleep(1000)", "timeout", "must end within 1 s", quick(seconds=1)),
    Fault(
        "hangs and ignores SIGTERM",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)",
        "timeout",
        "must end within 1 s",
        quick(seconds=1),
    ),
    Fault(
        "hangs, with a daemon in a session of its own",
        "daemon(); time.sleep(1000)",
        "timeout",
        "must end within 1 s",
        quick(seconds=1),
    ),
    Fault("answers, and leaves a daemon behind", "daemon(); give()", "ok", ""),
    Fault(
        "prints without end",
        "while True: print('x' * 1000)",
        "timeout",
        "must end within 1 s",
        quick(seconds=1),
    ),
    Fault(
        "takes too much memory",
        "taken = bytearray(300 * 2**20); give()",
        "out_of_memory",
        "must take at most 128 MiB, and took [0-9]+ MiB",
        quick(memory_mb=128),
    ),
    Fault(
        "takes too much memory in several processes",
        "for _ in range(6):\n"
        "    if os.fork() == 0:\n"
        "        taken = bytearray(40 * 2**20); time.sleep(1000)\n"
        "time.sleep(1000)",
        "out_of_memory",
        "must take at most 128 MiB, and took [0-9]+ MiB",
        quick(memory_mb=128),
    ),
    Fault(
        "reserves 64 GiB of address space, and uses none",
        "import mmap; reserved = mmap.mmap(-1, 64 * 2**30, mmap.MAP_PRIVATE, 0); give()",
        "ok",
        "",
        quick(memory_mb=128),
    ),
    Fault(
        "starts processes without end",
        "for _ in range(2000):\n    if os.fork() == 0: pass",
        "failed",
        "must have at most 32 processes, and had more",
        quick(processes=32),
    ),
    Fault(
        "ends, and goes on in another process, again and again",
        "for _ in range(10**6):\n    if os.fork(): os._exit(0)",
        "failed",
        "answer.json must be written into .* is missing",
    ),
    Fault(
        "fills the disk",
        "with open('big', 'wb') as file:\n"
        "    for _ in range(100): file.write(bytes(2**20))\n"
        "give()",
        "failed",
        "File too large",
        quick(file_mb=8),
    ),
    Fault("writes no answer", "", "failed", "answer.json must be written into .* is missing"),
    Fault("writes an empty answer", "(answer / 'answer.json').touch()", "failed", "it is not JSON"),
    Fault(
        "writes garbage",
        "(answer / 'answer.json').write_bytes(bytes(range(256)))",
        "failed",
        "it is not JSON",
    ),
    Fault(
        "writes JSON of endless depth",
        "(answer / 'answer.json').write_text('[' * 10**6)",
        "failed",
        "it is not JSON",
    ),
    Fault(
        "writes 65 MiB of answer",
        "with open(answer / 'answer.json', 'wb') as file: file.truncate(65 * 2**20)",
        "failed",
        "answer.json must have at most 67,108,864 bytes",
    ),
    Fault("scores NaN", "give(scores={**scores, 'embed->m0': float('nan')})", "failed", "NaN"),
    Fault(
        "scores infinity",
        "give(); path = answer / 'answer.json'\n"
        "path.write_text(path.read_text().replace('0.0', '1e999', 1))",
        "failed",
        "a number must be one that float64 has, got 1e999",
    ),
    Fault(
        "scores a text",
        "give(scores={**scores, 'embed->m0': 'high'})",
        "failed",
        "scores.embed->m0: Input should be a valid number",
    ),
    Fault(
        "answers in part",
        "del scores['embed->m0']; give()",
        "failed",
        "embed->m0: has no score",
    ),
    Fault(
        "scores names that are not asked for",
        "give(scores={**scores, 'm7->logits': 1.0})",
        "failed",
        "'m7->logits': is no edge of this model",
    ),
    Fault(
        "answers another problem",
        "give(problem='0' * 32)",
        "failed",
        "answer.json must repeat the id in problem.json",
    ),
    Fault(
        "answers another question",
        "give(scores=None, text='tokens')",
        "failed",
        "must give 'scores', since the problem asks for scores, got 'text'",
    ),
    Fault(
        "answers in a newer format",
        "give(format_version='2.0')",
        "failed",
        "format_version: must be '1.0', got '2.0'",
    ),
    Fault(
        "tells 1 MiB of itself",
        "give(settings={'log': 'x' * 2**20})",
        "failed",
        "settings must have at most 65,536 bytes as JSON, got 1,048,587",
    ),
    Fault("adds what is unknown", "give(code='import os')", "failed", "code: Extra inputs"),
    Fault(
        "answers with a link",
        "os.symlink('/etc/passwd', answer / 'answer.json')",
        "failed",
        "answer.json must be a plain file, got a link",
    ),
    Fault(
        "makes the folder a link",
        "answer.rmdir(); os.symlink(problem, answer)",
        "failed",
        "must be in the folder that was given, got another file",
    ),
    Fault(
        "answers with a named pipe",
        "os.mkfifo(answer / 'answer.json')",
        "failed",
        "answer.json must be a plain file, got a folder, a pipe or a device",
    ),
    Fault(
        "answers with a folder",
        "(answer / 'answer.json').mkdir()",
        "failed",
        "answer.json must be a plain file, got a folder, a pipe or a device",
    ),
    Fault(
        "writes over the problem",
        "for name in ('problem.json', 'model/weights.safetensors'):\n"
        "    os.chmod(problem, 0o777); os.chmod((problem / name).parent, 0o777)\n"
        "    os.chmod(problem / name, 0o666); (problem / name).write_bytes(b'')\n"
        "give()",
        "ok",
        "",
    ),
    Fault(
        "removes all folders",
        "import shutil; shutil.rmtree(answer.parent)",
        "failed",
        "answer.json must be written into .* is missing",
    ),
    Fault(
        "leaves folders in folders, 3,000 deep",
        "for _ in range(3000): os.mkdir('deeper'); os.chdir('deeper')\ngive()",
        "ok",
        "",
    ),
    Fault(
        "kills what watches it",
        "if os.fork() == 0: time.sleep(1000)\n"
        "os.kill(os.getppid(), signal.SIGKILL); time.sleep(1000)",
        "failed",
        "The supervisor of a tool must tell how the tool ended, and was itself ended with -9",
    ),
    Fault(
        "stops what watches it",
        "daemon(); os.kill(os.getppid(), signal.SIGSTOP); time.sleep(1000)",
        "failed",
        "The supervisor of a tool must tell how the tool ended, .*: it said nothing for",
        quick(seconds=1),
    ),
    Fault("is not there", "", "failed", "No such file or directory", command="/no/such/tool"),
    Fault("is no program", "", "failed", "Exec format error", command="{tool}"),
    Fault(
        "gives a pickle for arrays",
        "import pickle; arrays({}, 0); (answer / 'answer.safetensors').write_bytes(\n"
        "    pickle.dumps(os.system))",
        "failed",
        "answer.safetensors must be a safetensors file",
        track="features",
    ),
    Fault(
        "gives arrays that end too early",
        "header, size = shaped(); arrays(header, size - 8)",
        "failed",
        "answer.safetensors must be a safetensors file",
        track="features",
    ),
    Fault(
        "gives arrays of another shape",
        "header, size = shaped()\n"
        "for one in header.values(): one['shape'] = one['shape'][::-1]\n"
        "arrays(header, size)",
        "failed",
        "directions must be rows of d_model=",
        track="features",
    ),
    Fault(
        "gives arrays of another type",
        "header, size = shaped()\n"
        "for one in header.values(): one['dtype'] = 'I64'\n"
        "arrays(header, size)",
        "failed",
        "must be of dtype F32 or F64, got",
        track="features",
    ),
    Fault(
        "gives arrays that are not asked for",
        "header, size = shaped()\n"
        "header['labels'] = {'dtype': 'F64', 'shape': [1], 'data_offsets': [size, size + 8]}\n"
        "arrays(header, size + 8)",
        "failed",
        "'labels': is not asked for",
        track="features",
    ),
)
"""Ways to fail, and some in which nothing is wrong."""
