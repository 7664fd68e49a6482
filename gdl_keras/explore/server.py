"""A server for one reader on this machine: the page, and answers to what it asks."""

import json
import secrets
import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import parse_qs, urlsplit

from gdl_keras.errors import GDLError, InputError
from gdl_keras.files import check_is_page

ADDRESS = "127.0.0.1"
MOST_BYTES = 100_000  # of a question
# Nothing is fetched from elsewhere, and nobody may put the page into theirs.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
QUESTIONS = ("about", "attributes", "samples", "neighbours", "point", "between")


def explore(run, port=0, open_browser=True, export=None):
    """Serves a page about a model until Ctrl-C, or writes one that needs no server.

    Args:
        run: a run's folder, a `.keras` file, or a program whose trained model comes along.
        port: int; 0 takes one that is free.
        open_browser: whether the page is opened.
        export: path that ends in .html, of the page that is to be written in place of all that.

    Raises:
        InputError: the model cannot be loaded or makes nothing, the port is taken, or the page cannot be written.
    """
    from gdl_keras.sampling import load_for_sampling

    if export is not None:
        check_is_page(export)
    model = load_for_sampling(run)

    from gdl_keras.explore.player import Player

    player = Player(model, str(run))
    if export is not None:
        from gdl_keras.explore.keeping import keep

        print(keep(player, export))
        return
    server = serve(player, port)
    print(f"{server.url}\nThis address works on this machine alone.  Ctrl-C ends it.", flush=True)
    if open_browser:
        webbrowser.open(server.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()


def serve(player, port=0):
    """A server that answers for a player once its `serve_forever` is called; its `url` holds the key to it.

    Raises:
        InputError: the port is taken, or is none.
    """
    try:
        server = ThreadingHTTPServer((ADDRESS, port), Handler)
    except (OSError, OverflowError) as error:
        raise InputError(f"Port {port} cannot be used ({error}): choose another --port.") from None
    server.daemon_threads = True
    server.player, server.turn = player, threading.Lock()
    server.token = secrets.token_urlsafe(24)
    server.url = f"http://{ADDRESS}:{server.server_port}/?token={server.token}"
    return server


class Handler(BaseHTTPRequestHandler):
    """GET / gives the page, POST /samples and so on what the player says to a JSON object of keywords."""

    def do_GET(self):
        url = urlsplit(self.path)
        if not self._may(parse_qs(url.query).get("token", [""])[0]):
            return
        if url.path != "/":
            self._answer(404, {"error": "There is no such page."})
            return
        page = files("gdl_keras.explore").joinpath("page.html").read_bytes()
        self._send(200, page, "text/html; charset=utf-8")

    def do_POST(self):
        if not self._may(self.headers.get("X-Token", "")):
            return
        question = urlsplit(self.path).path.lstrip("/")
        if question not in QUESTIONS:
            self._answer(404, {"error": f"There is no question {question!r}."})
            return
        try:
            keywords = self._keywords()
            with self.server.turn:  # a model answers one at a time
                answer = getattr(self.server.player, question)(**keywords)
            self._answer(200, answer)
        except (GDLError, TypeError, ValueError) as error:
            self._answer(400, {"error": str(error)})
        except Exception as error:
            self._answer(500, {"error": f"{type(error).__name__}: {error}"})

    def _may(self, token):
        """Whether the question comes from the page: by its key, and by a name that no other site can have."""
        known_as = {f"{name}:{self.server.server_port}" for name in (ADDRESS, "localhost")}
        if secrets.compare_digest(token.encode(), self.server.token.encode()) and self.headers.get("Host") in known_as:
            return True
        self._answer(403, {"error": "Open the whole address that gdl explore printed, its token included."})
        return False

    def _keywords(self):
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            raise InputError(f"A question has at most {MOST_BYTES} bytes.")
        keywords = json.loads(self.rfile.read(int(length)) or b"{}")
        if not isinstance(keywords, dict):
            raise InputError("A question is a JSON object.")
        return keywords

    def _answer(self, status, content):
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status, content, kind):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(content), **HEADERS}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass  # addresses hold the token
