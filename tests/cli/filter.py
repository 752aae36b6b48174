"""Runs a program under a filter of system calls: `filter.py FILTER PROGRAM ARGUMENT...`, for x86_64.

docker  what the default profile of Docker denies
        (https://docs.docker.com/engine/security/seccomp/#significant-syscalls-blocked-by-the-default-profile), and `clone3`, which
        it answers with ENOSYS
old     calls that came after Linux 4.10 are unknown (ENOSYS), as on an old kernel
threads `clone3` is refused (EPERM), as under container runtimes that are older than the C library: no thread can begin
unit    what packaging/systemd/ampls-doctor.service takes away: other families of sockets than IPv4, IPv6, netlink and Unix,
        memory that is both written and executed, changes of the machine
"""

import ctypes
import os
import struct
import sys

LOAD, EQUAL, AND_SET, RETURN = 0x20, 0x15, 0x54, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38
X86_64 = 0xC000003E
CLONE3, SOCKET, MMAP, MPROTECT = 435, 41, 9, 10

DOCKER = {
    "acct": 163, "add_key": 248, "bpf": 321, "clock_adjtime": 305, "clock_settime": 227, "delete_module": 176,
    "finit_module": 313, "get_mempolicy": 239, "init_module": 175, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "ioperm": 173, "iopl": 172, "kcmp": 312, "kexec_file_load": 320, "kexec_load": 246,
    "keyctl": 250, "lookup_dcookie": 212, "mbind": 237, "mount": 165, "move_pages": 279, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "perf_event_open": 298, "pivot_root": 155, "process_vm_readv": 310,
    "process_vm_writev": 311, "ptrace": 101, "quotactl": 179, "reboot": 169, "request_key": 249, "set_mempolicy": 238,
    "setns": 308, "settimeofday": 164, "swapon": 167, "swapoff": 168, "sysfs": 139, "umount2": 166, "unshare": 272,
    "userfaultfd": 323, "ustat": 136,
}
NEW = {
    "statx": 332, "rseq": 334, "pidfd_send_signal": 424, "pidfd_open": 434, "clone3": 435, "close_range": 436,
    "openat2": 437, "pidfd_getfd": 438, "faccessat2": 439, "epoll_pwait2": 441, "landlock_create_ruleset": 444,
    "futex_waitv": 449,
}
UNIT = {
    "chroot": 161, "mknod": 133, "mknodat": 259, "ioprio_set": 251, "migrate_pages": 256, "sched_setaffinity": 203,
    "sched_setattr": 314, "sched_setparam": 142, "sched_setscheduler": 144, "setpriority": 141, "setrlimit": 160,
    "sethostname": 170, "setdomainname": 171, "chown": 92, "fchown": 93, "setuid": 105, "setgid": 106, "capset": 126,
    "personality": 135,
}


def step(code, k, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, k)


def refuse(number, error):
    return step(EQUAL, number, 0, 1) + step(RETURN, FAIL | error)


def of_argument(number, place, test):
    """Where this is the call, its argument decides; the number is loaded again after it."""
    test = step(LOAD, 16 + 8 * place) + test + step(LOAD, 0)
    return step(EQUAL, number, 0, len(test) // 8) + test


def program(name):
    known = {
        "docker": [refuse(call, EPERM) for call in DOCKER.values()] + [refuse(CLONE3, ENOSYS)],
        "old": [refuse(call, ENOSYS) for call in NEW.values()],
        "threads": [refuse(CLONE3, EPERM)],
        "unit": [refuse(call, EPERM) for call in {**DOCKER, **UNIT}.values()]
        + [
            # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
            of_argument(SOCKET, 0, b"".join(step(EQUAL, family, rest, 0) for family, rest in ((1, 4), (2, 3), (10, 2), (16, 1)))
                        + step(RETURN, FAIL | EPERM)),
            # PROT_WRITE and PROT_EXEC at once
            of_argument(MMAP, 2, step(AND_SET, 6) + step(EQUAL, 6, 0, 1) + step(RETURN, FAIL | EPERM)),
            of_argument(MPROTECT, 2, step(AND_SET, 6) + step(EQUAL, 6, 0, 1) + step(RETURN, FAIL | EPERM)),
        ],
    }[name]
    begin = step(LOAD, 4) + step(EQUAL, X86_64, 1, 0) + step(RETURN, ALLOW) + step(LOAD, 0)
    return begin + b"".join(known) + step(RETURN, ALLOW)


def main():
    code = program(sys.argv[1])
    steps = ctypes.create_string_buffer(code, len(code))
    fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(steps)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # PR_SET_NO_NEW_PRIVS; PR_SET_SECCOMP with SECCOMP_MODE_FILTER
    for arguments in ((38, 1, 0, 0, 0), (22, 2, fprog, 0, 0)):
        if prctl(*arguments) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[2], sys.argv[2:])


main()
