"""A client that is as strict as h11 is: h11_client.py PROXY_HOST PROXY_PORT ORIGIN BLOCKED.

It asks the origin of h11_origin.py, and a host that is blocked, for all kinds of answers over one
connection to the proxy, and prints a line for each answer. What h11 finds wrong ends it.
"""

import socket
import sys

import h11

proxy, port, origin, blocked = sys.argv[1:]
stream = socket.create_connection((proxy, int(port)), timeout=20)
http = h11.Connection(h11.CLIENT)


def send(event):
    stream.sendall(http.send(event))


def next_event():
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(stream.recv(65536))
    return event


def send_body(pieces, trailers=()):
    for piece in pieces:
        send(h11.Data(data=piece))
    send(h11.EndOfMessage(headers=trailers))


def ask(method, url, *fields, pieces=(), trailers=()):
    host = url.removeprefix("http://").split("/")[0]
    fields = [("Host", host), *fields]
    send(h11.Request(method=method, target=url, headers=fields))
    interim = []
    if http.client_is_waiting_for_100_continue:
        event = next_event()
        assert event.status_code == 100, event
        interim.append(event.status_code)
    send_body(pieces, trailers)
    while isinstance(event := next_event(), h11.InformationalResponse):
        interim.append(event.status_code)
    status, body = event.status_code, b""
    while isinstance(event := next_event(), h11.Data):
        body += bytes(event.data)
    trailers = [f"{name.decode()}:{value.decode()}" for name, value in event.headers]
    first = body.decode().split("\n")[0]
    print(method, url.removeprefix(origin), *interim, status, first, *trailers)
    if http.our_state is h11.DONE and http.their_state is h11.DONE:
        http.start_next_cycle()
    else:
        print("the connection is", "closed" if stream.recv(1) == b"" else "open")


chunked, length = ("Transfer-Encoding", "chunked"), ("Content-Length", "4")
ask("GET", origin + "/length")
ask("HEAD", origin + "/length")
ask("GET", origin + "/chunked", ("TE", "trailers"), ("Connection", "TE"))
ask("GET", origin + "/no-content")
ask("GET", origin + "/not-modified", ("If-None-Match", '"1"'))
ask("GET", origin + "/hints")
ask("POST", origin + "/echo", length, pieces=[b"four"])
announced = ("Trailer", "X-Sum")
ask("POST", origin + "/echo", chunked, announced, pieces=[b"in ", b"two"], trailers=[("X-Sum", "2")])
ask("PUT", origin + "/echo", length, ("Expect", "100-continue"), pieces=[b"wait"])
ask("GET", blocked)
ask("GET", origin + "/last", ("Connection", "close"))
