"""OpenLineage events while stages run: a collector that takes them, that is away, slow, or refuses one. Played by check.py."""
import http.server
import json
import os
import signal
import subprocess
import tempfile
import threading
import time


class Collector:
    """Takes events, or does what its `mood` says."""

    def __init__(self):
        self.events, self.requests, self.mood, self.lock = [], 0, "takes", threading.Lock()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector.lock:
                    collector.requests += 1
                if not body:
                    return  # whoever sent it has ended
                mood, event = collector.mood, json.loads(body)
                status = 201
                if mood == "fails":
                    status = 500
                elif mood == "sleeps":
                    time.sleep(60)
                    return  # by then, nobody waits for it
                elif mood == "refuses" and event["eventType"] == "START" and event["job"]["name"] == "train@b":
                    status = 422
                elif self.path != "/api/v1/lineage" or self.headers.get("Authorization") != "Bearer the key":
                    status = 401
                if status == 201:
                    with collector.lock:
                        collector.events.append(event)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self):
        with self.lock:
            events, self.events = self.events, []
            self.requests = 0
        return events


def overtaking(events):
    """A consumer that begins before the end of what makes its input: a reader would link it to an older run."""
    found, opened = [], {}
    for number, event in enumerate(events, 1):
        run = event["run"]["runId"]
        if event["eventType"] != "START":
            opened.pop(run, None)
            continue
        read = {(one["namespace"], one["name"]) for one in event["inputs"]}
        for name, made in opened.values():
            if read & made:
                found.append(f"event {number}: {event['job']['name']} begins before {name} ends")
        if event["inputs"]:
            opened[run] = (event["job"]["name"], {(one["namespace"], one["name"]) for one in event["outputs"]})
    return found


def wrong(events, open_lineage, kinds, whole=True):
    """What is wrong with what came; `kinds`: how many of each type."""
    found = open_lineage("\n".join(map(json.dumps, events))).splitlines() if whole else []
    found += overtaking(events)
    counted = {kind: sum(event["eventType"] == kind for event in events) for kind in ("START", "COMPLETE", "FAIL", "ABORT")}
    if counted != {**dict.fromkeys(counted, 0), **kinds}:
        found.append(f"{counted}")
    return "\n".join(found)


def play(step, open_lineage, make):
    with tempfile.TemporaryDirectory(prefix="cairn-live-") as folder:
        project, collector = make(os.path.realpath(folder)), Collector()
        project.environment.update(OPENLINEAGE_URL=collector.url, OPENLINEAGE_API_KEY="the key")
        repro = ("repro", "-q", "-f", "-k", "-j", "2")

        def left():
            shown = json.loads(project.run(project.program, "track", "status", "--json", status=None))
            return [event["event"] for event in shown["events"]]

        project.cairn(*repro, status=255)
        # prepare, train@a, train@b, evaluate and fails, below repro.
        whole = {"START": 6, "COMPLETE": 4, "FAIL": 2}
        step("live: all events, in their order", wrong(collector.take(), open_lineage, whole))
        step("live: nothing is left", left() and f"{left()}")
        project.cairn("repro", "-q", "train@a")
        step("live: nothing ran, nothing is told", f"{collector.take() or ''}")

        collector.mood = "sleeps"
        began = time.monotonic()
        project.cairn("repro", "-q", "-f", "-s", "prepare")
        took = time.monotonic() - began
        step("live: a collector that is silent holds nobody for long", f"{took:.1f} s" if took > 15 else "")
        collector.mood = "fails"
        project.cairn(*repro, status=255)
        step("live: what did not arrive waits", "" if len(left()) == 4 + 12 else f"{left()}")
        project.cairn("track", "sync", status=1)
        collector.take()
        collector.mood = "takes"
        project.cairn("track", "sync")
        step("live: and is sent later, in its order",
             wrong(collector.take(), open_lineage, {"START": 8, "COMPLETE": 6, "FAIL": 2}) or f"{left() or ''}")

        collector.mood = "refuses"
        project.cairn(*repro, status=255)
        step("live: one that is refused holds up no other",
             wrong(collector.take(), open_lineage, {**whole, "START": 5}, whole=False) or ("" if left() == ["START of train@b"] else f"{left()}"))
        project.cairn("track", "sync", status=1)
        collector.mood = "takes"
        project.cairn("track", "sync")
        step("live: and goes when it is taken", "" if len(collector.take()) == 1 and not left() else f"{left()}")

        project.write("dvc.yaml", "stages:\n  long:\n    cmd: sleep 60\n    deps: [numbers.csv]\n    outs: [out]\n")
        running = subprocess.Popen([project.program, "repro", "-q"], cwd=project.folder, env=project.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if len(collector.events) == 2:
                break
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
        running.wait()
        project.write("dvc.yaml", "stages:\n  long:\n    cmd: echo > out\n    deps: [numbers.csv]\n    outs: [out]\n")
        project.cairn("repro", "-q")
        events = collector.take()
        lost = [event for event in events if event["eventType"] == "ABORT"]
        step("live: of one that was killed the end is told", "" if len(lost) == 2 and not left() else f"{[e['eventType'] for e in events]} {left()}")
        project.environment["OPENLINEAGE_DISABLED"] = "true"
        project.cairn("repro", "-q", "-f")
        step("live: turned off", f"{collector.take() or left() or ''}")
        collector.server.shutdown()
