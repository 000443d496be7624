"""Processes that need not import anything: forks of a server that has only imported.

Importing a simulator takes as long as computing a short point. The server imports the backend and
the model once and forks for each point; it computes nothing itself, since a simulator hangs in the
fork of a process that has used it. It is a process of its own, and not the one that runs the
sweep, because that one may have used a simulator and may have threads.

As a program (``python -m cosim.fork_server MODEL BACKEND --socket-fd=N``) this module is the
server: it answers each request on the socket, and ends when the other end is closed.
"""

import argparse
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any

from cosim import worker
from cosim.backends import backend
from cosim.registry import load_model

_MESSAGE_BYTES = 65536
_CLOSE_S = 5.0


class ForkServer:
    """A running server, seen from the process that runs the sweep.

    Parameters
    ----------
    model, backend : str
        What it imports.
    environment : mapping
        Environment of the server and of its forks.
    log : file
        Takes what the server prints while it imports.
    """

    def __init__(
        self, model: str, backend: str, environment: Mapping[str, str], log: IO[bytes]
    ) -> None:
        self._socket, theirs = socket.socketpair()
        self._replies = self._socket.makefile("rb")
        self._numbers = itertools.count()
        with theirs:
            # -P: the module path is the parent's, whatever lies in the working directory.
            command = [sys.executable, "-P", "-m", "cosim.fork_server", model, backend]
            self._process = subprocess.Popen(
                [*command, f"--socket-fd={theirs.fileno()}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=(theirs.fileno(),),
                # Ctrl-C is for the parent, which stops its children itself.
                process_group=0,
            )

    def fork(self, arguments: Sequence[str], progress: int, log: int) -> "Fork":
        """Run `cosim.worker` in a fork that leads a process group of its own.

        Parameters
        ----------
        arguments : sequence of str
            Its command line, without the option for the progress.
        progress : int
            Descriptor of the pipe that takes the progress.
        log : int
            Descriptor of the file that takes what the fork prints.

        Returns
        -------
        Fork
            The process; if the server is dead, one that has ended as the server did.
        """
        reply = self._ask({"fork": list(arguments)}, [progress, log])
        return Fork(self, None if reply is None else reply["pid"])

    def returncode(self, pid: int | None) -> int | None:
        """Return with what a fork has ended, negative for a signal; None if it runs."""
        reply = None if pid is None else self._ask({"poll": pid})
        if reply is None:
            # The forks of a dead server die with it, and nobody else could wait for them.
            return self._process.wait()
        return reply["returncode"]

    @property
    def is_alive(self) -> bool:
        """Whether the server can fork."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the server, which must have no running forks."""
        self._replies.close()
        self._socket.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, request: Mapping[str, Any], descriptors: Sequence[int] = ()) -> Any:
        """Return the answer to a request, None if the server is dead."""
        number = next(self._numbers)
        message = json.dumps({"number": number, **request}).encode()
        try:
            socket.send_fds(self._socket, [message], descriptors)
            for line in self._replies:
                reply = json.loads(line)
                # An earlier one is the answer that a Ctrl-C kept us from reading.
                if reply["number"] == number:
                    return reply
        except (BrokenPipeError, ConnectionResetError):
            pass
        return None


class Fork:
    """A process that a server forked.

    Parameters
    ----------
    server : ForkServer
        Its parent.
    pid : int or None
        Its process id, also of its process group; None if it could not be started.
    """

    def __init__(self, server: ForkServer, pid: int | None) -> None:
        self._server = server
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return with what the process has ended, negative for a signal; None if it runs."""
        if self.returncode is None:
            self.returncode = self._server.returncode(self.pid)
        return self.returncode


def main(argv: Sequence[str] | None = None) -> int:
    """Import, then fork at each request.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default that of the process.

    Returns
    -------
    int
        In the server 0; in a fork what `cosim.worker.main` returns.
    """
    parser = argparse.ArgumentParser(prog="cosim.fork_server", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("backend")
    parser.add_argument("--socket-fd", type=int, required=True)
    arguments = parser.parse_args(argv)
    worker.die_with_parent()
    load_model(arguments.model)
    backend(arguments.backend)
    with socket.socket(fileno=arguments.socket_fd) as requests:
        return _serve(requests)


def _serve(requests: socket.socket) -> int:
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, _MESSAGE_BYTES, 2)
        if not message:
            return 0
        request = json.loads(message)
        reply: dict[str, int | None]
        if "poll" in request:
            reply = {"returncode": _returncode(request["poll"])}
        else:
            pid = os.fork()
            if pid == 0:
                requests.close()
                return _work(request["fork"], *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
            reply = {"pid": pid}
        reply["number"] = request["number"]
        requests.sendall(json.dumps(reply).encode() + b"\n")


def _work(arguments: Sequence[str], progress: int, log: int) -> int:
    os.setpgid(0, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    return worker.main([*arguments, f"--progress-fd={progress}"])


def _returncode(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    sys.exit(main())
