@testable import CairnVerify
import Testing

struct CommandPathsTests {
  @Test(
    "a path of one machine is found, and a text with slashes is none",
    arguments: [
      ("python train.py --data /mnt/data/raw.csv", ["/mnt/data/raw.csv"]),
      ("python train.py --data=/home/ann/x --out=~/y", ["/home/ann/x", "~/y"]),
      ("cat $HOME/x ${HOME}/y", ["$HOME/x", "${HOME}/y"]),
      ("cat \"/Users/ann/my data/x.csv\" > out", ["/Users/ann/my data/x.csv"]),
      ("cp a:/scratch/x,/scratch/y b", ["/scratch/x", "/scratch/y"]),
      ("/usr/bin/python3 /opt/tool/run.py < /dev/null > /tmp/x", []),
      ("sed -e 's/a/b/' -e '/x/d' in > out", []),
      ("awk '/home/ {print}' in", []),
      ("curl https://example.org/data/x.csv -o x.csv", []),
      ("python x.py --route /api/v1 --regex '/foo/bar/'", []),
      ("python x.py /srv/models/m.bin", ["/srv/models/m.bin"]),
      ("xmllint --xpath '/root/item' f; scp a host:/data/x; sh -c \"cat /data/y\"; python t.py -i/data/z ~bob/x", ["/data/y", "/data/z", "~bob/x"]),
      ("python t.py /data file:///home/bob/x", ["/data", "/home/bob/x"]),
      ("echo a/b //comment 3/4 /", []),
      ("DATA=/data/x python a.py", ["/data/x"]),
      ("python a.py /company/share/file.csv", ["/company/share/file.csv"]),
      ("a && (cat /home/x/y; b) | c > /home/z/w", ["/home/x/y", "/home/z/w"]),
    ])
  func table(command: String, expected: [String]) {
    #expect(CommandPaths.outside(command) == expected)
  }
}
