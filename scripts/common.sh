# Shared by the scripts beside it: saying what happens, installing what is missing. Sourced, never run.

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'ERROR: %s\n' "$*" >&2; exit 1; }

# as_root CMD…: runs CMD as root where we are allowed to, and says so plainly where we are not.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "this needs root: $*"
  fi
}

# need_packages PACKAGE…: installs the Debian packages that are not here yet.
need_packages() {
  local missing=() package
  command -v dpkg-query >/dev/null || { say "not a Debian-like system: please see that these are installed: $*"; return 0; }
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "installing ${missing[*]} (about 30 s)"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq </dev/null
  as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

need_swift() {
  command -v swift >/dev/null ||
    fail "Swift 6.2 or later is needed and no 'swift' is on PATH: https://www.swift.org/install"
}

# need_dvc: the real DVC in .venv, the yardstick of the conformance tests. Sets DVC and PYTHON.
need_dvc() {
  local version=3.67.1 plugin=3.3.0
  if [ "$(.venv/bin/python -c 'import importlib.metadata as m; print(m.version("dvc"))' 2>/dev/null)" != "$version" ]; then
    say "installing DVC $version into .venv (about 2 min)"
    rm -rf .venv
    # pip may be silent for long on a slow line; its own retries are enough for a bad one.
    python3 -m venv .venv && .venv/bin/pip install -q --disable-pip-version-check "dvc==$version" "dvc-s3==$plugin" pyyaml </dev/null ||
      { rm -rf .venv; return 1; }
  fi
  DVC=$PWD/.venv/bin/dvc
  PYTHON=$PWD/.venv/bin/python
}
