"""A workload of the tests: an HTTP server on $PORT whose manners are set by variables. Standard library only."""

import base64
import hashlib
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODE = os.environ.get("MODE", "")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        return

    def text(self, text, status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/ready" and MODE == "never-ready":
            self.text("not yet", 503)
        elif self.path == "/live" and Path(os.environ.get("SICK", "/nonexistent")).exists():
            self.text("sick", 500)
        elif self.path == "/pid":
            self.text(str(os.getpid()))
        elif self.path == "/uid":
            self.text(f"{os.getuid()}:{os.getgid()}:{os.getgroups()}")
        elif self.path == "/env":
            self.text("\n".join(f"{key}={value}" for key, value in sorted(os.environ.items())))
        elif self.path == "/headers":
            self.text(str(self.headers))
        elif self.path.startswith("/slow"):
            time.sleep(float(self.path.split("=")[1]))
            self.text(os.environ["GENERATION"])
        elif self.path == "/events":
            self.events()
        elif self.path == "/socket":
            self.socket()
        elif self.path == "/big":
            self.send_response(200)
            self.send_header("Content-Length", str(100 * 1_000_000))
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x" * 1_000_000)
        else:
            self.text(os.environ["GENERATION"])

    def do_POST(self):
        total = 0
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                total += len(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers["Content-Length"])
            while left:
                piece = self.rfile.read(min(left, 65536))
                left -= len(piece)
                total += len(piece)
        self.text(str(total))

    def events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(1000):
            self.wfile.write(f"data: {number}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.1)

    def socket(self):
        accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept.digest()).decode())
        self.end_headers()
        self.wfile.flush()
        while data := self.connection.recv(65536):
            self.connection.sendall(data[::-1])
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if MODE == "crash":
    sys.exit("Traceback: the configuration is wrong")
if MODE == "ignores-term":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if MODE in ("daemons", "escapes"):
    escape = "import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(1000)"
    subprocess.run([sys.executable, "-c", escape], check=True)
if MODE == "escapes":
    clean = "import os, sys, time; os.fork() and os._exit(0); os.setsid(); os.execve(sys.executable, sys.argv, {})"
    subprocess.run([sys.executable, "-c", clean, "-c", "import time; time.sleep(1000)"], check=True)
if MODE == "noisy":
    for number in range(60_000):
        print(f"line {number} " + "x" * 90)
    sys.stdout.flush()
print("listening", flush=True)
Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
