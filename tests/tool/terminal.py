# SPDX-License-Identifier: BSD-3-Clause
"""A program on a terminal of a given width."""
import fcntl
import os
import pty
import select
import struct
import termios
import time

ERASE = "\r\033[K"


class Terminal:
    """Starts the program; text is what has come so far, as a terminal gets it."""

    def __init__(self, words, columns, folder, env):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            self._become(words, columns, folder, env)

    @staticmethod
    def _become(words, columns, folder, env):
        """In the child; never returns, or there would be two test programs."""
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.chdir(folder)
            os.execve(words[0], words, {**os.environ, "TERM": "xterm", **env})
        except OSError as error:
            print(error, flush=True)
        finally:
            os._exit(127)

    def read(self, seconds):
        """Takes in what comes; False at the end."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def wait_for(self, text, seconds=30):
        deadline = time.time() + seconds
        while text not in self.text:
            if time.time() > deadline or not self.read(0.1):
                raise OSError(f"no {text!r} in {self.text!r}")

    def type(self, text):
        os.write(self.fd, text.encode())

    def finish(self, seconds=60):
        """The exit status; -1 if it had to be killed."""
        deadline = time.time() + seconds
        while self.read(0.1):
            if time.time() > deadline:
                os.kill(self.pid, 9)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    def bars(self):
        """What the bar showed, one after the other."""
        parts = self.text.split(ERASE)[1:]
        return [p for p in parts if p and "\n" not in p]

    def lines(self):
        """What stays on the screen."""
        return [line.split(ERASE)[-1].rstrip("\r") for line in self.text.split("\n")]
