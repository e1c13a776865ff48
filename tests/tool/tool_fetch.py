#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe weights fetch, from servers on the loopback with every fault."""
import contextlib
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time

from toolbench import Bench, Result, add_options
from tapcases import check, run_cases
from terminal import Terminal
from weightsserver import NAME, Server, whole_file

PROXIES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
           "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE")


class Cache(Bench):
    """An empty cache, and the program without the proxies of this machine."""

    def __init__(self, args, folder):  # pylint: disable=super-init-not-called
        self.tlpipe = args.tlpipe
        self.folder = folder
        self.cache = self.path("cache/weights")
        self.file = os.path.join(self.cache, NAME)
        self.part = self.file + ".part"
        self.env = {**os.environ, "TLPIPE_WEIGHTS": self.cache, "TORCH_HOME": self.path("torch")}
        for name in PROXIES + ("TLPIPE_WEIGHTS_URL",):
            self.env.pop(name, None)

    def start(self, *words, env=None, **options):
        return subprocess.Popen(
            [self.tlpipe, "weights", *words], cwd=self.folder, text=True,
            stdin=subprocess.DEVNULL, errors="replace", env={**self.env, **(env or {})},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})

    def fetch(self, url, *words, status=0, env=None):
        return self.run("fetch", "resnet34", "--from", url, *words, status=status, env=env)

    def begin_with(self, data):
        """What an interrupted attempt has left."""
        os.makedirs(self.cache, exist_ok=True)
        with open(self.part, "wb") as file:
            file.write(data)

    def kept(self):
        return os.path.getsize(self.part) if os.path.exists(self.part) else None

    def check_whole(self, result):
        check(os.listdir(self.cache) == [NAME], f"{os.listdir(self.cache)} {result}")
        with open(self.file, "rb") as file:
            check(file.read() == whole_file(), f"other bytes: {result}")
        check("verified" in result.out or "weights-fetch" in result.out, str(result))


# ---- What goes well ------------------------------------------------------------


def case_a_file_is_fetched_once(cache):
    with Server("honest") as server:
        result = cache.fetch(server.url + "/")
        cache.check_whole(result)
        check(server.requests == [(f"/models/{NAME}", None)], f"{server.requests}")
        done = cache.run("fetch", "ResNet34_Weights.DEFAULT", NAME, "--from", server.url, "--json")
        check([(o["state"], o["path"]) for o in done.objects()] == [("present", cache.file)] * 2,
              str(done))
        check(len(server.requests) == 1, f"{server.requests}")


def case_what_is_there_is_not_fetched_again(cache):
    for behaviour, first in (("honest", 86000000), ("no_ranges", 86000000), ("no_total", 86000000)):
        with Server(behaviour) as server:
            cache.begin_with(whole_file()[:first])
            result = cache.fetch(server.url)
            cache.check_whole(result)
            check("going on after 86,000,000 bytes" in result.out, str(result))
            check(server.requests == [(f"/models/{NAME}", first)], f"{server.requests}")
        os.remove(cache.file)


def case_a_cut_connection_keeps_what_came(cache):
    with Server("cut") as server:
        for size in (1000000, 2000000):
            result = cache.fetch(server.url, status=1)
            check(cache.kept() == size and not os.path.exists(cache.file), f"{cache.kept()}")
            check(f"ended early. {size:,} bytes are kept in {cache.part}" in result.err, str(result))
        server.behaviour = "honest"
        cache.check_whole(cache.fetch(server.url))
        check([first for _, first in server.requests] == [None, 1000000, 2000000],
              f"{server.requests}")


def case_a_whole_part_needs_no_server(cache):
    cache.begin_with(whole_file())
    cache.check_whole(cache.fetch("http://127.0.0.1:1"))


def case_a_part_that_is_too_long_begins_anew(cache):
    cache.begin_with(whole_file() + b"more")
    with Server("honest") as server:
        cache.check_whole(cache.fetch(server.url))
        check([first for _, first in server.requests] == [len(whole_file()) + 4, None],
              f"{server.requests}")


def case_a_damaged_file_is_fetched_anew(cache):
    os.makedirs(cache.cache)
    with open(cache.file, "wb") as file:
        file.write(whole_file()[:1000])
    with Server("honest") as server:
        result = cache.fetch(server.url)
    cache.check_whole(result)
    check("truncated or altered" in result.err and "It is fetched anew." in result.err, str(result))


def case_what_pytorch_has_is_taken(cache):
    folder = cache.path("torch/hub/checkpoints")
    os.makedirs(folder)
    with open(os.path.join(folder, NAME), "wb") as file:
        file.write(whole_file())
    result = cache.fetch("http://127.0.0.1:1")
    check(f"is already at {folder}/{NAME}" in result.out, str(result))


def case_a_redirection_is_followed(cache):
    with Server("redirect") as server:
        cache.begin_with(whole_file()[:86000000])
        cache.check_whole(cache.fetch(server.url))
        check(server.requests[-1] == (f"/elsewhere/models/{NAME}", 86000000), f"{server.requests}")


