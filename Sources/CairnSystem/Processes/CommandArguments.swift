// The words that this process was started with, byte for byte.
internal import CSystem
internal import CairnCore
internal import Glibc

package enum CommandArguments {
  /// Without the program's name, in `FileName`'s escaping. Swift's own list repairs what is not UTF-8, and is empty where
  /// `/proc` is not mounted.
  package static func words() -> [String] {
    (1..<max(1, cairn_argument_count())).compactMap { index in
      cairn_argument(index).map { word in
        FileName.escape(UnsafeRawBufferPointer(start: word, count: strlen(word)).bindMemory(to: UInt8.self))
      }
    }
  }
}
