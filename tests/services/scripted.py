"""A server of a few lines: it answers what begins with a word by a text, and closes. For what no real daemon does.

    python scripted.py NAME ADDRESS:PORT|/PATH '{"": "greeting at once", "show info": "answer"}'

NAME is in its command line. Half an answer, and one without a field, come from here; everything else comes from real
daemons.
"""

from __future__ import annotations

import json
import socket
import sys


def listen(place: str) -> socket.socket:
    if place.startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.bind(place)
        server.listen()
        return server
    host, _, port = place.rpartition(":")
    return socket.create_server((host, int(port)))


def main() -> None:
    answers: dict[str, str] = json.loads(sys.argv[3])
    with listen(sys.argv[2]) as server:
        while True:
            client, _ = server.accept()
            with client:
                asked = b"" if "" in answers else client.recv(65536)
                for word, answer in answers.items():
                    if asked.startswith(word.encode()):
                        client.sendall(answer.encode("latin-1"))
                        break


if __name__ == "__main__":
    main()
