"""`python -m glassbench` is the command `glassbench`."""

from .cli import app

if __name__ == "__main__":
    app(prog_name="glassbench")