def make_certificate(cache):
    """An authority of one's own that vouches for 127.0.0.1 alone."""
    path = cache.path("authority.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", path, "-out", path + ".crt"], check=True, capture_output=True)
    with open(path, "a", encoding="ascii") as file, open(path + ".crt", encoding="ascii") as crt:
        file.write(crt.read())
    return path


def case_https_needs_an_authority_that_is_trusted(cache):
    authority = make_certificate(cache)
    cache.begin_with(whole_file()[:86000000])
    with Server("honest", certificate=authority) as server:
        result = cache.fetch(server.url, status=1)
        check("SSL_CERT_FILE" in result.err and cache.kept() == 86000000, str(result))
        check(not server.requests, f"{server.requests}")
        for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            cache.check_whole(cache.fetch(server.url, env={name: authority + ".crt"}))
            os.remove(cache.file)
            cache.begin_with(whole_file()[:86000000])
    with Server("redirect_to_http", certificate=authority) as server:
        result = cache.fetch(server.url, status=1, env={"SSL_CERT_FILE": authority + ".crt"})
        check("redirects to a place that is not https" in result.err, str(result))


def case_a_mirror_and_a_proxy_come_from_the_environment(cache):
    cache.begin_with(whole_file()[:86000000])
    with Server("honest") as server:
        proxy = server.url.removesuffix("/models")
        result = cache.run("fetch", "resnet34", env={
            "TLPIPE_WEIGHTS_URL": "http://me:secret@mirror.invalid/a", "http_proxy": proxy})
        cache.check_whole(result)
        check(server.requests[0][0].endswith(f"mirror.invalid/a/{NAME}"), f"{server.requests}")
        check("secret" not in str(result) and "mirror.invalid" in result.out, str(result))
        # And not where no_proxy says so.
        os.remove(cache.file)
        cache.begin_with(whole_file()[:86000000])
        cache.check_whole(cache.fetch(server.url, env={"http_proxy": "http://127.0.0.1:1",
                                                       "no_proxy": "127.0.0.1"}))


def case_a_proxy_that_refuses_is_said(cache):
    with Server("honest") as server:
        result = cache.fetch("https://mirror.invalid", status=1,
                             env={"https_proxy": server.url.removesuffix("/models")})
    check("501" in result.err and "put it at" in result.err, str(result))


def case_two_at_once_fetch_it_once(cache):
    with Server("stall") as server:
        first = cache.start("fetch", "resnet34", "--from", server.url)
        while not cache.kept():
            time.sleep(0.02)
        with Server("honest") as other:
            second = cache.start("fetch", "resnet34", "--from", other.url)
            line = second.stdout.readline()
            check("another tlpipe is fetching it" in line, line)
            check(other.requests == [], f"{other.requests}")
            first.send_signal(signal.SIGTERM)
            check(cache.end(first).status == 130, "first")
            result = cache.end(second)
            check(result.status == 0 and len(other.requests) == 1, f"{other.requests} {result}")
            cache.check_whole(Result(0, result.out, result.err))


# ---- What goes wrong -------------------------------------------------------------

# Behaviour, what stderr must say. What was there before stays.
REFUSALS = (
    ("status_404", "the server answers with status 404 (not found)"),
    ("status_403", "the server answers with status 403 (forbidden)"),
    ("status_503", "the server answers with status 503"),
    ("web_page", "the answer is a web page, not the file"),
    ("plain_web_page", "the answer is a web page, not the file"),
    ("wrong_size", "the server has a file of 1,000,000 bytes, but resnet34-b627a593.pth has 83.275"),
    ("redirect_loop", "it redirects more than 5 times"),
    ("redirect_to_a_file", "it redirects to a place that is not http or https"),
    ("empty", "the answer is empty"),
    ("another_part", "another part than the one asked for"),
)


def case_a_refusal_leaves_what_was_there(cache):
    for behaviour, text in REFUSALS:
        for begun in (b"", whole_file()[:5000]):
            if behaviour == "another_part" and not begun:
                continue
            with Server(behaviour) as server:
                cache.begin_with(begun)
                result = cache.fetch(server.url, status=1)
            check(text in result.err, f"{behaviour}: {result}")
            check(cache.kept() == (5000 if begun else None), f"{behaviour}: {cache.kept()}")
            hint = "5,000 bytes are kept" if begun else f"put it at {cache.file}"
            check(hint in result.err, f"{behaviour}: {result}")
            check(result.err.count("\n") == 1, f"{behaviour}: {result}")


def case_another_file_is_removed(cache):
    for behaviour, begun in (("wrong_bytes", b""), ("honest", b"?" * 86000000)):
        with Server(behaviour) as server:
            cache.begin_with(begun)
            result = cache.fetch(server.url, status=1)
            check("not b627a593" in result.err and "It was removed" in result.err, str(result))
            check(os.listdir(cache.cache) == [], f"{os.listdir(cache.cache)}")


