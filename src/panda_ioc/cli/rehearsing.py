"""The command `rehearse`."""

from argparse import ArgumentParser, Namespace

from panda_ioc.commands.rehearse import options as rehearsal


def rehearse_arguments(parser: ArgumentParser) -> None:
    """Arguments of `rehearse`."""
    rehearsal.add_layout(parser)
    rehearsal.add_scan(parser.add_argument_group("the scan"))
    rehearsal.add_output(parser.add_argument_group("what is made of it"))


def rehearse(options: Namespace) -> int:
    """Rehearse a layout."""
    from panda_ioc.commands.plot import draw
    from panda_ioc.commands.rehearse.command import run

    return run(options, draw)
