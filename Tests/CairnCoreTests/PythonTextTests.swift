// Values as Python writes them.
import CairnCore
import Testing

@Test(
  "floats look as in Python",
  arguments: [
    (1.0, "1.0"), (1e-5, "1e-05"), (0.0001, "0.0001"), (1e16, "1e+16"), (1e15, "1000000000000000.0"), (0.1, "0.1"),
    (-2.5, "-2.5"), (1.5e300, "1.5e+300"), (123456789.125, "123456789.125"), (0, "0.0"), (.leastNonzeroMagnitude, "5e-324"),
    (9007199254740992, "9007199254740992.0"), (1e22, "1e+22"), (1.7976931348623157e308, "1.7976931348623157e+308"),
  ])
func pythonFloats(number: Double, text: String) { #expect(PythonText.repr(number) == text) }

@Test(
  "targets are taken apart as DVC does",
  arguments: [
    ("train", nil, "train"), ("train@0", nil, "train@0"), ("sub/dvc.yaml:train", "sub/dvc.yaml", "train"),
    ("dvc.yaml:a@b:c", "dvc.yaml", "a@b:c"), ("data.dvc", "data.dvc", nil), (":train", "dvc.yaml", "train"),
    ("a/b.csv", nil, "a/b.csv"), ("dvc.yaml", "dvc.yaml", nil),
  ] as [(String, String?, String?)])
func targets(word: String, file: String?, name: String?) throws {
  let words = try TargetWords(word, isPattern: false)
  #expect(words.file == file)
  #expect(words.name == name)
}
