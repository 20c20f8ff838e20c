"""Plot waveform PVs as they change.

    python live_plot.py PREFIX:INENC1:VAL:DATA:MEAN [more PVs]
    python live_plot.py --png live.png PV            write a picture of the first data and end

Needs p4p and matplotlib.
"""

import argparse
import sys
import time

import matplotlib.pyplot as plt
from p4p.client.thread import Context

TIMEOUT = 30.0  # seconds that --png waits for data


def main() -> int:
    parser = argparse.ArgumentParser(description="Plot waveform PVs as they change.")
    parser.add_argument("names", nargs="+", metavar="PV")
    parser.add_argument("--png", metavar="FILE", help="write a picture of the first data and end")
    options = parser.parse_args()

    figure, axes = plt.subplots()
    lines = {name: axes.plot([], [], label=name)[0] for name in options.names}
    axes.set_xlabel("sample")
    axes.legend(loc="best")
    latest: dict[str, object] = {}

    def draw() -> None:
        for name, value in list(latest.items()):
            lines[name].set_data(range(len(value)), value)
        axes.relim()
        axes.autoscale_view()

    with Context("pva") as context:
        monitors = [
            context.monitor(name, lambda value, name=name: latest.update({name: value}))
            for name in options.names
        ]
        if options.png:
            deadline = time.monotonic() + TIMEOUT
            while not all(len(latest.get(name, ())) for name in options.names):
                if time.monotonic() > deadline:
                    sys.stderr.write(f"no data in {TIMEOUT:g} s: is the PandA armed?\n")
                    return 1
                time.sleep(0.05)
            draw()
            figure.savefig(options.png)
        else:
            while plt.fignum_exists(figure.number):
                draw()
                plt.pause(0.1)
        for monitor in monitors:
            monitor.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
