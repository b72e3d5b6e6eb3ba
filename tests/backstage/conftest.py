"""A real S3 API (moto, in this process), and a way to spoil its answers."""

import os
import threading

import pytest

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


class BadDays:
    """Stands before the store and spoils the answers it was told to: "503", "403" or "cut"."""

    def __init__(self, store) -> None:
        self.store, self.coming, self.gets = store, [], 0

    def __call__(self, environ, start_response):
        self.gets += environ["REQUEST_METHOD"] == "GET"
        trouble = self.coming.pop(0) if self.coming and environ["REQUEST_METHOD"] == "GET" else None
        if trouble in ("503", "403"):
            code = {"503": "SlowDown", "403": "SignatureDoesNotMatch"}[trouble]
            start_response(f"{trouble} {code}", [("Content-Type", "application/xml")])
            return [f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()]
        answer = self.store(environ, start_response)
        return [b"".join(answer)[:3]] if trouble == "cut" else answer


@pytest.fixture(scope="module")
def s3():
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_):
            pass

    days = BadDays(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, days, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
        import boto3

        boto3.client("s3").create_bucket(Bucket="grooves")
        yield days
    server.shutdown()
    thread.join()
    server.server_close()
