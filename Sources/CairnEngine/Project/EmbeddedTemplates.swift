// The files of pipelines/, so that the program needs no folder beside it. Written by scripts/templates: not by hand.

extension ProjectTemplate {
  /// Of each template its files, ordered by path.
  static let embedded: [String: [File]] = [
    "ci-check": [
      File(
        path: ".github/workflows/cairn-verify.yml", isExecutable: false,
        text: #"""
# Is what is committed reproducible? Asks `cairn verify` for every pull request and every push to main.
# First set the three variables at the top of ci/cairn-verify.sh. What stands here and why: ci/cairn-verify.md
name: cairn verify

on:
  pull_request:
  merge_group:
  push:
    branches: [main]

permissions: {}

concurrency:
  group: cairn-verify-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}

jobs:
  verify:
    name: cairn verify
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read # and nothing else: the reports are an artifact, the annotations come from the log
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          fetch-depth: 2 # a pull request is checked out merged into its base, which is the first parent
          persist-credentials: false
      - name: Install the libraries that Cairn needs
        run: sudo apt-get update -qq && sudo apt-get install -y -qq --no-install-recommends libsqlite3-0 libyaml-0-2
      - name: Verify
        env:
          BASE: ${{ github.event_name == 'pull_request' && 'HEAD^1' || '' }}
        run: sh ci/cairn-verify.sh ${BASE:+--base "$BASE"}
      - name: Keep the reports
        if: ${{ !cancelled() }}
        uses: actions/upload-artifact@330a01c490aca151604b8cf639adc76d48f6c5d4 # v5.0.0
        with:
          name: cairn-verify
          path: cairn-reports/

"""#),
      File(
        path: "ci/cairn-verify.gitlab-ci.yml", isExecutable: false,
        text: #"""
# Is what is committed reproducible? Asks `cairn verify` for every merge request and for the default branch, with
# which GitLab compares the code quality of a merge request. To be included by .gitlab-ci.yml:
#
#   include:
#     - local: ci/cairn-verify.gitlab-ci.yml
#
# First set the three variables at the top of ci/cairn-verify.sh. What stands here and why: ci/cairn-verify.md
cairn-verify:
  image: debian:12-slim
  timeout: 10 minutes
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  variables:
    GIT_DEPTH: "0" # the base may be further away than the 20 commits that a runner fetches
  before_script:
    - apt-get update -qq
    - apt-get install -y -qq --no-install-recommends ca-certificates curl git libsqlite3-0 libyaml-0-2
  script:
    # The first is set where the result of the merge is looked at, the second otherwise.
    - base=${CI_MERGE_REQUEST_TARGET_BRANCH_SHA:-${CI_MERGE_REQUEST_DIFF_BASE_SHA:-}}
    - sh ci/cairn-verify.sh ${base:+--base "$base"}
  artifacts:
    when: always
    expire_in: 1 week
    paths:
      - cairn-reports/
    reports:
      junit: cairn-reports/verify.xml
      codequality: cairn-reports/code-quality.json

"""#),
      File(
        path: "ci/cairn-verify.md", isExecutable: false,
        text: #"""
# `cairn verify` in CI

Answers for every change: does what is committed fit together, so that the pipeline makes these results? It reads \#
what git has, needs no data, and takes seconds. `cairn init --template ci-check` put these files here:

| file | for |
|---|---|
| `ci/cairn-verify.sh` | fetches Cairn and runs it; what the other two call, and what any other CI can |
| `.github/workflows/cairn-verify.yml` | GitHub Actions: every pull request, every push to `main` |
| `ci/cairn-verify.gitlab-ci.yml` | GitLab CI: every merge request, every push to the default branch |

## To do once
1. Put `cairn-VERSION-linux-ARCH.tar.gz` where your CI can fetch it. `scripts/package` in Cairn's sources makes \#
it, and `….tar.gz.sha256` with it.
2. Set `version`, `url` and `sha256` at the top of `ci/cairn-verify.sh`. An archive runs on the system that made \#
it and on newer ones; `image` and `runs-on` must be one of these. Without a checksum, or with another one than \#
the archive has, nothing is run.
3. GitLab: add `include: [{local: ci/cairn-verify.gitlab-ci.yml}]` to `.gitlab-ci.yml`. Delete the files of the \#
CI that you do not use.
4. `sh ci/cairn-verify.sh` on your own machine shows what CI will say.
5. Make the job a required one, so that nothing is merged without it.

## What the answer is

| exit code | means | the job |
|---|---|---|
| 0 | reproducible, or every fault is accepted | passes |
| 1 | not reproducible | fails |
| 2 | it could not tell | **fails** |
| 254, 255 | nothing was verified: a wrong option, no archive, another checksum | fails |

What could not be checked is no pass: do not put `continue-on-error`, `allow_failure` or `|| true` around it. \#
JUnit, SARIF and annotations have no word for "unknown" that fails a job; the exit code has. Two things that a \#
checkout may lack and that end with 2: submodules (`submodules: true` for `actions/checkout`, \#
`GIT_SUBMODULE_STRATEGY: normal` for GitLab), and files in Git LFS.

Old faults need not stop a team from starting: add `--new-only` behind `--base …` and only what the base did not \#
have fails; or list them, each with a reason and a date, under `[[verify.accepted]]` in `.cairn/config.toml`.

## Where the reports are
In the folder `cairn-reports/`, which hides itself from git, also when verify fails:

| file | read by |
|---|---|
| `verify.xml` | JUnit: GitLab shows it in the merge request; Jenkins: `junit 'cairn-reports/verify.xml'` in \#
`post { always { … } }` |
| `verify.sarif` | SARIF 2.1.0: editors, code scanning |
| `code-quality.json` | GitLab, beside the changed lines |
| `verify.md` | people: GitHub's page of the run (the step's summary) |

On GitHub each fault is also an annotation at its line, and the folder is the artifact `cairn-verify`.

## Why it is so
- **Permissions**: the workflow may read the repository and nothing else, and runs for pull requests of forks \#
too. Comments in pull requests or uploads to code scanning would need a token that writes, which forks do not \#
get, or a second workflow with more rights than the code it looks at should have. The summary and the annotations \#
need neither.
- **`HEAD^1`**: GitHub checks a pull request out merged into its base, so the first parent is the base, and a \#
`fetch-depth` of 2 has it. GitLab checks out the branch, whose base may be further back: `GIT_DEPTH` 0.
- **`--rev HEAD`**: the commit is looked at, not the work tree, so that a file of the runner's cannot hide a fault.
- **Who guards it**: the workflow and the script are those of the pull request. Let somebody own `ci/` and \#
`.github/` (`CODEOWNERS`), so that no change makes itself pass. Verify itself runs nothing of the repository.
- **Actions are pinned** to a commit; Dependabot and Renovate keep such lines up to date.

A project that is not at the repository's root: `project` in `ci/cairn-verify.sh` names its folder. `cairn init \#
--template ci-check` sets it.

## On your own machine
`cairn install` makes git ask before each commit and push. With the [pre-commit](https://pre-commit.com) tool \#
instead, in `.pre-commit-config.yaml`:

```yaml
repos:
  - repo: …/cairn # where Cairn's sources are
    rev: … # a tag or commit of them
    hooks:
      - id: cairn-verify
        # entry: cairn --cd services/churn verify --static   (a project below the repository's root)
      - id: cairn-verify-push # with `pre-commit install --hook-type pre-push`
        # entry: cairn git-hook pre-push --verify-only --project services/churn
```

Of a push of several branches the tool asks about one; `cairn install` asks about each.

"""#),
      File(
        path: "ci/cairn-verify.sh", isExecutable: true,
        text: #"""
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

"""#),
    ],
  ]
}
