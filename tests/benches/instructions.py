#!/usr/bin/env python3
"""What one request costs: instructions per request, memory per connection, CPU at rest.

    python3 tests/benches/instructions.py [PROGRAM]

PROGRAM is the release program (default: target/release/portcullis). It runs with its default configuration, one worker, one
list of 50,000 names and the access log in a file. Instructions are those of all threads, counted by callgrind (valgrind), and
repeat within about one per cent, whatever else the machine does. Called by `make instructions`. The committed figures in
tests/benches/instructions.txt have the limits; where one is passed it ends with exit code 1.
"""

import asyncio
import contextlib
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BLOCKED = "h123.blocked.example"
NAMES = 50_000
CONNECTIONS = 2_000
# Seconds after which the allocator has given back what is not used.
SETTLE = 5
# Requests before counting begins, and requests that are counted.
WARM_UP = 200
COUNTED = {"get": 1500, "connect": 400, "blocked": 1000}


class Origin:
    """Answers every request on a connection with two bytes."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        started = threading.Event()

        async def serve(reader, writer):
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await reader.readuntil(b"\r\n\r\n"):
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            writer.close()

        async def main():
            server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            await server.serve_forever()

        threading.Thread(target=lambda: self.loop.run_until_complete(main()), daemon=True).start()
        started.wait()


class Client:
    """One connection to the proxy."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read = b""

    def ask(self, request):
        """Sends a request and reads the whole response; returns its status."""
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self.read:
            self.fill()
        head, self.read = self.read.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?i)content-length: (\d+)", head)
        length = int(length[1]) if length else 0
        while len(self.read) < length:
            self.fill()
        self.read = self.read[length:]
        return int(head.split(b" ", 2)[1])

    def fill(self):
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError("the proxy has closed the connection")
        self.read += more

    def close(self):
        self.socket.close()


