"""The entry point: process settings, the verbs, and how errors end the process.

Exit codes: 0 done; 1 some photos or steps failed, each named, the rest done; 2 wrong usage or unusable input;
130 interrupted (what was done is kept, and the same command goes on from there).
"""

from __future__ import annotations

import os
import sys
import warnings
from io import TextIOWrapper
from typing import Annotated

import typer

from landfall import __version__
from landfall.cli import dataset, demo, evaluate, experiment, explain, extract, index, localize, models, train
from landfall.cli.console import say
from landfall.errors import LandfallError, PhotoError

# What a shell reports of a program that Ctrl-C ended.
INTERRUPTED = 130

app = typer.Typer(
    name="landfall",
    help="Tells where a photo was taken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.add_typer(dataset.app, name="dataset")
app.add_typer(models.app, name="models")
app.command("extract")(extract.extract)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.add_typer(experiment.app, name="experiment")
app.add_typer(index.app, name="index")
app.command("localize")(localize.localize)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"landfall {__version__}")
        raise typer.Exit


@app.callback()
def _landfall(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # Threads that spin while they wait make faiss and OpenMP many times slower on a busy machine with few
    # cores; it must be set before either is loaded. A setting of the user's own stands.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # A name that the terminal can't show is shown with escapes, rather than ending the command.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    # Photos near the size limit are refused or read by landfall.photos on its own terms.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\..*")
    # A photo's name in a script that the pictures' font lacks is drawn as boxes; that is seen without a word.
    warnings.filterwarnings("ignore", category=UserWarning, message=r"Glyph \d+ .* missing from font")
    try:
        app()
    except PhotoError as error:
        say(f"landfall: {error}")
        sys.exit(1)
    except LandfallError as error:
        say(f"landfall: {error}")
        sys.exit(2)
    except SystemExit as ended:
        # Typer turns Ctrl-C into this code and says nothing.
        if ended.code == INTERRUPTED:
            say(
                "landfall: interrupted. Drawing, extracting and building an index go on from where they were "
                "when the same command is run again."
            )
        raise
    except BrokenPipeError:
        # The reader of our output has gone (`landfall ... | head`); there is no one to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        # Whatever the system refuses and no part of Landfall has words for: a path too long, a full disk.
        say(f"landfall: {error.filename or 'the system'}: {error.strerror or error}")
        sys.exit(2)
