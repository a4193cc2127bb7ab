@testable import CairnVerify
import Testing

struct CommandScriptsTests {
  @Test(
    "a script that is run is found, and one that is only spoken of is not",
    arguments: [
      ("python train.py --lr 0.1", ["train.py"]),
      ("PYTHONPATH=src CUDA_VISIBLE_DEVICES=0 python3.11 -u src/train.py x.py", ["src/train.py"]),
      ("python -m pkg.train", ["pkg/train.py"]),
      ("python -c 'import train' train.py", []),
      ("Rscript plot.R && sh a.sh; ./b.sh | perl c.pl", ["plot.R", "a.sh", "./b.sh", "c.pl"]),
      ("uv run train.py", ["train.py"]),
      ("poetry run python train.py", ["train.py"]),
      ("conda run -n ml python train.py", ["train.py"]),
      ("timeout 60 srun -n 4 python train.py", ["train.py"]),
      ("cd src && python train.py", ["src/train.py"]),
      ("cd $DIR && python train.py", []),
      ("if true; then python a.py; else sh b.sh; fi", ["a.py", "b.sh"]),
      ("go run main.go", ["main.go"]),
      ("echo sh x.sh", []),
      ("grep -n python train.py", []),
      ("git log -- sh x.sh", []),
      ("bash -n x.sh", []),
      ("sh -e x.sh && bash -eux -o pipefail y.sh", ["x.sh", "y.sh"]),
      ("bash -ec 'sh x.sh' y.sh", []),
      ("perl -e 'print' x.pl", []),
      ("coverage run train.py", ["train.py"]),
      ("true # python old.py", []),
      ("# python old.py\npython new.py", ["new.py"]),
      ("echo a#b; sh c.sh", ["c.sh"]),
      ("cat > x <<EOF\npython a.py\nEOF\npython b.py", ["b.py"]),
      ("cat <<-'E O F' > x; sh d.sh\n\tsh a.sh\n\tE O F\nsh b.sh", ["d.sh", "b.sh"]),
      ("sh c.sh <<< 'python a.py'", ["c.sh"]),
      ("python a.py < in > out", ["a.py"]),
    ])
  func table(command: String, expected: [String]) {
    #expect(CommandScripts.scripts(in: command).map { $0.names[0] } == expected)
  }
}
