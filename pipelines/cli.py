"""`jamflow`: one command for musicians and operators. `jamflow` alone lists what it can do.

Every command is `main(argv) -> int` in a module of pipelines/commands/, imported when it is called, so that --help
answers at once. A user's error is one line and exit code 1; `--debug` anywhere shows the traceback.
"""

from __future__ import annotations

import importlib
import sys
import traceback

from models.music.config import nearest
from models.music.errors import JamflowError

COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("pipelines.commands.list:main", "Show every pipeline and stage"),
    "run": ("pipelines.commands.run:main", "Run a pipeline, or one stage, on this machine"),
    "submit": ("pipelines.commands.submit:main", "Submit a pipeline to the cluster"),
    "compile": ("pipelines.commands.compile:main", "Write a pipeline as KFP YAML, checked offline"),
    "status": ("pipelines.commands.status:main", "Show recent runs, champions and the running server"),
    "models": ("pipelines.commands.models:main", "Show every model: what is here, registered, served, and how good"),
    "jam": ("pipelines.commands.jam:main", "Play with a soloist, live, into FL Studio or any DAW"),
    "mcp": ("pipelines.commands.mcp:main", "Let an assistant run a live session (MCP over stdio)"),
    "serve": ("pipelines.commands.serve:main", "Serve the champions with Triton"),
    "deploy": ("pipelines.commands.deploy:main", "Put a model version into service"),
    "rollback": ("pipelines.commands.rollback:main", "Serve the previous version of a model again"),
    "doctor": ("pipelines.commands.doctor:main", "Check this machine, and say what to do"),
    "clean": ("pipelines.commands.clean:main", "Remove what old runs, trainings and downloads have left"),
    "edit": ("pipelines.commands.edit:main", "Change an event grid: set, remove, velocity, render, export"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] - a name that is not UTF-8 can be said
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    try:
        return command(words[0])(words[1:])
    except JamflowError as error:
        if debug:
            traceback.print_exc()
        print(f"jamflow: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("jamflow: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # somebody piped us into head
        sys.stderr.close()
        return 0
    except OSError as error:
        if debug:
            traceback.print_exc()
        print(
            f"jamflow: {error.filename or 'the system'}: {error.strerror or error}. Check space and rights.",
            file=sys.stderr,
        )
        return 1


def command(name: str):
    """Import the function behind a command."""
    if name not in COMMANDS:
        raise JamflowError(f"{name}: no such command; {nearest(name, COMMANDS)}.")
    module, function = COMMANDS[name][0].split(":")
    return getattr(importlib.import_module(module), function)


def overview() -> str:
    lines = [f"  {name:<10} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(
        [
            "Jamflow: songs become stems, stems become kits, kits get a human groove.",
            "",
            "usage: jamflow COMMAND ...",
            "",
            *lines,
            "",
            "`jamflow COMMAND --help` tells more; --debug with any of them shows tracebacks.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
