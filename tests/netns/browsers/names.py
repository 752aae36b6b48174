"""Two DNS servers of the lab in one program: plain DNS on port 53 and DNS over HTTPS on port 443.

Every question is written to the log as `plain NAME TYPE` or `doh NAME TYPE`. Both know every name: plain DNS answers A with
PLAIN, DNS over HTTPS with DOH; DENIED is denied, once a name of the page has been asked for: what a browser does before it
knows and what it does afterwards would otherwise be a race. What is asked on port 80 is written as `http PATH`.

usage: names.py LOG CERTIFICATE KEY PLAIN DOH DENIED|- ADDRESS...
"""
import base64
import socket
import socketserver
import ssl
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

LOG, CERTIFICATE, KEY, PLAIN, DOH, DENIED = sys.argv[1:7]
ADDRESSES = sys.argv[7:]
LOCK = threading.Lock()
PAGE_WANTED = threading.Event()
NXDOMAIN = 3
# Where the fronts of DNS over HTTPS are, whichever server is asked.
FRONTS = {"doh.lab.test": "10.0.0.53", "mozilla.cloudflare-dns.com": "10.0.0.53", "dns.google": "8.8.8.8"}


def question(message):
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    kind = struct.unpack("!H", message[at + 1 : at + 3])[0]
    return ".".join(labels).lower(), kind, message[12 : at + 5]


def answer(message, over, address):
    name, kind, asked = question(message)
    with LOCK, open(LOG, "a", encoding="ascii") as log:
        log.write(f"{over} {name} {kind}\n")
    if name.startswith("page"):
        PAGE_WANTED.set()
    if name == DENIED:
        PAGE_WANTED.wait()
    code = NXDOMAIN if name == DENIED else 0
    records = b""
    if kind == 1 and code == 0:
        records = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(FRONTS.get(name, address))
    elif kind == 2 and code == 0:
        records = b"\xc0\x0c" + struct.pack("!HHIH", 2, 1, 1, 4) + b"\x02ns\xc0\x0c"[:3] + b"\x00"
    header = message[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if records else 0, 0, 0)
    return header + asked + records


class Plain(socketserver.BaseRequestHandler):
    def handle(self):
        message, reply = self.request
        reply.sendto(answer(message, "plain", PLAIN), self.client_address)


class PlainStream(socketserver.BaseRequestHandler):
    def handle(self):
        length = struct.unpack("!H", self.request.recv(2))[0]
        message = self.request.recv(length)
        text = answer(message, "plain", PLAIN)
        self.request.sendall(struct.pack("!H", len(text)) + text)


class Doh(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, message):
        text = answer(message, "doh", DOH)
        self.send_response(200)
        self.send_header("Content-Type", "application/dns-message")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        asked = parse_qs(urlparse(self.path).query).get("dns")
        if not asked:
            self.send_error(404)
            return
        self.reply(base64.urlsafe_b64decode(asked[0] + "=" * (-len(asked[0]) % 4)))

    def do_POST(self):
        self.reply(self.rfile.read(int(self.headers["Content-Length"])))


class Web(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        with LOCK, open(LOG, "a", encoding="ascii") as log:
            log.write(f"http {self.path}\n")
        self.send_error(404)


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


socketserver.ThreadingUDPServer.max_packet_size = 4096
socketserver.TCPServer.allow_reuse_address = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
for host in ADDRESSES:
    serve(socketserver.ThreadingUDPServer((host, 53), Plain))
    serve(socketserver.ThreadingTCPServer((host, 53), PlainStream))
    serve(ThreadingHTTPServer((host, 80), Web))
    https = ThreadingHTTPServer((host, 443), Doh)
    https.socket = context.wrap_socket(https.socket, server_side=True)
    serve(https)
with LOCK, open(LOG, "a", encoding="ascii") as log:
    log.write("ready\n")
threading.Event().wait()
