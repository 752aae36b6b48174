#!/usr/bin/env python3
"""Joins two interfaces of this network namespace and delivers every frame a fixed time after it came.

usage: delay.py INTERFACE INTERFACE MILLISECONDS

For kernels without the netem queueing discipline. Order is kept; nothing is lost. Checksum and segmentation offloads must
be off on the whole path (ethtool -K), or unfinished frames are forwarded.
"""

import collections
import ctypes
import os
import selectors
import socket
import sys
import time

ETH_P_ALL = 0x0003
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
PR_SET_TIMERSLACK = 29


def tap(interface):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    raw.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    raw.bind((interface, 0))
    raw.setblocking(False)
    return raw


def main():
    first, second = tap(sys.argv[1]), tap(sys.argv[2])
    wait = int(float(sys.argv[3]) * 1e6)
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
    except OSError as error:
        print("running without real-time priority:", error, file=sys.stderr)
    other = {first: second, second: first}
    # One constant delay: the oldest frame is always the next one due, whichever way it goes.
    held = collections.deque()
    selector = selectors.SelectSelector()
    for raw in other:
        selector.register(raw, selectors.EVENT_READ)
    while True:
        timeout = max(0.0, (held[0][0] - time.monotonic_ns()) / 1e9) if held else None
        for key, _ in selector.select(timeout):
            due = time.monotonic_ns() + wait
            for _ in range(128):
                try:
                    held.append((due, other[key.fileobj], key.fileobj.recv(65536)))
                except BlockingIOError:
                    break
        now = time.monotonic_ns()
        while held and held[0][0] <= now:
            _, out, frame = held.popleft()
            try:
                out.send(frame)
            except OSError as error:
                print("frame lost:", error, file=sys.stderr, flush=True)


main()
