"""An origin that is as strict as h11 is. It prints its port, and then a line for each request: what
it was, or what is wrong with it. The path of a request says how it is answered.
"""

import socket
import threading

import h11


def told(request, body, trailers):
    fields = {name.decode(): value.decode() for name, value in request.headers}
    framing = next((it for it in ("content-length", "transfer-encoding") if it in fields), "none")
    parts = [request.method.decode(), request.target.decode(), "HTTP/" + request.http_version.decode()]
    parts += ["framing=" + framing, "expect=" + fields.get("expect", "none"), "body=" + body.decode()]
    parts += [f"trailer={name.decode()}:{value.decode()}" for name, value in trailers]
    return " ".join(parts)


def response(status, *fields, **more):
    return h11.Response(status_code=status, headers=fields, **more)


def answers(path, body):
    """The head of the answer, the pieces of its body, and what follows them."""
    if path == "/chunked":
        head = response(200, ("Trailer", "X-Sum"), ("Transfer-Encoding", "chunked"))
        return head, [b"in ", b"pieces"], [("X-Sum", "1")]
    if path == "/no-content":
        return response(204), [], []
    if path == "/not-modified":
        return response(304, ("ETag", '"1"')), [], []
    if path == "/last":
        return response(200, ("Connection", "close")), [b"goodbye"], []
    text = body or b"hello"
    return response(200, ("Content-Length", str(len(text)))), [text], []


class Client:
    def __init__(self, stream):
        self.stream = stream
        self.http = h11.Connection(h11.SERVER)

    def send(self, event):
        data = self.http.send(event)
        if data:
            self.stream.sendall(data)

    def next(self):
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self.http.they_are_waiting_for_100_continue:
                self.send(h11.InformationalResponse(status_code=100, headers=[]))
            self.http.receive_data(self.stream.recv(65536))

    def serve_one(self):
        request = self.next()
        if not isinstance(request, h11.Request):
            return False
        body, event = b"", self.next()
        while isinstance(event, h11.Data):
            body, event = body + bytes(event.data), self.next()
        path = request.target.decode()
        if path == "/hints":
            hints = h11.InformationalResponse(status_code=103, headers=[("Link", "</style.css>")])
            self.send(hints)
        head, pieces, trailers = answers(path, body)
        # Before the answer, so that who has the answer finds the line.
        print(told(request, body, event.headers), flush=True)
        self.send(head)
        # The body of an answer to HEAD is empty, whatever its head says.
        for piece in pieces if request.method != b"HEAD" else []:
            self.send(h11.Data(data=piece))
        self.send(h11.EndOfMessage(headers=trailers))
        if self.http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self.http.start_next_cycle()
            return True
        return False

    def serve(self):
        try:
            while self.serve_one():
                pass
        except h11.ProtocolError as error:
            print(f"wrong: {error}", flush=True)
        self.stream.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    stream, _ = listener.accept()
    threading.Thread(target=Client(stream).serve, daemon=True).start()