def case_an_endless_answer_is_not_taken(cache):
    with Server("endless") as server:
        result = cache.fetch(server.url, status=1)
    check("sends more than the 83.275 MiB" in result.err, str(result))
    check(cache.kept() <= len(whole_file()) + 1000, f"{cache.kept()}")


def case_an_early_end_without_a_length_is_noticed(cache):
    with Server("cut_without_length") as server:
        result = cache.fetch(server.url, status=1)
    check("ended early" in result.err and cache.kept() == 1000000, str(result))


def case_a_silent_server_is_given_up(cache):
    for behaviour, kept in (("silent", None), ("stall", 1000000)):
        with Server(behaviour) as server:
            result = cache.fetch(server.url, "--stall-timeout", "1", status=1)
            check("nothing has come for 1 s" in result.err, f"{behaviour}: {result}")
            check(cache.kept() == kept, f"{behaviour}: {cache.kept()}")


def case_no_way_out_says_what_to_do(cache):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        result = cache.fetch(url, status=1)
    check(f"{url}/{NAME}: " in result.err and "download it elsewhere and put it at "
          + cache.file in result.err, str(result))
    check(os.listdir(cache.cache) == [], "left-overs")
    errors = cache.fetch("http://127.0.0.1:1", "--json", status=1).of_type("error")
    check(len(errors) == 1 and cache.file in errors[0]["text"], f"{errors}")


def case_one_failure_does_not_hold_the_others(cache):
    with Server("honest") as server:
        cache.begin_with(whole_file()[:86000000])
        result = cache.run("fetch", "resnet99", "resnet34", "--from", server.url, status=1)
    check("resnet99: no weights have this name - did you mean" in result.err, str(result))
    cache.check_whole(result)


def case_a_full_disk_keeps_what_was_written(cache):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000000, 3000000))

    with Server("honest") as server:
        # SIGXFSZ stays ignored, as Python has it: the write fails instead.
        process = cache.start("fetch", "resnet34", "--from", server.url, preexec_fn=limit,
                              restore_signals=False)
        result = cache.end(process)
        check(result.status == 1 and "cannot be written" in result.err, str(result))
        check(cache.kept() == 3000000 and "3,000,000 bytes are kept" in result.err, str(result))
        cache.check_whole(cache.fetch(server.url))


def case_a_pipe_is_not_waited_for(cache):
    os.makedirs(cache.cache)
    os.mkfifo(cache.part)
    result = cache.fetch("http://127.0.0.1:1", status=1)
    check(f"{cache.part} is not a regular file" in result.err, str(result))


def case_a_cache_that_cannot_be_written_is_said(cache):
    with open(cache.path("cache"), "w", encoding="utf-8"):
        result = cache.fetch("http://127.0.0.1:1", status=1)
    check(f"{cache.cache} cannot be made" in result.err, str(result))


# ---- Interrupted -----------------------------------------------------------------


def case_a_signal_keeps_what_came(cache):
    for number in (signal.SIGINT, signal.SIGTERM):
        with Server("stall") as server:
            process = cache.start("fetch", "resnet34", "--from", server.url)
            while cache.kept() != 1000000:
                check(process.poll() is None, "it ended")
                time.sleep(0.02)
            process.send_signal(number)
            result = cache.end(process)
        check(result.status == 130 and cache.kept() == 1000000, str(result))
        check("interrupted; 1,000,000 bytes are kept" in result.err, str(result))
        os.remove(cache.part)


def case_a_killed_fetch_goes_on(cache):
    with Server("stall") as server:
        process = cache.start("fetch", "resnet34", "--from", server.url)
        while cache.kept() != 1000000:
            time.sleep(0.02)
        process.kill()
        cache.end(process)
        server.behaviour = "honest"
        cache.check_whole(cache.fetch(server.url))
        check(server.requests[-1][1] == 1000000, f"{server.requests}")


def case_a_terminal_shows_progress(cache):
    with Server("stall") as server:
        for columns in (30, 100):
            terminal = Terminal([cache.tlpipe, "weights", "fetch", "resnet34", "--from", server.url],
                                columns, cache.folder, {**cache.env, "no_proxy": "*"})
            terminal.wait_for("MiB  1 %" if columns > 60 else "1.0 of 83.3")
            terminal.type("\x03")
            check(terminal.finish() == 130, terminal.text)
            check(all(len(bar) < columns for bar in terminal.bars()), f"{terminal.bars()}")
            check("once more to stop at once" in terminal.text, terminal.text)
            check("bytes are kept" in terminal.text.replace("\r\n", ""), terminal.text)
            os.remove(cache.part)


@contextlib.contextmanager
def open_cache(args):
    with tempfile.TemporaryDirectory(prefix="tlpipe fetch ") as folder:
        yield Cache(args, folder)


if __name__ == "__main__":
    run_cases(globals(), add_options, open_cache)
