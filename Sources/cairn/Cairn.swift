// The program's entry.
@main
struct Cairn {
  static func main() {}
}
