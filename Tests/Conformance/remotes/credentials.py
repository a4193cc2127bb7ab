"""Every source of AWS credentials, in its order: only the one that should count has the keys that the server knows.

Before the S3 server that CAIRN_TEST_S3 names; STS, the container's and the instance's endpoint are played on loopback and
hand out those keys. The last line is "N of M steps …".
"""
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mixed import CAIRN, environment  # noqa: E402

ENDPOINT, BUCKET, KEY, SECRET = (os.environ.get("CAIRN_TEST_S3") or "x x x x").split()[:4]
WRONG = ("WRONGKEY", "wrong/secret")
passed = total = 0


class Endpoint(http.server.BaseHTTPRequestHandler):
    """STS, a container's agent and an instance's metadata; each asks for what the real one asks for."""
    protocol_version = "HTTP/1.1"
    asked = []

    def log_message(self, *_):
        pass

    def answer(self, status, text, kind="application/json"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        action = form.get("Action")
        Endpoint.asked.append(action)
        signed = self.headers.get("Authorization", "")
        if action == "AssumeRole" and not signed.startswith("AWS4-HMAC-SHA256 Credential=BASE/"):
            return self.answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>who?</Message></Error></ErrorResponse>", "text/xml")
        if action == "AssumeRoleWithWebIdentity" and (signed or form.get("WebIdentityToken") != "the.web.token"):
            return self.answer(400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>bad</Message></Error></ErrorResponse>", "text/xml")
        self.answer(200, f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>
          <AccessKeyId>{KEY}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>
          <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>""", "text/xml")

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        right = self.path == "/latest/api/token" and self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
        self.answer(200 if right else 400, "imds-token", "text/plain")

    def do_GET(self):
        document = json.dumps({"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Expiration": "2099-01-01T00:00:00Z"})
        Endpoint.asked.append(self.path)
        if self.path == "/container":
            return self.answer(200 if self.headers.get("Authorization") == "agent-token" else 401, document)
        if self.headers.get("X-aws-ec2-metadata-token") != "imds-token":
            return self.answer(401, "")
        if self.path == "/latest/meta-data/iam/security-credentials/":
            return self.answer(200, "the-role", "text/plain")
        self.answer(200 if self.path.endswith("/the-role") else 404, document)


class Case:
    def __init__(self, top, url):
        self.folder = os.path.join(top, str(total))
        self.env = {k: v for k, v in environment(os.path.join(self.folder, "home")).items() if not k.startswith("AWS_")}
        # Nobody listens there: what is asked in error fails at once.
        self.env.update(AWS_ENDPOINT_URL_S3=ENDPOINT, AWS_ENDPOINT_URL_STS=url, AWS_DEFAULT_REGION="us-east-1",
                        AWS_EC2_METADATA_DISABLED="true")
        self.aws = os.path.join(self.folder, "home/.aws")
        os.makedirs(self.aws)
        for argv in (["git", "init", "-q"], [CAIRN, "init", "-q"], [CAIRN, "remote", "add", "-q", "-d", "r", f"s3://{BUCKET}/credentials/{os.path.basename(top)}/{total}"]):
            subprocess.run(argv, cwd=self.folder, env=self.env, check=True)
        with open(os.path.join(self.folder, "f"), "w", encoding="utf-8") as f:
            f.write(f"{top}{total}\n")
        subprocess.run([CAIRN, "add", "-q", "f"], cwd=self.folder, env=self.env, check=True)

    def file(self, name, text):
        with open(os.path.join(self.aws, name), "w", encoding="utf-8") as f:
            f.write(text)

    def remote(self, **options):
        for name, value in options.items():
            subprocess.run([CAIRN, "remote", "modify", "--local", "r", name, value], cwd=self.folder, env=self.env, check=True)

    def push(self):
        return subprocess.run([CAIRN, "push"], cwd=self.folder, env=self.env, capture_output=True, text=True)


def keys(pair, token=None):
    return f"aws_access_key_id = {pair[0]}\naws_secret_access_key = {pair[1]}\n"


RIGHT = (KEY, SECRET)


def cases(url):
    """(what it shows, set-up, what standard error must hold when it is to fail)"""
    def env(pair):
        return {"AWS_ACCESS_KEY_ID": pair[0], "AWS_SECRET_ACCESS_KEY": pair[1]}

    def explicit(c):
        c.env.update(env(WRONG))
        c.remote(access_key_id=KEY, secret_access_key=SECRET)

    def variables(c):
        c.env.update(env(RIGHT))
        c.file("credentials", "[default]\n" + keys(WRONG))

    def shared(c):
        c.file("credentials", "[default]\n" + keys(RIGHT))
        c.file("config", "[default]\n" + keys(WRONG))

    def config(c):
        c.file("config", "[default]\n" + keys(RIGHT))

    def process_before_config(c):
        program = os.path.join(c.folder, "program")
        with open(program, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\necho '" + json.dumps({"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": SECRET}) + "'\n")
        os.chmod(program, 0o755)
        c.file("config", f"[default]\ncredential_process = {program}\n" + keys(WRONG))

    def profile_of_remote(c):
        c.env.update(env(WRONG))
        c.env["AWS_PROFILE"] = "other"
        c.file("credentials", "[mine]\n" + keys(RIGHT) + "[other]\n" + keys(WRONG))
        c.remote(profile="mine")

    def default_profile_first(c):
        c.env.update(AWS_DEFAULT_PROFILE="mine", AWS_PROFILE="other")
        c.file("credentials", "[mine]\n" + keys(RIGHT) + "[other]\n" + keys(WRONG))

    def role(c):
        c.file("config", "[profile job]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n")
        c.file("credentials", "[base]\n" + keys(("BASE", "base/secret")) + "[default]\n" + keys(WRONG))
        c.env["AWS_PROFILE"] = "job"

    def role_by_environment(c):
        c.file("config", "[profile job]\nrole_arn = arn:aws:iam::1:role/x\ncredential_source = Environment\n")
        c.env.update(env(("BASE", "base/secret")))
        c.remote(profile="job")

    def web_identity(c):
        c.file("token", "the.web.token\n")
        c.env.update(AWS_WEB_IDENTITY_TOKEN_FILE=os.path.join(c.aws, "token"), AWS_ROLE_ARN="arn:aws:iam::1:role/x")
        c.file("credentials", "[default]\n" + keys(WRONG))

    def container(c):
        c.env.update(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + "/container", AWS_CONTAINER_AUTHORIZATION_TOKEN="agent-token")

    def container_file(c):
        c.file("token", "agent-token\n")
        c.env.update(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + "/container", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=os.path.join(c.aws, "token"))

    def instance(c):
        c.env.update(AWS_EC2_METADATA_SERVICE_ENDPOINT=url, AWS_EC2_METADATA_DISABLED="false")

    def other_files(c):
        c.file("elsewhere", "[default]\n" + keys(RIGHT))
        c.file("credentials", "[default]\n" + keys(WRONG))
        c.remote(credentialpath=os.path.join(c.aws, "elsewhere"))

    def nothing(c):
        pass

    def partial(c):
        c.env["AWS_ACCESS_KEY_ID"] = KEY
        c.file("credentials", "[default]\n" + keys(RIGHT))

    def half_of_settings(c):
        c.env.update(env(RIGHT))
        c.remote(access_key_id=KEY)

    def unknown_profile(c):
        c.env["AWS_PROFILE"] = "nobody"

    def circle(c):
        c.file("config", "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n")
        c.env["AWS_PROFILE"] = "a"

    def role_refused(c):
        c.file("config", "[profile job]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\n")
        c.file("credentials", "[base]\n" + keys(WRONG))
        c.env["AWS_PROFILE"] = "job"

    def wrong(c):
        c.env.update(env((KEY, "not/the/secret")))

    def far_container(c):
        c.env.update(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://example.org/x")

    return [
        ("the remote's own settings before the environment", explicit, None),
        ("the environment before the files", variables, None),
        ("the credentials file before the config file", shared, None),
        ("the config file", config, None),
        ("a credential_process before the config file", process_before_config, None),
        ("the remote's profile switches the environment off", profile_of_remote, None),
        ("AWS_DEFAULT_PROFILE before AWS_PROFILE", default_profile_first, None),
        ("a role that another profile takes", role, None),
        ("a role that the environment's keys take", role_by_environment, None),
        ("a web identity before the files", web_identity, None),
        ("the container's agent", container, None),
        ("the container's agent, with its token in a file", container_file, None),
        ("the instance's role", instance, None),
        ("the files that the remote names", other_files, None),
        ("nothing at all", nothing, "Unable to locate credentials"),
        ("half of the environment", partial, "Partial credentials found in the environment, missing: AWS_SECRET_ACCESS_KEY"),
        ("half of the remote's own settings", half_of_settings, "Partial credentials found in the remote's settings, missing: secret_access_key"),
        ("a profile that no file has", unknown_profile, "The config profile (nobody) could not be found"),
        ("roles in a circle", circle, "lead in a circle"),
        ("a role that is refused", role_refused, "AccessDenied: who?"),
        ("a wrong secret", wrong, "(SignatureDoesNotMatch)"),
        ("an agent on another machine without TLS", far_container, "leads to another machine without TLS"),
    ]


def main():
    global passed, total
    if not os.environ.get("CAIRN_TEST_S3"):
        print("this part was not played: CAIRN_TEST_S3 names no server (Tests/Engines/s3-up.sh)")
        return 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="cairn-credentials-") as top:
        for name, prepare, words in cases(f"http://127.0.0.1:{server.server_address[1]}"):
            total += 1
            case = Case(os.path.realpath(top), f"http://127.0.0.1:{server.server_address[1]}")
            prepare(case)
            result = case.push()
            said = result.stdout + result.stderr
            right = "1 file pushed" in result.stdout if words is None else result.returncode == 1 and words in result.stderr
            if right and not any(secret in said for secret in (SECRET, WRONG[1], "base/secret", "not/the/secret", "the.web.token", "agent-token")):
                passed += 1
            else:
                print(f"FAILED {name}: {result.returncode}\n{said}")
    print(f"{passed} of {total} steps of the sources of credentials")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
