// The environment of a command: read from names of folders, made once, made anew when a package comes.
import CairnCore
import CairnEngine
import CairnFormats
import CairnLineage
import CairnSystem
import Foundation
import Testing

@Suite struct EnvironmentDocumentTests {
  @Test("a virtual environment's packages stand in the document, and a new one makes a new document")
  func packages() throws {
    let top = NSTemporaryDirectory() + "cairn-environment-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: top) }
    let packages = top + "/venv/lib/python3.11/site-packages"
    try Files.makeDirectories(packages + "/numpy-2.1.0.dist-info")
    try Files.makeDirectories(top + "/venv/bin")
    try Files.write("home = /usr/bin\n", to: top + "/venv/pyvenv.cfg")
    try Files.write("\u{7F}ELF", to: top + "/venv/bin/python3")
    try Files.chmod(top + "/venv/bin/python3", 0o755)
    let store = RecordStore(folder: top + "/.cairn/runs", sharedFolder: nil)
    let environment = EnvironmentDocument(store: store)
    let path = top + "/venv/bin:/usr/bin"

    let first = try environment.digest(of: ["X=1 python3 train.py"], path: path)
    let bytes = try #require(try store.document(first))
    let value = try JSONReader.parse(SourceText(path: "environment", bytes: bytes)).value
    #expect(value["schema"] == "cairn.environment/v1")
    #expect(value["packages"] == .map(["numpy": "2.1.0"]))
    #expect(value["interpreter"]?["path"]?.string == top + "/venv/bin/python3")
    #expect(value["libc"]?.string?.hasPrefix("glibc 2.") == true)
    #expect(try environment.digest(of: ["python3 eval.py"], path: path) == first)

    // The shell does this by itself: a file of that name is not what runs.
    try Files.write("#!/bin/sh\n", to: top + "/venv/bin/echo")
    try Files.chmod(top + "/venv/bin/echo", 0o755)
    let shell = try #require(try store.document(try environment.digest(of: ["echo hello | cat"], path: path)))
    #expect(try JSONReader.parse(SourceText(path: "environment", bytes: shell)).value["interpreter"] == .null)

    try Files.makeDirectories(packages + "/pandas-2.2.3.dist-info")
    try Files.setModified(packages, 1_000_000_000)
    #expect(try environment.digest(of: ["python3 train.py"], path: path) != first)
  }

  @Test("of an interpreter that is a script, that is not found, or that is none, no packages are claimed")
  func unknown() throws {
    let top = NSTemporaryDirectory() + "cairn-environment-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: top) }
    try Files.makeDirectories(top + "/shims")
    try Files.makeDirectories(top + "/conda/bin")
    for (file, text) in [
      ("shims/python3", "#!/bin/sh\nexec other \"$@\"\n"), ("conda/bin/python3.9", "\u{7F}ELF"),
      ("shims/tool", "\u{7F}ELF"),
    ] {
      try Files.write(text, to: top + "/" + file)
      try Files.chmod(top + "/" + file, 0o755)
    }
    let store = RecordStore(folder: top + "/.cairn/runs", sharedFolder: nil)
    let environment = EnvironmentDocument(store: store)
    func document(_ command: String) throws -> Value {
      let digest = try environment.digest(of: [command], path: top + "/shims:" + top + "/conda/bin")
      let bytes = try #require(try store.document(digest))
      return try JSONReader.parse(SourceText(path: "environment", bytes: bytes)).value
    }
    for command in ["python3 train.py", "./python3 train.py", "nowhere"] {
      #expect(try document(command)["interpreter"] == .null)
      #expect(try document(command)["packages"] == .null)
    }
    #expect(try document("tool")["interpreter"]?["path"]?.string == top + "/shims/tool")
    #expect(try document("tool")["packages"] == .null)
    #expect(try document("python3.9 x")["interpreter"]?["version"] == "3.9")
    #expect(try document("python3.9 x")["packages"] == .null)
    // Debian's packages are not those of a Python that lies elsewhere.
    try Files.makeDirectories(top + "/conda/lib/python3.9/site-packages/numpy-2.1.0.dist-info")
    let later = EnvironmentDocument(store: store)
    let digest = try later.digest(of: ["python3.9 x"], path: top + "/conda/bin")
    let bytes = try #require(try store.document(digest))
    let value = try JSONReader.parse(SourceText(path: "environment", bytes: bytes)).value
    #expect(value["packages"] == .map(["numpy": "2.1.0"]))
  }

  @Test("an attempt has the golden name")
  func attempt() {
    let invocation = "01JQ0000000000000000000000"
    #expect(
      AttemptName.uuid(invocation: invocation, address: "train", attempt: 1) == "cbab7eab-d213-5382-a9d9-4ff321fa03c2")
    #expect(AttemptName.uuid(invocation: invocation, address: "train", attempt: 2) != "cbab7eab-d213-5382-a9d9-4ff321fa03c2")
  }
}
