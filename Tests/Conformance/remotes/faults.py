"""Push and pull through a proxy that breaks what it carries, and killed in the middle: nothing is lost, nothing false.

Before the S3 server that CAIRN_TEST_S3 names. The last line is "N of M steps …".
"""
import hashlib
import http.client
import http.server
import os
import random
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mixed  # noqa: E402
from mixed import CAIRN, Clone, environment, step  # noqa: E402


class Proxy(http.server.ThreadingHTTPServer):
    """Carries requests to the server. `fault(method, path)` names what happens to one, or nothing."""
    daemon_threads = True

    def __init__(self, target, port=0):
        self.target = target
        self.fault = lambda method, path: None
        self.broken = 0
        # Bodies of more bytes are refused.
        self.large = None
        # What `Authorization` must be.
        self.wanted = None
        self.scheme = "http"
        self.seen = []
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass


def wrap_in_tls(proxy):
    """Its address is `https` from here on; gives the certificate, which is its own authority."""
    folder = tempfile.mkdtemp(prefix="cairn-tls-")
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "ca.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate,
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
    proxy.scheme = "https"
    return certificate


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def carry(self):
        fault = self.server.fault(self.command, self.path)
        if fault:
            self.server.broken += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(dict(self.headers))
        if self.server.wanted and self.headers.get("Authorization") != self.server.wanted:
            self.answer(401, [("WWW-Authenticate", 'Basic realm="mlflow"')], b"You are not authenticated.")
            return
        if fault == "reset":
            self.close_connection = True
            self.connection.close()
            return
        if fault == "stall":
            time.sleep(20)
            return
        if fault == "413" or self.server.large and "log-batch" in self.path and len(body) > self.server.large:
            self.answer(413, [], b"<html>Request Entity Too Large</html>")
            return
        if fault in ("401", "page"):
            # A proxy's page, also where it says that all is well.
            self.answer(200 if fault == "page" else 401, [], b"<html><body>Please sign in</body></html>")
            return
        if fault in ("503", "500", "html"):
            text = {"503": b"<Error><Code>SlowDown</Code><Message>less</Message></Error>", "500": b"",
                    "html": b"<html><body>Bad Gateway</body></html>"}[fault]
            self.answer(502 if fault == "html" else int(fault), [], b"" if self.command == "HEAD" else text)
            return
        upstream = http.client.HTTPConnection(self.server.target, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        answer = upstream.getresponse()
        content = answer.read()
        headers = [(k, v) for k, v in answer.getheaders() if k.lower() not in ("content-length", "connection", "transfer-encoding")]
        if fault == "lost":
            self.close_connection = True
            self.connection.close()
            return
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        if fault == "alter" and content:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if fault == "truncate" and len(content) > 1:
            self.answer(answer.status, headers, content[:len(content) // 2], length=str(len(content)))
            self.close_connection = True
            self.connection.close()
            return
        self.answer(answer.status, headers, content, length)

    def answer(self, status, headers, content, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = carry


class Case:
    def __init__(self, proxy, files=60, size=2000):
        self.proxy = proxy
        proxy.fault = lambda method, path: None
        self.top = tempfile.TemporaryDirectory(prefix="cairn-faults-")
        folder = os.path.realpath(self.top.name)
        env = environment(os.path.join(folder, "home"))
        env["AWS_ENDPOINT_URL"] = proxy.url
        self.one = Clone(os.path.join(folder, "one"), CAIRN, env)
        os.makedirs(self.one.folder)
        self.one.git("init", "-q")
        self.one.run("init", "-q")
        rng = random.Random(1)
        for number in range(files):
            self.one.write(f"d/{number}", "".join(rng.choices("abc", k=size)))
        self.one.run("add", "-q", "d")
        bucket = os.environ["CAIRN_TEST_S3"].split()[1]
        self.one.run("remote", "add", "-q", "-d", "r", f"s3://{bucket}/faults/{os.path.basename(folder)}")
        self.one.run("remote", "modify", "-q", "r", "read_timeout", "5")
        self.one.commit()

    def attempt(self, clone, *words):
        return subprocess.run([CAIRN, *words], cwd=clone.folder, env=clone.env, capture_output=True, text=True)

    def whole(self, clone):
        """All objects of its cache are what their names say, and none is partial under a final name."""
        top = os.path.join(clone.folder, ".dvc/cache/files/md5")
        for folder, _, names in os.walk(top):
            for name in names:
                if len(name.split(".")[0]) != 30:
                    continue
                with open(os.path.join(folder, name), "rb") as f:
                    digest = hashlib.md5(f.read()).hexdigest()
                assert digest == os.path.basename(folder) + name.split(".")[0], f"{folder}/{name} is damaged"


def now_and_then(every, what, methods=("GET", "PUT", "HEAD", "POST")):
    count = [0]
    lock = threading.Lock()

    def fault(method, _):
        with lock:
            if method in methods:
                count[0] += 1
            return what if method in methods and count[0] % every == 0 else None
    return fault


def transient(proxy):
    for what in ("503", "500", "reset", "html", "truncate"):
        def body():
            case = Case(proxy)
            proxy.broken = 0
            proxy.fault = now_and_then(5, what)
            result = case.attempt(case.one, "push")
            assert result.returncode == 0 and "61 files pushed" in result.stdout, result
            two = case.one.clone("two", CAIRN)
            result = case.attempt(two, "pull")
            assert result.returncode == 0, result
            assert two.tree("d") == case.one.tree("d") and proxy.broken > 10, proxy.broken
            case.whole(two)
        step(f"now and then '{what}': all goes and comes all the same", body)


def restarted(proxy):
    """Away for three seconds, which no single request would wait for."""
    def body():
        front = Proxy(proxy.target)
        case = Case(front, files=300)

        def goes_away(front):
            lock = threading.Lock()
            count = [0]

            def away():
                front.shutdown()
                front.server_close()
                time.sleep(3)
                Proxy(proxy.target, front.server_address[1])

            def fault(*_):
                with lock:
                    count[0] += 1
                    if count[0] == 60:
                        threading.Thread(target=away, daemon=True).start()
                    return "reset" if count[0] >= 60 else None
            return fault

        front.fault = goes_away(front)
        began = time.monotonic()
        result = case.attempt(case.one, "push")
        assert result.returncode == 0 and "301 files pushed" in result.stdout, result
        assert time.monotonic() - began > 2.5
        two = case.one.clone("two", CAIRN)
        front = Proxy(proxy.target)
        front.fault = goes_away(front)
        two.env["AWS_ENDPOINT_URL"] = front.url
        result = case.attempt(two, "pull")
        assert result.returncode == 0 and two.tree("d") == case.one.tree("d"), result
        case.whole(two)
    step("a server that is restarted in the middle of push and pull: both go on where it is back", body)


def altered(proxy):
    def body():
        case = Case(proxy)
        case.one.run("push")
        two = case.one.clone("two", CAIRN)
        proxy.fault = now_and_then(7, "alter", ("GET",))
        result = case.attempt(two, "pull")
        assert result.returncode == 1 and "has other bytes than its name says" in result.stderr, result
        case.whole(two)
        proxy.fault = lambda method, path: None
        two.run("pull")
        assert two.tree("d") == case.one.tree("d")
    step("an altered download gets into no cache, and the next try goes on", body)


def down(proxy):
    def body():
        case = Case(proxy, files=5)
        proxy.fault = lambda method, path: "500"
        began = time.monotonic()
        result = case.attempt(case.one, "push")
        assert result.returncode == 1 and "(500)" in result.stderr, result
        assert time.monotonic() - began < 60
        secret = os.environ["CAIRN_TEST_S3"].split()[3]
        assert secret not in result.stdout + result.stderr
    step("a server that always fails ends the push, with its words", body)


def killed(proxy):
    def body():
        case = Case(proxy, files=400, size=20000)
        for seconds in (0.2, 0.4, 0.6, 0.9):
            process = subprocess.Popen([CAIRN, "push", "-j", "4"], cwd=case.one.folder, env=case.one.env,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
            process.wait()
        two = case.one.clone("two", CAIRN)
        # Of what is there nothing is promised that is not: a folder's list comes last.
        case.attempt(two, "fetch")
        case.whole(two)
        case.one.run("push")
        for seconds in (0.2, 0.4, 0.6):
            process = subprocess.Popen([CAIRN, "fetch", "-j", "4"], cwd=two.folder, env=two.env,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
            process.wait()
            case.whole(two)
        two.run("pull")
        assert two.tree("d") == case.one.tree("d")
    step("kill -9 in the middle of push and fetch: what is there is whole, and the next one goes on", body)


def goes_on(proxy):
    """What a killed fetch had of a large object is asked for no more; where it is damaged, all comes anew."""
    def body():
        case = Case(proxy, files=1)
        case.one.write("big", "".join(random.Random(2).choices("abcdefgh", k=12 << 20)))
        case.one.run("add", "-q", "big")
        case.one.run("push")
        case.one.commit()
        for damage in (False, True):
            two = case.one.clone(f"two{damage}", CAIRN)
            count = [0]

            def fault(method, path):
                if method != "GET" or "list-type" in path or "/files/md5/" not in path:
                    return None
                count[0] += 1
                return "truncate" if count[0] <= 2 else "stall"
            proxy.fault = fault
            process = subprocess.Popen([CAIRN, "fetch", "-j", "1", "big.dvc"], cwd=two.folder, env=two.env,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while count[0] < 3:
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            process.wait()
            parts = left(two)
            assert len(parts) == 1 and os.path.getsize(parts[0]) > 1 << 20, parts
            if damage:
                os.chmod(parts[0], 0o644)
                with open(parts[0], "r+b") as f:
                    f.write(b"z")
            proxy.fault = lambda method, path: None
            proxy.seen.clear()
            two.run("pull")
            ranges = [headers["Range"] for headers in proxy.seen if "Range" in headers]
            assert ranges and ranges[0] != "bytes=0-", ranges
            with open(os.path.join(two.folder, "big"), "rb") as a, open(os.path.join(case.one.folder, "big"), "rb") as b:
                assert a.read() == b.read()
            case.whole(two)
            assert left(two) == []
    step("a fetch that was killed goes on where it stopped", body)


def left(clone):
    top = os.path.join(clone.folder, ".dvc/cache")
    return [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names if name.startswith(".cairn-")]


def twice(proxy):
    def body():
        case = Case(proxy, files=1)
        case.one.write("big", "".join(random.Random(3).choices("abcdefgh", k=1 << 20)) * 70)
        case.one.run("add", "-q", "big")
        case.one.commit()
        two = case.one.clone("two", CAIRN)
        shutil.copytree(os.path.join(case.one.folder, ".dvc/cache"), os.path.join(two.folder, ".dvc/cache"))
        pushes = [subprocess.Popen([CAIRN, "push"], cwd=clone.folder, env=clone.env, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True) for clone in (case.one, two)]
        said = [process.communicate()[0] for process in pushes]
        assert [process.returncode for process in pushes] == [0, 0], said
        assert "in sync" in case.one.run("status", "-c")
    step("two clones push the same large file at once", body)


def portal(proxy):
    def body():
        case = Case(proxy, files=3)
        proxy.fault = lambda method, path: "page" if method == "PUT" else None
        result = case.attempt(case.one, "push")
        assert result.returncode == 1 and "no answer of S3" in result.stderr, result
        proxy.fault = lambda method, path: None
        case.one.write("f", "f")
        case.one.run("add", "-q", "f")
        case.one.run("push")
        shutil.rmtree(os.path.join(case.one.folder, ".dvc/cache"))
        os.remove(os.path.join(case.one.folder, "f"))
        case.one.run("remote", "modify", "-q", "r", "url", "s3://no-such-bucket/x")
        result = case.attempt(case.one, "verify", "--data", "f.dvc")
        assert result.returncode == 2 and "does not exist" in result.stdout + result.stderr, result
    step("who answers 200 to anything has taken nothing, and a bucket that is not there lacks no single object", body)


def beside(proxy):
    def body():
        case = Case(proxy, files=200)
        other = case.one.clone("other", CAIRN)
        subprocess.run(["cp", "-r", os.path.join(case.one.folder, ".dvc/cache"), os.path.join(other.folder, ".dvc/")], check=True)
        processes = [subprocess.Popen([CAIRN, "push"], cwd=c.folder, env=c.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                     for c in (case.one, other)]
        for process in processes:
            out, err = process.communicate()
            assert process.returncode == 0, out + err
        two = case.one.clone("two", CAIRN)
        two.run("pull")
        assert two.tree("d") == case.one.tree("d")
    step("two pushes of the same at once do each other no harm", body)


def trusted(_):
    def body():
        front = Proxy(os.environ["CAIRN_TEST_S3"].split()[0].removeprefix("http://"))
        certificate = wrap_in_tls(front)
        case = Case(front, files=5)
        result = case.attempt(case.one, "push")
        assert result.returncode == 1 and "cannot be trusted" in result.stderr and "ssl_verify" in result.stderr, result
        for name, value in (("AWS_CA_BUNDLE", certificate), (None, None)):
            if name:
                case.one.env[name] = value
            else:
                case.one.env.pop("AWS_CA_BUNDLE")
                case.one.run("remote", "modify", "-q", "r", "ssl_verify", certificate)
            case.one.run("push")
            assert "in sync" in case.one.run("status", "-c")
        case.one.run("remote", "modify", "-q", "r", "ssl_verify", "false")
        assert "in sync" in case.one.run("status", "-c")
    step("TLS: only who is trusted gets anything", body)


def main():
    if not os.environ.get("CAIRN_TEST_S3"):
        print("this part was not played: CAIRN_TEST_S3 names no server (Tests/Engines/s3-up.sh)")
        return 0
    proxy = Proxy(os.environ["CAIRN_TEST_S3"].split()[0].removeprefix("http://"))
    for part in (transient, restarted, altered, down, killed, goes_on, twice, portal, beside, trusted):
        part(proxy)
    print(f"{mixed.passed} of {mixed.total} steps with a remote that fails")
    return mixed.passed != mixed.total


if __name__ == "__main__":
    sys.exit(main())
