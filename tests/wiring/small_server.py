"""
Be the smallest process that a supervisor can keep: answers every GET, stops when standard input closes.

    python small_server.py PORT [--deaf]     a deaf one ignores standard input
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    """
    Answer 200 to everything.
    """

    def do_GET(self) -> None:
        """
        Say that all is well.
        """
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 – the signature of http.server
        """
        Write nothing.
        """


server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
if "--deaf" not in sys.argv:

    def stop_at_end_of_input() -> None:
        """
        Wait for the supervisor to let go.
        """
        sys.stdin.read()
        server.shutdown()

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
server.serve_forever()
