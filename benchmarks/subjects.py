"""``python -m benchmarks.subjects``: the subjects of a user as a sync gets them, beside a bare fetch."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from benchmarks.contenders import Server, bare_list, empty_home, new_bare_session, new_client
from benchmarks.rounds import alternate
from pybpod_alyx_module.demo.sandbox import SandboxServer
from pybpod_alyx_module.sync.fetch import fetch_remote

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many times as long as the bare fetch ours may take.
AIM = 1.1


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the seconds of the best and the middle round.

    ``arguments``: the words after the program's name; default: those of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.subjects", description=__doc__)
    parser.add_argument("--animals", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    words = ("--throttle", "off", "--subjects", str(options.animals))
    with empty_home(), SandboxServer(*words) as sandbox:
        server = Server(sandbox.url, sandbox.username, sandbox.password)
        client = new_client(server)
        session = new_bare_session(server)
        listed = {
            "as a sync gets them": lambda: fetch_remote(client, server.username, ()).listed,
            "bare concurrent fetch": lambda: bare_list(session, server, "subjects", responsible_user=server.username),
        }
        expected = len(client.list("subjects", {"responsible_user": server.username}))
        timings = alternate(listed, options.rounds, expected)
    print(f"{expected} subjects")
    for name, timing in timings.items():
        print(f"{name:24}{timing.best:8.2f} s best{timing.median:8.2f} s median")
    ours, bare = timings.values()
    ratio = ours.best / bare.best
    print(f"{'met' if ratio <= AIM else 'missed'}: {ratio:.2f} times as long (aim: at most {AIM})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
