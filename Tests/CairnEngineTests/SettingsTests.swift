// Tests of DVC's settings: which are accepted, in whose words others are refused, and how levels shadow each other.
import CairnCore
import Testing

@testable import CairnEngine
@testable import CairnFormats

@Suite struct SettingsTests {
  private func fault(_ text: String) throws -> String? {
    let file = try ConfigFile(SourceText(path: "/p/.dvc/config", bytes: Array(text.utf8)))
    var warnings: [String] = []
    do {
      try ConfigSchema.validate(ConfigLevels.values(file, path: "/p/.dvc/config"), warnings: &warnings)
      return warnings.first
    } catch {
      return error.message.replacing("configuration error - config file error: ", with: "")
    }
  }

  @Test(
    "a wrong setting is refused in the words of DVC's validator",
    arguments: [
      ("[core]\nanalytics = maybe\n", "expected true or false for dictionary value @ data['core']['analytics']"),
      ("[core]\nfoo = 1\n", "extra keys not allowed @ data['core']['foo']"),
      ("[foo]\nbar = 1\n", "extra keys not allowed @ data['foo']"),
      ("[core]\nchecksum_jobs = 0\n", "value must be at least 1 for dictionary value @ data['core']['checksum_jobs']"),
      ("[cache]\ntype = foo,bar\n", "Unsupported cache type(s): bar, foo for dictionary value @ data['cache']['type']"),
      ("['remote \"x\"']\nfoo = x\n", "expected 'url' for dictionary value @ data['remote']['x']"),
      ("['remote \"x\"']\nurl = foo://b/x\n", "Unsupported URL type foo:// for dictionary value @ data['remote']['x']"),
      ("[core]\n[[sub]]\nx=1\n", "extra keys not allowed @ data['core']['sub']"),
      ("[feature]\nfoo = 1\n", "'feature.foo' config option is unsupported"),
    ])
  func refusals(text: String, message: String) throws {
    #expect(try fault(text) == message)
  }

  @Test("what DVC accepts is accepted")
  func accepted() throws {
    #expect(try fault("[core]\nautostage = TRUE\nremote = a\n['remote \"a\"']\nurl = s3://b/k\nuse_ssl = false\n") == nil)
  }

  @Test("paths are meant from the folder of their file")
  func paths() throws {
    let file = try ConfigFile(SourceText(path: "/p/.dvc/config", bytes: Array("[cache]\ndir = ../../shared\n".utf8)))
    #expect(ConfigLevels.values(file, path: "/p/.dvc/config")["cache"]?["dir"] == "/shared")
  }

  @Test("words that name a stage are taken apart as DVC does",
    arguments: [
      ("train", nil, "train"), ("train@0", nil, "train@0"), ("sub/dvc.yaml:train", "sub/dvc.yaml", "train"),
      ("data.csv.dvc", "data.csv.dvc", nil), ("dvc.yaml", "dvc.yaml", nil),
      ("dvc.yaml:t@a:b", "dvc.yaml", "t@a:b"),
    ] as [(String, String?, String?)])
  func targets(target: String, file: String?, name: String?) throws {
    let split = try StageLookup.split(target)
    #expect(split.file == file)
    #expect(split.name == name)
  }
}
