"""A page on the loopback address, for browsers that do not open files, or a browser at the other end of a tunnel."""

import http.server
from collections.abc import Callable

from spikeloop.errors import InvalidInput

ADDRESS = "127.0.0.1"


def require_port(port: int) -> None:
    """Raise InvalidInput for a port that cannot be served on now: said before the work that leads to a page, not after."""
    if not 0 <= port <= 65535:
        raise InvalidInput(f"a port is a number from 0 to 65535, got {port}")
    try:
        http.server.HTTPServer((ADDRESS, port), http.server.BaseHTTPRequestHandler).server_close()
    except OSError as error:
        raise InvalidInput(
            f"port {port} cannot be used: {error.strerror or error}; --port 0 takes a free one"
        ) from None


def serve(page: str, port: int = 0, ready: Callable[[str], None] = lambda address: None) -> None:
    """Answer every request with the page until a KeyboardInterrupt, which is let through.

    Port 0 takes a free one. ``ready`` hears the address. Nobody but this machine can connect, and nothing but this page is
    given out. Raises InvalidInput if the port is in use, or is none.
    """
    require_port(port)
    content = page.encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path.split("?")[0] in ("/", "/index.html")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content) if found else 0))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if found:
                self.wfile.write(content)

        def log_message(self, format, *args):
            pass

    server = http.server.ThreadingHTTPServer((ADDRESS, port), Handler)
    with server:
        ready(f"http://{ADDRESS}:{server.server_port}/")
        server.serve_forever()
