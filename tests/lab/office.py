#!/usr/bin/env python3
"""What people and a worm do in the lab.

  office.py serve                     shares files (445), shows pages (80), prints (9100), resolves names (UDP 53)
  office.py work SERVER FILE          does all four with SERVER, over and over; the rounds done stand in FILE
  office.py worm COUNT PAUSE PREFIX   connects to COUNT addresses PREFIX1 ... on port 445, PAUSE seconds apart, and ends
"""
import errno, os, socket, sys, threading, time

FILE = b"a" * 200_000
ANSWERS = {80: b"HTTP/1.0 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"p" * 4000, 445: FILE, 9100: b"@PJL READY\r\n"}


def listen(port):
    server = socket.create_server(("", port), backlog=64)
    while True:
        connection, _ = server.accept()
        threading.Thread(target=answer, args=(connection, port), daemon=True).start()


def answer(connection, port):
    with connection:
        try:
            while connection.recv(65536):
                connection.sendall(ANSWERS[port])
        except OSError:
            pass  # a scanner that wanted nothing


def resolve():
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("", 53))
    while True:
        question, asker = names.recvfrom(512)
        # One answer: the asked name (pointer 0xc00c), A, IN, 60 s, 10.77.0.102 (RFC 1035, 4.1).
        head = question[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0"
        names.sendto(head + question[12:] + b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + bytes([10, 77, 0, 102]), asker)


def serve():
    for port in ANSWERS:
        threading.Thread(target=listen, args=(port,), daemon=True).start()
    resolve()


def fetch(server, port):
    with socket.create_connection((server, port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def copy(share):
    """One file over a connection that stays, as shares are used."""
    share.sendall(b"file")
    missing = len(FILE)
    while missing > 0:
        got = len(share.recv(65536))
        if got == 0:
            raise OSError("the share is closed")
        missing -= got


def ask(server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as names:
        names.settimeout(20)
        name = b"\x03www\x07example\x03org\0"
        names.sendto(os.urandom(2) + b"\x01\0\0\x01\0\0\0\0\0\0" + name + b"\0\x01\0\x01", (server, 53))
        names.recv(512)


def work(server, file):
    rounds, share = 0, None
    while True:
        try:
            share = share or socket.create_connection((server, 445), timeout=20)
            ask(server)
            copy(share)
            fetch(server, 80)
            fetch(server, 9100)
            rounds += 1
        except OSError:
            share = None  # the server is not there yet
        with open(file + ".part", "w") as out:
            out.write(str(rounds))
        os.rename(file + ".part", file)
        time.sleep(0.1)


def worm(count, pause, prefix):
    knocks = []
    for last in range(1, count + 1):
        knock = socket.socket()
        knock.setblocking(False)
        if knock.connect_ex((prefix + str(last), 445)) not in (0, errno.EINPROGRESS):
            sys.exit("no way to " + prefix)
        knocks.append(knock)
        time.sleep(pause)
    # Whoever does not answer is let go as a worm lets go: after a while.
    time.sleep(1)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "serve":
        serve()
    elif what == "work":
        work(*rest)
    else:
        worm(int(rest[0]), float(rest[1]), rest[2])
