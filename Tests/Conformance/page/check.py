#!/usr/bin/env python3
"""Opens `cairn lineage --html` in Chromium: is it whole without its script, does it fetch nothing, can it be used?

    check.py [FOLDER]   the packages of requirements.txt are at hand; screenshots and a PDF go into FOLDER, if one is
                        named; the last line is "N of M checks of the lineage page"

The browser is `chromium` of the PATH, or what CAIRN_CHROMIUM names. Pages of some 20 and some 500 boxes are made by the
program in CAIRN_BIN from repositories that it ran; file names in them are hostile.
"""
import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

import pypdf
import websocket

CAIRN = os.environ["CAIRN_BIN"]
SHOTS = sys.argv[1] if len(sys.argv) > 1 else None
WICKED = "a'\"><script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">\u202egnp.csv"

passed = total = 0


def step(what, wrong):
    """Counts a step; `wrong` says what went wrong, and is empty where nothing did."""
    global passed, total
    total += 1
    passed += not wrong
    print(f"{'FAILED ' if wrong else 'ok     '} {what}", flush=True)
    for line in str(wrong or "").splitlines():
        print(f"        {line}", flush=True)


def same(got, want):
    return "" if got == want else f"{got!r} instead of {want!r}"


class Browser:
    """Chromium without a window, spoken to by its debugging protocol."""

    def __init__(self, folder):
        self.home = os.path.join(folder, "browser")
        program = os.environ.get("CAIRN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--disable-dev-shm-usage", "--remote-debugging-port=0", "--remote-allow-origins=*",
             f"--user-data-dir={self.home}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = os.path.join(self.home, "DevToolsActivePort")
        for _ in range(300):
            if os.path.exists(port_file) and open(port_file).read().strip():
                break
            time.sleep(0.1)
        self.port = int(open(port_file).read().split()[0])

    def page(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        return Page(json.load(urllib.request.urlopen(request))["webSocketDebuggerUrl"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


class Page:
    def __init__(self, url):
        self.socket = websocket.create_connection(url, timeout=60, max_size=None, suppress_origin=True)
        self.number = 0
        self.events = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.do(domain + ".enable")

    def do(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, fragment="", width=1280, height=900, dark=False, script=True):
        self.do("Emulation.setScriptExecutionDisabled", value=not script)
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.do("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        # Another address first: one that differs behind the # alone would not be loaded anew.
        self.load("about:blank")
        return self.load("file://" + urllib.request.pathname2url(path) + fragment)

    def load(self, url):
        self.events = []
        started = time.time()
        self.do("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self.socket.recv()))
        return time.time() - started

    def value(self, expression):
        result = self.do("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def noise(self):
        """Requests but that of the page itself, and complaints of the browser."""
        requests = [event["params"]["request"]["url"] for event in self.events
                    if event.get("method") == "Network.requestWillBeSent"]
        complaints = [json.dumps(event["params"])[:300] for event in self.events
                      if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")]
        return "\n".join(requests[1:] + complaints)

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                    windowsVirtualKeyCode={"Tab": 9, "ArrowRight": 39, "Enter": 13}.get(key, 0))

    def shot(self, name, whole=False):
        if SHOTS:
            data = self.do("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
            with open(os.path.join(SHOTS, name + ".png"), "wb") as file:
                file.write(base64.b64decode(data))

    def pdf(self, name):
        data = base64.b64decode(self.do("Page.printToPDF", preferCSSPageSize=True)["data"])
        if SHOTS:
            with open(os.path.join(SHOTS, name + ".pdf"), "wb") as file:
                file.write(data)
        return pypdf.PdfReader(io.BytesIO(data))


class Project:
    def __init__(self, folder):
        os.mkdir(folder)
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "CAIRN_", "DVC_"))}
        self.environment.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", HOME=folder, LC_ALL="C.UTF-8")
        for role in ("AUTHOR", "COMMITTER"):
            self.environment[f"GIT_{role}_NAME"], self.environment[f"GIT_{role}_EMAIL"] = "Ann", "ann@example.org"
        self.run("git", "init", "-q")
        self.run("git", "remote", "add", "origin", "https://ann:s3cret@git.example.org/team/churn.git")
        self.run(CAIRN, "init", "-q")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *words):
        done = subprocess.run(words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            sys.exit(f"ERROR: {words}: {done.returncode}\n{(done.stdout + done.stderr).decode(errors='replace')}")
        return done.stdout.decode()

    def page(self, *words):
        path = os.path.join(self.folder, "lineage.html")
        started = time.time()
        self.run(CAIRN, "lineage", *words, "--html", path)
        return path, time.time() - started, json.loads(self.run(CAIRN, "lineage", *words, "--json"))


def small(folder):
    """Some 20 boxes: a pipeline as people have it, with one input of which nobody knows the origin, and a wicked name."""
    project = Project(folder)
    for name in ["prepare", "features", "train", "evaluate", "report"]:
        project.write(f"src/{name}.py", f"# {name}\n")
    project.write("data/raw.csv", "id,churned\n" * 2000)
    project.write("data/regions.csv", "id,region\n" * 50)
    project.write(WICKED.replace("/", "\u2215"), "1\n")
    project.write("notes.txt", "by hand\n")
    project.write("params.yaml", "prepare: {seed: 7}\ntrain: {lr: 0.01, depth: 6, layers: [64, 32]}\n")
    odd = json.dumps(WICKED.replace("/", "\u2215"))
    project.write("dvc.yaml", f"""
stages:
  prepare:
    cmd: cat data/raw.csv data/regions.csv > data/clean.csv
    deps: [data/raw.csv, data/regions.csv, src/prepare.py, notes.txt]
    params: [prepare.seed]
    outs: [data/clean.csv]
  features:
    cmd: mkdir -p features && head -100 data/clean.csv > features/train.parquet && tail -100 data/clean.csv > features/test.parquet
    deps: [data/clean.csv, src/features.py, {odd}]
    outs: [features/train.parquet, features/test.parquet]
  train:
    cmd: cat features/train.parquet > models/model.pkl && echo "epoch 1 loss 0.3"
    deps: [features/train.parquet, src/train.py]
    params: [train]
    outs: [models/model.pkl: {{type: model}}]
  evaluate:
    cmd: 'echo "{{\\"auc\\": 0.931, \\"recall\\": 0.8}}" > metrics.json; cat models/model.pkl > scores.csv'
    deps: [models/model.pkl, features/test.parquet, src/evaluate.py]
    metrics: [metrics.json]
    outs: [scores.csv]
  report:
    cmd: cat scores.csv > report.html
    deps: [scores.csv, metrics.json, src/report.py]
    outs: [report.html]
""")
    project.write("models/.gitkeep", "")
    project.run(CAIRN, "add", "-q", "data/raw.csv")
    project.write(".gitignore", "/notes.txt\n")
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "work")
    project.run(CAIRN, "repro")
    return project


def large(folder):
    """Some 500 boxes: 71 shards through three stages each, then one model."""
    project = Project(folder)
    shards = list(range(71))
    stages = [("clean", "raw", "clean"), ("encode", "clean", "encoded"), ("embed", "encoded", "vectors")]
    text = "stages:\n"
    for stage, before, after in stages:
        project.write(f"src/{stage}.py", f"# {stage}\n")
        text += f"""
  {stage}:
    foreach: {shards}
    do:
      cmd: cat {before}/part-${{item}}.csv > {after}/part-${{item}}.csv; echo {stage} >> {after}/part-${{item}}.csv
      deps: ['{before}/part-${{item}}.csv', src/{stage}.py]
      outs: ['{after}/part-${{item}}.csv']
"""
        project.write(f"{after}/.gitkeep", "")
    for shard in shards:
        project.write(f"raw/part-{shard}.csv", f"row {shard}\n" * 10)
    inputs = ", ".join(f"vectors/part-{shard}.csv" for shard in shards)
    text += f"""
  train:
    cmd: cat vectors/*.csv > model.bin
    deps: [{inputs}, src/train.py]
    outs: [model.bin]
"""
    project.write("src/train.py", "# train\n")
    project.write("dvc.yaml", text)
    project.run("git", "add", "-A")
    project.run("git", "commit", "-q", "-m", "work")
    project.run(CAIRN, "repro", "-j", "2")
    return project


def boxes(graph):
    drawn = [node for node in graph["nodes"] if node["type"] != "commit"]
    return len(drawn) + len(graph["unknown"])


def visible(page):
    return page.value("[...document.querySelectorAll('.n')].filter(n => !n.classList.contains('off') && !n.classList.contains('dim')).length")


def look(browser, name, made):
    """What must hold of any page."""
    path, seconds, graph = made
    page = browser.page()
    took = page.open(path)
    print(f"        {name}: {boxes(graph)} boxes, {os.path.getsize(path) // 1000} kB, written in {seconds:.2f} s, open in {took:.2f} s")
    step(f"{name}: nothing is fetched, and the browser complains of nothing", page.noise())
    step(f"{name}: no name became markup", same(page.value("document.title.includes('pwned') && !document.title.startsWith('Lineage')"), False)
         or same(page.value("document.scripts.length + document.images.length"), 1))
    step(f"{name}: every box is drawn", same(page.value("document.querySelectorAll('.n').length"), boxes(graph)))
    step(f"{name}: every arrow is drawn", same(
        page.value("document.querySelectorAll('.e:not(.unknown)').length"),
        sum(1 for edge in graph["edges"] if not edge["from"].startswith("c:"))))
    overlap = """(() => { const r = [...document.querySelectorAll('.n rect')].map(e => e.getBBox()); let n = 0;
        for (let i = 0; i < r.length; i++) for (let j = 0; j < i; j++)
          if (r[i].x < r[j].x + r[j].width && r[j].x < r[i].x + r[i].width && r[i].y < r[j].y + r[j].height && r[j].y < r[i].y + r[i].height) n++;
        return n })()"""
    step(f"{name}: no box lies over another", same(page.value(overlap), 0))
    cut = """[...document.querySelectorAll('.n')].filter(n => { const r = n.querySelector('rect').getBBox();
        return [...n.querySelectorAll('text')].some(t => { const b = t.getBBox(); return b.x + b.width > r.x + r.width }) }).length"""
    step(f"{name}: no text leaves its box", same(page.value(cut), 0))
    step(f"{name}: at first the subject is to be seen, at a size that can be read", page.value("""(() => {
        const v = document.getElementById('view').getBoundingClientRect(), r = document.querySelector('.n.root rect').getBoundingClientRect();
        return r.left >= v.left && r.right <= v.right && r.top >= v.top && r.bottom <= v.bottom && r.height >= 24 ? '' : JSON.stringify([v, r]) })()"""))
    page.shot(name)
    page.open(path, dark=True)
    step(f"{name}: dark where that is wished", same(page.value("getComputedStyle(document.documentElement).backgroundColor"), "rgb(18, 23, 30)"))
    page.shot(name + "-dark")
    contrast(page, name + ", dark")
    page.open(path)
    contrast(page, name + ", light")

    page.open(path, script=False)
    rows = page.do("Runtime.evaluate", expression="1")  # the protocol still answers
    document = page.do("DOM.getDocument", depth=0)["root"]["nodeId"]
    text = page.do("DOM.getOuterHTML", nodeId=document)["outerHTML"]
    missing = [node["id"] for node in graph["nodes"] if node["id"][2:][:64] not in text and node["type"] != "external"]
    missing += [node["md5"] for node in graph["nodes"] if node.get("md5") and node["md5"] not in text]
    step(f"{name}: whole without the script", "\n".join(missing[:5]) or ("" if rows and 'class="js"' not in text else "the script ran"))
    page.shot(name + "-no-script")

    pdf = page_pdf = None
    page.open(path)
    pdf = page.pdf(name)
    page_pdf = "".join(one.extract_text() for one in pdf.pages)
    squeezed = "".join(page_pdf.split())
    runs = [node["id"][2:] for node in graph["nodes"] if node["type"] == "run"]
    step(f"{name}: printed, with every run ({len(pdf.pages)} pages)",
         "\n".join(run for run in runs if run not in squeezed)[:400])
    return page


CONTRAST = """(() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m };
  const light = c => { const f = v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 };
    return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]) };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
  const bad = new Set();
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length || e.closest('script,style,title,desc')) continue;
    let back, svg = e.closest('.n');
    if (svg) back = parse(getComputedStyle(svg.querySelector('rect')).fill);
    else for (let p = e; p && !back; p = p.parentElement) back = parse(getComputedStyle(p).backgroundColor);
    const front = parse(svg ? getComputedStyle(e).fill : getComputedStyle(e).color);
    const r = ratio(front, back || [255, 255, 255]);
    if (r < 4.5) bad.add(`${e.tagName}.${e.getAttribute('class')} ${r.toFixed(2)} ${e.textContent.slice(0, 30)}`);
  }
  return [...bad].slice(0, 8).join('\\n') })()"""


def contrast(page, name):
    step(f"{name}: every text has a contrast of 4.5 to 1", page.value(CONTRAST))


def use(page, path, graph):
    """Search, kinds, zoom, keyboard."""
    page.open(path, "#q=train")
    hits = visible(page)
    step("search: by the address", "" if 0 < hits < boxes(graph) else f"{hits} of {boxes(graph)}")
    step("search: says how many", same(page.value("document.getElementById('hits').textContent"), f"{hits} of {boxes(graph)} boxes"))
    step("search: the tables follow", page.value("""[...document.querySelectorAll('article:not(.miss)')].every(a => a.textContent.toLowerCase().includes('train')) &&
        document.querySelectorAll('article.miss').length > 0 ? '' : 'other runs are shown'"""))
    page.shot("search")
    run = next(node for node in graph["nodes"] if node["type"] == "run")
    page.value(f"(() => {{ const q = document.getElementById('q'); q.value = '{run['id'][2:14]}'; q.dispatchEvent(new Event('input')) }})()")
    step("search: by a hash, typed", same(visible(page), 1) or same(page.value("location.hash"), "#q=" + run["id"][2:14]))
    page.open(path, "#hide=source,unknown")
    left = [node for node in graph["nodes"] if node["type"] in ("run", "external") or node["type"] == "artifact" and any(
        edge["to"] == node["id"] and edge["type"] == "generated" for edge in graph["edges"])]
    step("kinds: what is hidden is gone, with its arrows", same(visible(page), len(left))
         or same(page.value("[...document.querySelectorAll('.e:not(.off)')].length"), sum(
             1 for edge in graph["edges"] if {edge["from"], edge["to"]} <= {node["id"] for node in left})))
    step("kinds: no arrow is left of what is hidden", same(page.value("""(() => { const off = new Set([...document.querySelectorAll('.n.off')].map(n => n.dataset.n));
        return [...document.querySelectorAll('.e:not(.off)')].filter(e => off.has(e.dataset.f) || off.has(e.dataset.t)).length })()"""), 0))
    page.open(path)
    scale = "document.querySelector('#graph').viewBox.baseVal.width"
    before = page.value(scale)
    page.value("document.getElementById('in').click()")
    step("zoom: by the button", "" if page.value(scale) < before else "nothing happened")
    page.value("document.getElementById('fit').click()")
    step("zoom: Fit shows every box", same(page.value("""(() => { const v = document.getElementById('view').getBoundingClientRect();
        return [...document.querySelectorAll('.n rect')].filter(e => { const r = e.getBoundingClientRect();
          return r.left < v.left - 1 || r.right > v.right + 1 || r.top < v.top - 1 || r.bottom > v.bottom + 1 }).length })()"""), 0))
    page.open(path, "#q=&zoom=2")
    step("zoom: by the address", "" if abs(page.value("document.getElementById('view').clientWidth /" + scale) - 2) < 0.01 else page.value(scale))
    page.open(path)
    at = page.value("JSON.stringify((r => [r.left + r.width / 2, r.top + r.height / 2])(document.getElementById('view').getBoundingClientRect()))")
    x, y = json.loads(at)
    before = page.value("document.querySelector('#graph').viewBox.baseVal.x")
    for kind, dx in [("mousePressed", 0), ("mouseMoved", -60), ("mouseMoved", -120), ("mouseReleased", -120)]:
        page.do("Input.dispatchMouseEvent", type=kind, x=x + dx, y=y, button="left", buttons=1, clickCount=1)
    step("pan: by dragging, and the page stays where it is", "" if page.value("document.querySelector('#graph').viewBox.baseVal.x") > before + 50
         and page.value("location.hash") == "" else "it did not move")
    page.open(path)
    page.value("document.getElementById('view').focus()")
    before = page.value("document.querySelector('#graph').viewBox.baseVal.x")
    page.key("ArrowRight")
    step("keyboard: arrows move the graph", "" if page.value("document.querySelector('#graph').viewBox.baseVal.x") > before else "it did not move")
    page.key("Tab")
    step("keyboard: Tab goes to a box, and shows its neighbours", same(page.value("document.activeElement.querySelector('.n') !== null"), True)
         or ("" if page.value("document.querySelectorAll('.e.hot').length") > 0 else "no arrow is lit"))
    page.do("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    step("keyboard: Enter goes to its entry", same(page.value("location.hash.length > 3 && document.querySelector(':target') !== null"), True))
    step("every link leads somewhere", same(page.value("[...document.querySelectorAll('a')].filter(a => !document.getElementById(a.getAttribute('href').slice(1))).length"), 0))
    step("a screen reader is told what the graph is", same(page.value("""(g => g.getAttribute('aria-labelledby').split(' ').every(i => document.getElementById(i).textContent.length > 5))(document.getElementById('graph'))"""), True))


def main():
    if not (os.environ.get("CAIRN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")):
        print("this part was not played: there is no Chromium (on Debian: apt-get install chromium)")
        return 0
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cairn-page-", ignore_cleanup_errors=True) as folder, Browser(folder) as browser:
        folder = os.path.realpath(folder)
        project = small(os.path.join(folder, "small"))
        made = project.page("report.html")
        page = look(browser, "20", made)
        use(page, made[0], made[2])
        down = project.page("--down", "data/raw.csv")
        page.open(down[0])
        step("down: told as such", same(page.value("document.querySelector('h1').textContent"), "What data/raw.csv touched"))
        project = large(os.path.join(folder, "large"))
        look(browser, "500", project.page("model.bin"))
    print(f"{passed} of {total} checks of the lineage page")
    return passed != total


if __name__ == "__main__":
    sys.exit(main())
