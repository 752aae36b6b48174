#!/usr/bin/env python3
"""A DNS server that denies names in the name of any zone, and passes every other question on.

Usage: denials.py ADDRESS FORWARD SUFFIX=OWNER…

A name at or below SUFFIX does not exist, says an SOA record of OWNER: labels of any characters with dots between them, whether it
covers the name or not. With `SUFFIX>TARGET=OWNER` the name is an alias of TARGET, which does not exist. What serious servers
never send is what this one is for.
"""

import socket
import struct
import sys
import threading


def encoded(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def question(message):
    """The name asked, and where its question ends."""
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    return ".".join(labels), at + 5


def record(owner, kind, data):
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def denial(message, end, target, owner):
    numbers = struct.pack("!IIIII", 1, 3600, 300, 86400, 60)
    soa = record(encoded(owner), 6, encoded("ns." + owner) + encoded("hostmaster." + owner) + numbers)
    alias = record(b"\xc0\x0c", 5, encoded(target)) if target else b""
    flags = 0x8183
    header = message[:2] + struct.pack("!HHHHH", flags, 1, 1 if target else 0, 1, 0)
    return header + message[12:end] + alias + soa


def answer(message, forward, denials):
    name, end = question(message)
    for suffix, target, owner in denials:
        if name == suffix or name.endswith("." + suffix):
            return denial(message, end, target, owner)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
        upstream.settimeout(5)
        upstream.sendto(message, (forward, 53))
        return upstream.recv(65535)


def over_tcp(connection, forward, denials):
    with connection, connection.makefile("rwb") as stream:
        while len(length := stream.read(2)) == 2:
            given = answer(stream.read(*struct.unpack("!H", length)), forward, denials)
            stream.write(struct.pack("!H", len(given)) + given)
            stream.flush()


def over_udp(server, message, peer, forward, denials):
    server.sendto(answer(message, forward, denials), peer)


def main():
    address, forward, *rules = sys.argv[1:]
    denials = []
    for rule in rules:
        names, _, owner = rule.partition("=")
        suffix, _, target = names.partition(">")
        denials.append((suffix, target, owner))
    stream = socket.create_server((address, 53))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((address, 53))

    def accept():
        while True:
            connection, _ = stream.accept()
            threading.Thread(target=over_tcp, args=(connection, forward, denials), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    while True:
        message, peer = datagrams.recvfrom(65535)
        threading.Thread(target=over_udp, args=(datagrams, message, peer, forward, denials), daemon=True).start()


main()
