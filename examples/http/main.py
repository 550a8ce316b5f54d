"""Serves the component, and asks it as a client would.

Usage: main.py http.wasm
"""

import json
import sys
import urllib.error
import urllib.request

import undergo

TEXT = "the quick brown fox and the lazy dog and the end"


def main(file: str) -> None:
    """Serve on a free port, and print the answers."""
    with undergo.Plugin(file).serve("127.0.0.1:0", instances=2) as server:
        url = f"http://{server.address}"
        with urllib.request.urlopen(f"{url}/hello/Ada") as answer:
            print(answer.status, answer.headers["Content-Type"], json.load(answer))
        with urllib.request.urlopen(f"{url}/words", TEXT.encode()) as answer:
            counts = json.load(answer)
            print(f"{counts['total']} words, {counts['words']['the']} times 'the'")
        with urllib.request.urlopen(f"{url}/countdown") as answer:
            print("countdown:", *(line.decode().strip() for line in answer))
        try:
            urllib.request.urlopen(f"{url}/words", b"x " * (1 << 20))
        except urllib.error.HTTPError as error:
            with error:
                print(error.code, json.load(error))
        print(server.stats.requests, "requests,", server.stats.failed, "failed")


if __name__ == "__main__":
    main(sys.argv[1])
