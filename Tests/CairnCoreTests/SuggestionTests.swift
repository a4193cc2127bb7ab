// "Did you mean": what is near enough to a known word.
import CairnCore
import Testing

struct SuggestionTests {
  @Test(
    "a slip, a beginning or another ending of a known word is recognised; another word is not",
    arguments: [
      ("timout", "timeout"), ("retry", "retries"), ("mutexes", "mutex"), ("env_rec", "env_record"), ("resource", "resources"),
      ("jbos", nil), ("colour", nil), ("ret", "retries"), ("", nil),
    ])
  func nearest(word: String, known: String?) {
    #expect(Suggestion.nearest(to: word, among: ["timeout", "retries", "mutex", "env_record", "resources"]) == known)
  }
}
