#!/bin/sh
# Fetches Cairn, asks it whether what is committed here is reproducible, and leaves its reports in a folder.
#
#   sh ci/cairn-verify.sh                       the commit that is checked out
#   sh ci/cairn-verify.sh --base origin/main    and which of its faults are new since then
#
# All words go to `cairn verify`. Exit code: verify's own: 0 reproducible, 1 not reproducible, 2 it could not tell;
# 255 when Cairn could not be fetched or started.

# ---- Set these three -------------------------------------------------------------------------------------------
version='' # of Cairn
url=''     # of its archive, cairn-VERSION-linux-ARCH.tar.gz (https://…, or file:///… on a machine of your own)
sha256=''  # of that archive: the first word in the file NAME.tar.gz.sha256 that comes with it
# ---- These may stay --------------------------------------------------------------------------------------------
project='.'             # the DVC project's folder, seen from the repository's root
reports='cairn-reports' # where the reports go, from the root too; the workflow and the job keep this folder
# ----------------------------------------------------------------------------------------------------------------

# Not `set -e`: a command that fails on the way would end this with 1 or 2, and these are answers of verify.
set -u
fail() {
  printf 'ERROR: nothing was verified: %s\n' "$*" >&2
  exit 255
}

unset CDPATH # it would have `cd` look elsewhere
cd "$(dirname "$0")/.." || fail "no folder above $0"
root=$(pwd)
# What an earlier run left must not be taken for this one's, whatever happens now.
rm -f "$reports"/verify.xml "$reports"/verify.sarif "$reports"/verify.md "$reports"/code-quality.json

[ -n "$version" ] && [ -n "$url" ] || fail "ci/cairn-verify.sh: set 'version' and 'url' at its top"
[ -n "$sha256" ] || fail "ci/cairn-verify.sh: set 'sha256' at its top; without it anything could be run here"
case $sha256 in *[!0-9a-f]*) fail "ci/cairn-verify.sh: 'sha256' has other characters than 0-9 and a-f" ;; esac
[ ${#sha256} = 64 ] || fail "ci/cairn-verify.sh: 'sha256' has ${#sha256} digits instead of 64"
for tool in curl git gzip sha256sum tar; do
  command -v "$tool" >/dev/null || fail "$tool is not on PATH"
done

work=$(mktemp -d) || fail "cannot make a temporary folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 255' HUP INT TERM

curl --fail --silent --show-error --location --retry 3 --max-time 300 --output "$work/cairn.tar.gz" "$url" ||
  fail "cannot fetch $url"
found=$(sha256sum <"$work/cairn.tar.gz")
[ "${found%% *}" = "$sha256" ] ||
  fail "$url has the SHA-256 ${found%% *} and not $sha256: it is not what was chosen, and is not run"
tar -xzf "$work/cairn.tar.gz" -C "$work" --strip-components=1 || fail "cannot unpack $url"
cairn=$work/bin/cairn
started=$("$cairn" --version) ||
  fail "Cairn does not start here; it needs what these packages have:" \
    "$(sed -n '/^[^#]/s/.* //p' "$work/SYSTEM-LIBRARIES" | sort -u | tr '\n' ' ')"
[ "${started##* }" = "$version" ] || fail "$url is Cairn ${started##* }, and 'version' says $version"

mkdir -p "$reports" || fail "cannot make the folder $reports"
printf '*\n' >"$reports/.gitignore" || fail "cannot write to $reports"
out=$root/$reports
[ "${GITHUB_ACTIONS:-}" != true ] || set -- "$@" --github # annotations: GitHub reads them from the log

status=0
"$cairn" --cd "$project" verify --rev HEAD "$@" --junit "$out/verify.xml" --sarif "$out/verify.sarif" \
  --code-quality "$out/code-quality.json" --markdown "$out/verify.md" || status=$?

if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -f "$out/verify.md" ]; then
  cat "$out/verify.md" >>"$GITHUB_STEP_SUMMARY" || echo "the step's summary could not be written" >&2
fi
echo "the reports are in $reports/; cairn verify ended with $status"
exit "$status"
