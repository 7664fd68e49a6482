"""Small servers on 127.0.0.1 that stand for Kaggle and for a site with files."""

import base64
import hashlib
import http.server
import json
import threading
from contextlib import contextmanager


@contextmanager
def serving(handler):
    """Yields the address of a server that runs in a thread."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, content, status=200, **headers):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)


def kaggle(archive, status=200, token="token-1234", user="reader", key="key-5678", cuts=0):
    """A handler class like Kaggle's programming interface and the storage that it redirects to.

    Attributes of the class: `requests`, pairs (path, Range header); `cuts`, how many downloads still break off.
    """
    etag = f'"{hashlib.sha256(archive).hexdigest()}"'
    basic = "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()

    class Kaggle(_Quiet):
        requests = []

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            self.requests.append((self.path, None))
            if self.path.endswith("IntrospectToken"):
                known = body.get("token") == token
                self.json({"active": known, "username": user if known else ""})
            elif self.headers.get("Authorization") not in (basic, f"Bearer {token}"):
                self.json({"code": 401, "message": "Unauthenticated"}, 401)
            elif status != 200:
                self.json({"code": status, "message": "no"}, status)
            else:
                address = f"http://127.0.0.1:{self.server.server_port}/storage/archive.zip?signature=secret-9"
                self.answer(b"", 302, Location=address)

        def do_GET(self):
            asked = self.headers.get("Range")
            self.requests.append((self.path, asked))
            start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(archive) - 1}/{len(archive)}")
            self.send_header("Content-Type", "application/zip")
            self.send_header("Content-Length", str(len(archive) - start))
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", "Tue, 01 Jan 2019 00:00:00 GMT")
            self.end_headers()
            if Kaggle.cuts > 0:
                Kaggle.cuts -= 1
                self.wfile.write(archive[start : start + (len(archive) - start) // 2])
                self.close_connection = True
            else:
                self.wfile.write(archive[start:])

        def json(self, content, status=200):
            self.answer(json.dumps(content).encode(), status, Content_Type="application/json")

    Kaggle.cuts = cuts
    return Kaggle


def site(files, status=200, missing_bytes=0):
    """A handler class that serves `files`, contents by path; with `missing_bytes`, breaks off before the end."""

    class Site(_Quiet):
        requests = []

        def do_GET(self):
            self.requests.append(self.path)
            content = files.get(self.path)
            if content is None or status != 200:
                self.answer(b"<html>no such page</html>", 404 if status == 200 else status)
            elif missing_bytes:
                self.answer(content[:-missing_bytes], Content_Length=str(len(content)))
            else:
                self.answer(content)

    return Site
