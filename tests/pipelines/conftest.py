"""A small, strict stand-in for Kubeflow Pipelines' REST API (v2beta1), on loopback.

Bodies and answers are checked against the types of kfp_server_api, KFP's own generated client: an unknown field or a
wrong type is a 400, an unknown path a 404. It proves what the client sends, nothing of what a cluster does with it.
"""

import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import kfp_server_api
import pytest

API = "/apis/v2beta1"
PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float), "datetime": str, "object": object}


class Refused(Exception):
    pass


def fits(value, kind: str, where: str) -> None:
    """Compare a JSON value with a type of kfp_server_api."""
    if inner := re.fullmatch(r"list\[(.*)\]|dict\(str, (.*)\)", kind):
        values = value if isinstance(value, list) else value.values()
        for each in values:
            fits(each, inner[1] or inner[2], where)
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]):
            raise Refused(f"{where} is {value!r}, not {kind}")
    elif hasattr(model := getattr(kfp_server_api, kind), "allowable_values"):
        fits(value, "str", where)
    else:
        types = {name: model.openapi_types[field] for field, name in model.attribute_map.items()}
        for name, each in value.items():
            if name not in types:
                raise Refused(f"{where} has no field {name!r}")
            if each is not None:
                fits(each, types[name], f"{where}.{name}")


class Kubeflow(ThreadingHTTPServer):
    """Experiments and runs, in memory; every run succeeds the second time it is asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.experiments: dict[str, dict] = {}
        self.runs: dict[str, dict] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, query: dict, body: dict | None) -> tuple[dict, str]:
        match method, path.removeprefix(API).strip("/").split("/"):
            case "GET", ["healthz"]:
                return {"multi_user": False}, "V2beta1GetHealthzResponse"
            case "GET", ["experiments"]:
                wanted = json.loads(query["filter"][0])["predicates"][0]["stringValue"]
                found = [e for e in self.experiments.values() if e["display_name"] == wanted]
                return {"experiments": found}, "V2beta1ListExperimentsResponse"
            case "POST", ["experiments"]:
                fits(body, "V2beta1Experiment", "experiment")
                made = {**(body or {}), "experiment_id": str(uuid.uuid4())}
                self.experiments[made["experiment_id"]] = made
                return made, "V2beta1Experiment"
            case "POST", ["runs"]:
                return self._start({**(body or {})}), "V2beta1Run"
            case "GET", ["runs", run] if run in self.runs:
                kept = self.runs[run]
                kept["state"] = {"PENDING": "RUNNING"}.get(kept["state"], "SUCCEEDED")
                return kept, "V2beta1Run"
        raise LookupError(f"{method} {path}")

    def _start(self, run: dict) -> dict:
        from pipelines.intermediate import check

        fits(run, "V2beta1Run", "run")
        spec = run["pipeline_spec"]
        check([spec["pipeline_spec"], spec["platform_spec"]] if "pipeline_spec" in spec else [spec])
        inputs = spec.get("pipeline_spec", spec)["root"].get("inputDefinitions", {}).get("parameters", {})
        given = run.get("runtime_config", {}).get("parameters", {})
        if unknown := set(given) - set(inputs):
            raise Refused(f"unknown parameters {unknown}")
        if missing := {n for n, p in inputs.items() if not p.get("isOptional") and n not in given}:
            raise Refused(f"missing parameters {missing}")
        run |= {"run_id": str(uuid.uuid4()), "state": "PENDING"}
        self.runs[run["run_id"]] = run
        return run


class Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        asked = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            assert isinstance(self.server, Kubeflow)
            told, kind = self.server.answer(
                self.command, asked.path, parse_qs(asked.query), json.loads(body or b"null")
            )
            fits(told, kind, "answer")
            code = 200
        except LookupError as error:
            code, told = 404, {"message": str(error)}
        except Exception as error:  # whatever is wrong with a request is the requester's fault here
            code, told = 400, {"message": f"{type(error).__name__}: {error}"}
        sent = json.dumps(told).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_GET  # noqa: N815


@pytest.fixture
def kubeflow():
    server = Kubeflow()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