def get(host):
    return (
        f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nUser-Agent: instructions\r\nAccept: */*\r\n\r\n"
    ).encode()


def connect(host):
    return f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


class Scene:
    """A folder with a configuration, and an origin."""

    def __init__(self, program):
        self.program = os.path.abspath(program)
        self.origin = Origin()
        self.dir = tempfile.mkdtemp(prefix="portcullis-instructions-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        os.mkdir(self.path("plugins"))
        with open(self.path("plugins/blocklist.toml"), "w") as settings:
            # Valgrind is slow, above all when it sees code for the first time.
            settings.write('[limits]\ncpu = "5s"\nwall = "30s"\n')
        with open(self.path("list.txt"), "w") as names:
            names.writelines(f"h{n}.blocked.example\n" for n in range(NAMES))
        with open(self.path("portcullis.toml"), "w") as config:
            config.write(
                f'[proxy]\nlisten = "127.0.0.1:{self.port}"\nworkers = 1\n'
                f'[plugins]\ndir = "plugins"\n[cache]\ndir = "cache"\n'
                f'[feeds.malware]\nurl = "file://{self.path("list.txt")}"\nformat = "domains"\n'
            )

    def path(self, name):
        return os.path.join(self.dir, name)

    @property
    def host(self):
        return f"localhost:{self.origin.port}"

    def start(self, *wrapper):
        command = [*wrapper, self.program, "run", "--config", self.path("portcullis.toml")]
        log = open(self.path("log"), "ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.dir)
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                client = Client(self.port)
                status = client.ask(get(BLOCKED))
                client.close()
                # Until the list is there, its names pass and do not resolve.
                if status == 403:
                    return process
            time.sleep(0.2)
        process.kill()
        sys.exit(f"the proxy does not start; its log is {self.path('log')}")

    def requests(self, scenario, count):
        if scenario == "connect":
            for _ in range(count):
                client = Client(self.port)
                assert client.ask(connect(self.host)) == 200
                assert client.ask(get(self.host)) == 200
                client.close()
            return
        host, expected = (self.host, 200) if scenario == "get" else (BLOCKED, 403)
        client = Client(self.port)
        for _ in range(count):
            assert client.ask(get(host)) == expected
        client.close()


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(60)


def instructions(scene, scenario):
    """Instructions of all threads, for one request."""
    out = scene.path(f"callgrind.{scenario}")
    process = scene.start(
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        # The filters' machine code is written while the program runs.
        "--smc-check=all-non-file",
        f"--callgrind-out-file={out}",
    )

    def control(*words):
        subprocess.run(["callgrind_control", *words, str(process.pid)], capture_output=True, check=True)

    control("-i", "on")
    scene.requests(scenario, WARM_UP)
    control("-z")
    scene.requests(scenario, COUNTED[scenario])
    # What ends an exchange may come after the client has its answer.
    time.sleep(0.3)
    control("-d")
    stop(process)
    with open(f"{out}.1") as dump:
        total = re.search(r"(?m)^(?:summary|totals): (\d+)", dump.read())
    return int(total[1]) / COUNTED[scenario]


def committed_limits():
    """The most that each row may have, by its name."""
    with open(os.path.join(os.path.dirname(__file__), "instructions.txt")) as figures:
        rows = re.findall(r"(?m)^(.+?): .*, at most ([\d.]+)", figures.read())
    return {name: float(most) for name, most in rows}


class Table:
    """Prints rows, and remembers which are beyond their limit."""

    def __init__(self):
        self.limits = committed_limits()
        self.beyond = []

    def row(self, name, value, unit, rest=""):
        most = self.limits[name]
        print(f"{name}: {value:.2f}{unit}, at most {most:g}{rest}", flush=True)
        if value > most:
            self.beyond.append(name)


def private_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        fields = re.findall(r"(?m)^Private_(?:Clean|Dirty): +(\d+) kB", rollup.read())
    return sum(map(int, fields)) * 1024


def memory(scene, kind):
    """Bytes of one idle connection, and the share of it that is given back when the connections have closed."""
    process = scene.start()
    for _ in range(200):
        scene.requests("get", 1)
    time.sleep(SETTLE)
    before = private_bytes(process.pid)
    clients = []
    for _ in range(CONNECTIONS):
        client = Client(scene.port)
        assert client.ask(connect(scene.host) if kind == "tunnel" else get(scene.host)) == 200
        clients.append(client)
    time.sleep(SETTLE)
    during = private_bytes(process.pid)
    for client in clients:
        client.close()
    time.sleep(SETTLE)
    after = private_bytes(process.pid)
    stop(process)
    taken = during - before
    return taken / CONNECTIONS, (during - after) / taken


def rest(scene):
    """The share of a core that the proxy takes at two requests a second."""
    process = scene.start()
    client = Client(scene.port)

    def cpu():
        # Of each thread in nanoseconds. `stat` has hundredths of a second, of which there are four.
        tasks = glob.glob(f"/proc/{process.pid}/task/*/schedstat")
        return sum(int(open(task).read().split()[0]) for task in tasks) / 1e9

    client.ask(get(scene.host))
    time.sleep(3)
    before, begun = cpu(), time.monotonic()
    for _ in range(40):
        client.ask(get(scene.host))
        time.sleep(0.5)
    share = (cpu() - before) / (time.monotonic() - begun)
    client.close()
    stop(process)
    return share


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/portcullis"
    for tool in ("valgrind", "callgrind_control"):
        shutil.which(tool) or sys.exit(f"{tool} is missing; Debian has it in the package valgrind")
    scene = Scene(program)
    # Valgrind cannot run the process that compiles filters; what is compiled now is found on disk later.
    stop(scene.start())
    names = {"get": "GET", "connect": "CONNECT, GET, close", "blocked": "blocked GET"}
    table, counted = Table(), {}
    for scenario, name in names.items():
        counted[scenario] = instructions(scene, scenario)
        table.row(name, counted[scenario] / 1000, " k instructions")
    os.environ["PORTCULLIS_LOG_ACCESS_TO"] = "off"
    line = counted["get"] - instructions(scene, "get")
    del os.environ["PORTCULLIS_LOG_ACCESS_TO"]
    table.row("line of the access log", line / 1000, " k instructions")
    for kind, name in (("tunnel", "idle tunnel"), ("keep-alive", "idle keep-alive connection")):
        taken, given_back = memory(scene, kind)
        table.row(name, taken / 1024, " KiB", f"; {given_back:.0%} given back after closing")
    table.row("two requests a second", rest(scene) * 100, " % of a core")
    shutil.rmtree(scene.dir)
    if table.beyond:
        sys.exit("beyond the limit: " + "; ".join(table.beyond))


if __name__ == "__main__":
    main()
