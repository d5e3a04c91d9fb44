"""A client that sends its request in two halves."""

import socket


class Half:
    """A client that has sent the first half of its request."""

    def __init__(self, port: int, blob: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        head = (
            "POST /predict?top=1 HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
            f"Content-Length: {len(blob)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + blob[: len(blob) // 2])
        self.rest = blob[len(blob) // 2 :]

    def finish(self) -> None:
        self.socket.sendall(self.rest)

    def answer(self) -> bytes:
        """All until the server closes."""
        with self.socket, self.socket.makefile("rb") as file:
            return file.read()
