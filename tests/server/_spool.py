# SPDX-License-Identifier: MIT
"""A spool of its own, with its configuration, its daemon and a server that takes
the snapshots."""
import atexit
import http.server
import json
import os
import signal
import subprocess
import threading
import time

import _server
from _server import run


class Endpoint:
    """An HTTP server on the loopback. answers: what to say to the next posts,
    (status, headers, body) or "drop" for a connection that is closed after the
    whole body was taken; 200 when there is none left."""

    def __init__(self):
        self.posts, self.answers, self.lock = [], [], threading.Lock()
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with endpoint.lock:
                    answer = endpoint.answers.pop(0) if endpoint.answers \
                        else (200, {}, b'{"response":"ok"}')
                    endpoint.posts.append((self.headers["Idempotency-Key"],
                                           body, self.path, answer))
                if answer == "drop":
                    self.close_connection = True
                    self.connection.close()
                    return
                status, headers, text = answer
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            # A client that goes away in the middle is what is tested.
            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/post"
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def taken(self):
        """Names of the objects that were taken, in order."""
        with self.lock:
            return [key for key, _, _, answer in self.posts
                    if answer == "drop" or answer[0] == 200]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Spool:
    def __init__(self, bench, *lines, url=None):
        self.bench = bench
        self.dir = bench.new_dir()
        self.path = os.path.join(self.dir, "archive")
        self.conf = os.path.join(self.dir, "coresnap.conf")
        self.log = os.path.join(self.dir, "log")
        self.url = url
        self.daemon = None
        self.configure(*lines)

    def configure(self, *lines):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"archive = {self.path}\ndump.quota = 0\n"
                    "retry.first = 1s\nretry.most = 2s\n")
            f.write("upload = none\n" if self.url is None
                    else f"upload = http\nupload.url = {self.url}\n")
            f.writelines(line + "\n" for line in lines)

    def coresnap(self, *args, **options):
        return run([os.path.join(self.bench.build, "coresnap"), "-d", "-c",
                    self.conf, *args], **options)

    def archive(self, core, pid=0, comm="demo", exe="", signo=11, when=None,
                uid=None, prefix=(), dump=1):
        """As the kernel starts the helper, with the core on its standard input
        (an open file or a path); pid 0: one that nobody has."""
        pid = pid or 4194304 + 7
        args = [str(x) for x in (pid, os.getuid() if uid is None else uid,
                                 os.getgid(), signo,
                                 int(time.time()) if when is None else when,
                                 dump, pid, "", comm, exe.replace("/", "!"))]
        own = isinstance(core, str)
        source = open(core, "rb") if own else core
        try:
            return run([*prefix, os.path.join(self.bench.build, "coresnap"),
                        "-d", "-c", self.conf, "archive", "--", *args],
                       stdin=source, cwd="/")
        finally:
            if own:
                source.close()

    def start(self, *args, prefix=()):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                [*prefix, os.path.join(self.bench.build, "coresnapd"), "-d",
                 "-c", self.conf, *args], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd="/",
                env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        # Also when the test itself breaks off.
        atexit.register(self.daemon.kill)
        return self.daemon

    def stop(self, signo=signal.SIGTERM):
        if self.daemon is None:
            return None
        if self.daemon.poll() is None:
            self.daemon.send_signal(signo)
        status = self.daemon.wait(_server.PATIENCE)
        self.daemon = None
        return status

    def once(self):
        """Everything that can be done now."""
        self.start("--once")
        status = self.daemon.wait(_server.PATIENCE)
        self.daemon = None
        return status

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def names(self, stage):
        try:
            return sorted(x for x in os.listdir(os.path.join(self.path, stage))
                          if not x.startswith("."))
        except FileNotFoundError:
            return []

    def listed(self):
        done = self.coresnap("list", "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None
