# SPDX-License-Identifier: BSD-3-Clause
"""A web server on the loopback that has one file of weights, and every fault a
server can have.

Nobody has the real file here. FILE is one of as many bytes as resnet34's, whose
SHA-256 begins as that one's does: the digits in its name are all that is known of it.
NONCE was found by trying."""
import functools
import hashlib
import http.server
import re
import ssl
import threading

NAME = "resnet34-b627a593.pth"
NONCE = "00000000196aca2b"
FILL = 87320128


@functools.lru_cache(None)
def whole_file():
    data = hashlib.shake_256(b"tlpipe").digest(FILL) + NONCE.encode()
    assert hashlib.sha256(data).hexdigest().startswith("b627a593")
    return data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nothing on stderr."""

    def answer(self, status, body=b"", total=None, **headers):
        """total: what Content-Length says, if it is not the body's."""
        self.send_response(status)
        length = len(body) if total is None else total
        for name, value in {"Content-Length": length, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def part(self, data, first):
        """What an honest server gives from there on."""
        if first >= len(data):
            return self.answer(416, Content_Range=f"bytes */{len(data)}")
        return self.answer(206, memoryview(data)[first:],
                           Content_Range=f"bytes {first}-{len(data) - 1}/{len(data)}")

    def do_GET(self):
        server = self.server
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(found.group(1)) if found else None
        server.requests.append((self.path, first))
        try:
            getattr(self, "do_" + server.behaviour)(server.data, first)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.close_connection = True

    def do_honest(self, data, first):
        if first is None:
            self.answer(200, data)
        else:
            self.part(data, first)

    def do_no_ranges(self, data, _):
        self.answer(200, data)

    def do_no_total(self, data, first):
        """Gives a part and does not say of how much."""
        self.answer(206, memoryview(data)[first:],
                    Content_Range=f"bytes {first}-{len(data) - 1}/*")

    def do_cut(self, data, first):
        """Gives a million bytes of what was asked for."""
        first = first or 0
        self.answer(206 if first else 200, memoryview(data)[first:first + 1000000],
                    len(data) - first,
                    Content_Range=f"bytes {first}-{len(data) - 1}/{len(data)}")

    def do_cut_without_length(self, data, _):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(memoryview(data)[:1000000])

    def do_stall(self, data, _):
        self.answer(200, memoryview(data)[:1000000], len(data))
        self.server.release.wait(60)

    def do_silent(self, *_):
        self.server.release.wait(60)

    def do_another_part(self, data, first):
        self.answer(206, memoryview(data)[first + 1:],
                    Content_Range=f"bytes {first + 1}-{len(data) - 1}/{len(data)}")

    def do_wrong_bytes(self, data, _):
        self.answer(200, data[:1000] + b"!" + data[1001:])

    def do_wrong_size(self, data, _):
        self.answer(200, memoryview(data)[:1000000])

    def do_endless(self, data, _):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(data)

    def do_web_page(self, *_):
        self.answer(200, b"<!DOCTYPE html><title>Welcome</title>", Content_Type="text/html")

    def do_plain_web_page(self, *_):
        self.answer(200, b"<html>Log in first</html>", Content_Type="text/plain")

    def do_empty(self, *_):
        self.answer(200)

    def do_status_403(self, *_):
        self.answer(403, b"no")

    def do_status_404(self, *_):
        self.answer(404, b"<html>no</html>", Content_Type="text/html")

    def do_status_503(self, *_):
        self.answer(503)

    def do_redirect(self, data, first):
        if self.path.startswith("/elsewhere/"):
            self.do_honest(data, first)
        else:
            self.answer(302, Location="/elsewhere" + self.path)

    def do_redirect_to_http(self, *_):
        self.answer(302, Location=f"http://127.0.0.1:{self.server.server_address[1]}/x")

    def do_redirect_loop(self, *_):
        self.answer(302, Location=self.path + "x")

    def do_redirect_to_a_file(self, *_):
        self.answer(302, Location="file:///etc/passwd")


class Server(http.server.ThreadingHTTPServer):
    """with Server("honest") as server: ... server.url; with the path of a certificate and its
    key it speaks TLS"""
    daemon_threads = True

    def __init__(self, behaviour, data=None, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = behaviour
        self.data = whole_file() if data is None else data
        self.requests = []  # (path, first byte asked for or None)
        self.release = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/models"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.url = self.url.replace("http:", "https:")

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.shutdown()
        self.server_close()
