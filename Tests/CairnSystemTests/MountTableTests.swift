import CairnTestSupport
import Testing

@testable import CairnSystem

struct MountTableTests {
  @Test("a path is on the nearest mount, the later of two at one point; odd names are in octal")
  func nearest() {
    let table = MountTable(
      """
      /dev/vda / ext4 rw 0 0
      none /nowhere tmpfs rw 0 0
      /dev/vdb /nowhere/in xfs rw 0 0
      //host/a\\040b /nowhere/in btrfs rw 0 0
      """)
    #expect(table.fileSystem(of: "/nowhere") == "tmpfs on none")
    #expect(table.fileSystem(of: "/nowhere/inside") == "tmpfs on none")
    #expect(table.fileSystem(of: "/nowhere/in/side") == "btrfs on //host/a b")
    #expect(table.fileSystem(of: "/else") == "ext4 on /dev/vda")
    #expect(MountTable("").fileSystem(of: "/else") == "unknown on none")
  }
}
