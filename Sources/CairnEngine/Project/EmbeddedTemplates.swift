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
    "dataset-lineage": [
      File(
        path: ".cairn/config.toml", isExecutable: false,
        text: #"""
[tracking]
# Your MLflow server, or the ARN of an Amazon SageMaker AI MLflow App. Without one, nothing is tracked.
# uri = "http://mlflow.example.org:5000"
# The experiment there; without this line it is called like the project's folder.
# experiment = "penguins"

# A model that a run made becomes a version in the registry. Its data goes to the remote first: at the end of \#
`cairn repro`.
register = true
push = true

"""#),
      File(
        path: "README.md", isExecutable: false,
        text: #"""
# A model that leads back to its data

Four stages, data on a remote, runs and models on an MLflow server: of each version of the model one command gets \#
the very data, code and parameters that made it. `cairn init --template dataset-lineage` put these files here, \#
with the Palmer penguins for data, so that it runs before anything is replaced.

| stage | does | from | to |
|---|---|---|---|
| `prepare` | keeps complete rows, lays some aside for the test | `data/raw.csv` | `data/train.csv`, \#
`data/test.csv` |
| `train` | fits a classifier | `data/train.csv` | `candidate.joblib` |
| `evaluate` | counts how often it is right | `candidate.joblib`, `data/test.csv` | `metrics.json` |
| `register` | lets it through when it is good enough | `candidate.joblib`, `metrics.json` | `model.joblib` |

`artifacts:` in `dvc.yaml` calls `model.joblib` a model: each one that a run makes becomes a version in the \#
registry. One that is not good enough (`register.least_accuracy` of `params.yaml`) fails in `register`, and \#
becomes none.

## To do once
1. `pip install -r requirements.txt` (scikit-learn), so that `python3` finds it.
2. `cairn add data/raw.csv`: the dataset is content by its hash from now on, and git keeps the hash. Before `git \#
add`: git shall not have the data itself.
3. `cairn remote add -d store s3://BUCKET/PREFIX`. A folder will do to begin with: `cairn remote add -d store \#
/srv/data`. Keys for S3 are looked for where AWS's tools look; another server's address is `cairn remote modify \#
store endpointurl https://…`.
4. The MLflow server in `.cairn/config.toml`, or in `MLFLOW_TRACKING_URI`. Without one everything runs, and \#
nothing is tracked.
5. `git add --all && git commit -m "A pipeline"`

## Each time

    cairn repro                    # runs what is stale; where it tracks, it pushes the data and registers the model
    git add --all && git commit -m "A run"
    cairn push                     # data and run records, for those who do not track
    cairn verify --data            # is what is committed what the pipeline makes, and is all data there?

Commit before `cairn repro` what you edited: a model version then names a commit that has its code (`cairn.dirty` \#
of its run tells the others). A new version of the data is a new `data/raw.csv`, then `cairn add data/raw.csv` \#
again.

## What can be asked afterwards

    cairn lineage model.joblib                                   # what made this model
    cairn lineage models:/species-classifier/1                   # or version 1 in the registry
    cairn verify --lineage models:/species-classifier/1          # do records, git, remote and server agree on it?
    cairn restore models:/species-classifier/1 --into ../audit   # data, code and parameters behind version 1, \#
each hash checked
    cairn lineage --down data/raw.csv                            # what this version of the data went into

On the server: the model's version has the tags `cairn.commit`, `cairn.uri` and, for each source, \#
`cairn.data.PATH` with its MD5. So `tags."cairn.data.data/raw.csv" = '…'` finds the models of one version of the \#
data, and `dataset.digest = '…'` the runs.

## To make it yours
Replace `data/raw.csv` and the four scripts in `src/`, rename the model in `artifacts:`; the chain stays as long \#
as each stage names all that it reads (`cairn lint` finds scripts that are not named). `data/LICENSE.md` is about \#
the penguins (CC0) and goes with them.

"""#),
      File(
        path: "data/LICENSE.md", isExecutable: false,
        text: #"""
# raw.csv

The Palmer penguins: size measurements of 344 adult Adélie, Chinstrap and Gentoo penguins, observed on islands in \#
the Palmer Archipelago near Palmer Station, Antarctica, 2007–2009.

The data were collected and made available by Dr. Kristen Gorman and the Palmer Station, Antarctica LTER, a \#
member of the Long Term Ecological Research Network, and are in the public domain under CC0 1.0 \#
(https://creativecommons.org/publicdomain/zero/1.0/). The file is `penguins.csv` of the Python package \#
`palmerpenguins` 0.1.6, unchanged.

Gorman KB, Williams TD, Fraser WR (2014). Ecological sexual dimorphism and environmental variability within a \#
community of Antarctic penguins (genus *Pygoscelis*). PLoS ONE 9(3): e90081. \#
https://doi.org/10.1371/journal.pone.0090081

Horst AM, Hill AP, Gorman KB (2020). palmerpenguins: Palmer Archipelago (Antarctica) penguin data.

"""#),
      File(
        path: "data/raw.csv", isExecutable: false,
        text: #"""
species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year
Adelie,Torgersen,39.1,18.7,181,3750,male,2007
Adelie,Torgersen,39.5,17.4,186,3800,female,2007
Adelie,Torgersen,40.3,18,195,3250,female,2007
Adelie,Torgersen,NA,NA,NA,NA,NA,2007
Adelie,Torgersen,36.7,19.3,193,3450,female,2007
Adelie,Torgersen,39.3,20.6,190,3650,male,2007
Adelie,Torgersen,38.9,17.8,181,3625,female,2007
Adelie,Torgersen,39.2,19.6,195,4675,male,2007
Adelie,Torgersen,34.1,18.1,193,3475,NA,2007
Adelie,Torgersen,42,20.2,190,4250,NA,2007
Adelie,Torgersen,37.8,17.1,186,3300,NA,2007
Adelie,Torgersen,37.8,17.3,180,3700,NA,2007
Adelie,Torgersen,41.1,17.6,182,3200,female,2007
Adelie,Torgersen,38.6,21.2,191,3800,male,2007
Adelie,Torgersen,34.6,21.1,198,4400,male,2007
Adelie,Torgersen,36.6,17.8,185,3700,female,2007
Adelie,Torgersen,38.7,19,195,3450,female,2007
Adelie,Torgersen,42.5,20.7,197,4500,male,2007
Adelie,Torgersen,34.4,18.4,184,3325,female,2007
Adelie,Torgersen,46,21.5,194,4200,male,2007
Adelie,Biscoe,37.8,18.3,174,3400,female,2007
Adelie,Biscoe,37.7,18.7,180,3600,male,2007
Adelie,Biscoe,35.9,19.2,189,3800,female,2007
Adelie,Biscoe,38.2,18.1,185,3950,male,2007
Adelie,Biscoe,38.8,17.2,180,3800,male,2007
Adelie,Biscoe,35.3,18.9,187,3800,female,2007
Adelie,Biscoe,40.6,18.6,183,3550,male,2007
Adelie,Biscoe,40.5,17.9,187,3200,female,2007
Adelie,Biscoe,37.9,18.6,172,3150,female,2007
Adelie,Biscoe,40.5,18.9,180,3950,male,2007
Adelie,Dream,39.5,16.7,178,3250,female,2007
Adelie,Dream,37.2,18.1,178,3900,male,2007
Adelie,Dream,39.5,17.8,188,3300,female,2007
Adelie,Dream,40.9,18.9,184,3900,male,2007
Adelie,Dream,36.4,17,195,3325,female,2007
Adelie,Dream,39.2,21.1,196,4150,male,2007
Adelie,Dream,38.8,20,190,3950,male,2007
Adelie,Dream,42.2,18.5,180,3550,female,2007
Adelie,Dream,37.6,19.3,181,3300,female,2007
Adelie,Dream,39.8,19.1,184,4650,male,2007
Adelie,Dream,36.5,18,182,3150,female,2007
Adelie,Dream,40.8,18.4,195,3900,male,2007
Adelie,Dream,36,18.5,186,3100,female,2007
Adelie,Dream,44.1,19.7,196,4400,male,2007
Adelie,Dream,37,16.9,185,3000,female,2007
Adelie,Dream,39.6,18.8,190,4600,male,2007
Adelie,Dream,41.1,19,182,3425,male,2007
Adelie,Dream,37.5,18.9,179,2975,NA,2007
Adelie,Dream,36,17.9,190,3450,female,2007
Adelie,Dream,42.3,21.2,191,4150,male,2007
Adelie,Biscoe,39.6,17.7,186,3500,female,2008
Adelie,Biscoe,40.1,18.9,188,4300,male,2008
Adelie,Biscoe,35,17.9,190,3450,female,2008
Adelie,Biscoe,42,19.5,200,4050,male,2008
Adelie,Biscoe,34.5,18.1,187,2900,female,2008
Adelie,Biscoe,41.4,18.6,191,3700,male,2008
Adelie,Biscoe,39,17.5,186,3550,female,2008
Adelie,Biscoe,40.6,18.8,193,3800,male,2008
Adelie,Biscoe,36.5,16.6,181,2850,female,2008
Adelie,Biscoe,37.6,19.1,194,3750,male,2008
Adelie,Biscoe,35.7,16.9,185,3150,female,2008
Adelie,Biscoe,41.3,21.1,195,4400,male,2008
Adelie,Biscoe,37.6,17,185,3600,female,2008
Adelie,Biscoe,41.1,18.2,192,4050,male,2008
Adelie,Biscoe,36.4,17.1,184,2850,female,2008
Adelie,Biscoe,41.6,18,192,3950,male,2008
Adelie,Biscoe,35.5,16.2,195,3350,female,2008
Adelie,Biscoe,41.1,19.1,188,4100,male,2008
Adelie,Torgersen,35.9,16.6,190,3050,female,2008
Adelie,Torgersen,41.8,19.4,198,4450,male,2008
Adelie,Torgersen,33.5,19,190,3600,female,2008
Adelie,Torgersen,39.7,18.4,190,3900,male,2008
Adelie,Torgersen,39.6,17.2,196,3550,female,2008
Adelie,Torgersen,45.8,18.9,197,4150,male,2008
Adelie,Torgersen,35.5,17.5,190,3700,female,2008
Adelie,Torgersen,42.8,18.5,195,4250,male,2008
Adelie,Torgersen,40.9,16.8,191,3700,female,2008
Adelie,Torgersen,37.2,19.4,184,3900,male,2008
Adelie,Torgersen,36.2,16.1,187,3550,female,2008
Adelie,Torgersen,42.1,19.1,195,4000,male,2008
Adelie,Torgersen,34.6,17.2,189,3200,female,2008
Adelie,Torgersen,42.9,17.6,196,4700,male,2008
Adelie,Torgersen,36.7,18.8,187,3800,female,2008
Adelie,Torgersen,35.1,19.4,193,4200,male,2008
Adelie,Dream,37.3,17.8,191,3350,female,2008
Adelie,Dream,41.3,20.3,194,3550,male,2008
Adelie,Dream,36.3,19.5,190,3800,male,2008
Adelie,Dream,36.9,18.6,189,3500,female,2008
Adelie,Dream,38.3,19.2,189,3950,male,2008
Adelie,Dream,38.9,18.8,190,3600,female,2008
Adelie,Dream,35.7,18,202,3550,female,2008
Adelie,Dream,41.1,18.1,205,4300,male,2008
Adelie,Dream,34,17.1,185,3400,female,2008
Adelie,Dream,39.6,18.1,186,4450,male,2008
Adelie,Dream,36.2,17.3,187,3300,female,2008
Adelie,Dream,40.8,18.9,208,4300,male,2008
Adelie,Dream,38.1,18.6,190,3700,female,2008
Adelie,Dream,40.3,18.5,196,4350,male,2008
Adelie,Dream,33.1,16.1,178,2900,female,2008
Adelie,Dream,43.2,18.5,192,4100,male,2008
Adelie,Biscoe,35,17.9,192,3725,female,2009
Adelie,Biscoe,41,20,203,4725,male,2009
Adelie,Biscoe,37.7,16,183,3075,female,2009
Adelie,Biscoe,37.8,20,190,4250,male,2009
Adelie,Biscoe,37.9,18.6,193,2925,female,2009
Adelie,Biscoe,39.7,18.9,184,3550,male,2009
Adelie,Biscoe,38.6,17.2,199,3750,female,2009
Adelie,Biscoe,38.2,20,190,3900,male,2009
Adelie,Biscoe,38.1,17,181,3175,female,2009
Adelie,Biscoe,43.2,19,197,4775,male,2009
Adelie,Biscoe,38.1,16.5,198,3825,female,2009
Adelie,Biscoe,45.6,20.3,191,4600,male,2009
Adelie,Biscoe,39.7,17.7,193,3200,female,2009
Adelie,Biscoe,42.2,19.5,197,4275,male,2009
Adelie,Biscoe,39.6,20.7,191,3900,female,2009
Adelie,Biscoe,42.7,18.3,196,4075,male,2009
Adelie,Torgersen,38.6,17,188,2900,female,2009
Adelie,Torgersen,37.3,20.5,199,3775,male,2009
Adelie,Torgersen,35.7,17,189,3350,female,2009
Adelie,Torgersen,41.1,18.6,189,3325,male,2009
Adelie,Torgersen,36.2,17.2,187,3150,female,2009
Adelie,Torgersen,37.7,19.8,198,3500,male,2009
Adelie,Torgersen,40.2,17,176,3450,female,2009
Adelie,Torgersen,41.4,18.5,202,3875,male,2009
Adelie,Torgersen,35.2,15.9,186,3050,female,2009
Adelie,Torgersen,40.6,19,199,4000,male,2009
Adelie,Torgersen,38.8,17.6,191,3275,female,2009
Adelie,Torgersen,41.5,18.3,195,4300,male,2009
Adelie,Torgersen,39,17.1,191,3050,female,2009
Adelie,Torgersen,44.1,18,210,4000,male,2009
Adelie,Torgersen,38.5,17.9,190,3325,female,2009
Adelie,Torgersen,43.1,19.2,197,3500,male,2009
Adelie,Dream,36.8,18.5,193,3500,female,2009
Adelie,Dream,37.5,18.5,199,4475,male,2009
Adelie,Dream,38.1,17.6,187,3425,female,2009
Adelie,Dream,41.1,17.5,190,3900,male,2009
Adelie,Dream,35.6,17.5,191,3175,female,2009
Adelie,Dream,40.2,20.1,200,3975,male,2009
Adelie,Dream,37,16.5,185,3400,female,2009
Adelie,Dream,39.7,17.9,193,4250,male,2009
Adelie,Dream,40.2,17.1,193,3400,female,2009
Adelie,Dream,40.6,17.2,187,3475,male,2009
Adelie,Dream,32.1,15.5,188,3050,female,2009
Adelie,Dream,40.7,17,190,3725,male,2009
Adelie,Dream,37.3,16.8,192,3000,female,2009
Adelie,Dream,39,18.7,185,3650,male,2009
Adelie,Dream,39.2,18.6,190,4250,male,2009
Adelie,Dream,36.6,18.4,184,3475,female,2009
Adelie,Dream,36,17.8,195,3450,female,2009
Adelie,Dream,37.8,18.1,193,3750,male,2009
Adelie,Dream,36,17.1,187,3700,female,2009
Adelie,Dream,41.5,18.5,201,4000,male,2009
Gentoo,Biscoe,46.1,13.2,211,4500,female,2007
Gentoo,Biscoe,50,16.3,230,5700,male,2007
Gentoo,Biscoe,48.7,14.1,210,4450,female,2007
Gentoo,Biscoe,50,15.2,218,5700,male,2007
Gentoo,Biscoe,47.6,14.5,215,5400,male,2007
Gentoo,Biscoe,46.5,13.5,210,4550,female,2007
Gentoo,Biscoe,45.4,14.6,211,4800,female,2007
Gentoo,Biscoe,46.7,15.3,219,5200,male,2007
Gentoo,Biscoe,43.3,13.4,209,4400,female,2007
Gentoo,Biscoe,46.8,15.4,215,5150,male,2007
Gentoo,Biscoe,40.9,13.7,214,4650,female,2007
Gentoo,Biscoe,49,16.1,216,5550,male,2007
Gentoo,Biscoe,45.5,13.7,214,4650,female,2007
Gentoo,Biscoe,48.4,14.6,213,5850,male,2007
Gentoo,Biscoe,45.8,14.6,210,4200,female,2007
Gentoo,Biscoe,49.3,15.7,217,5850,male,2007
Gentoo,Biscoe,42,13.5,210,4150,female,2007
Gentoo,Biscoe,49.2,15.2,221,6300,male,2007
Gentoo,Biscoe,46.2,14.5,209,4800,female,2007
Gentoo,Biscoe,48.7,15.1,222,5350,male,2007
Gentoo,Biscoe,50.2,14.3,218,5700,male,2007
Gentoo,Biscoe,45.1,14.5,215,5000,female,2007
Gentoo,Biscoe,46.5,14.5,213,4400,female,2007
Gentoo,Biscoe,46.3,15.8,215,5050,male,2007
Gentoo,Biscoe,42.9,13.1,215,5000,female,2007
Gentoo,Biscoe,46.1,15.1,215,5100,male,2007
Gentoo,Biscoe,44.5,14.3,216,4100,NA,2007
Gentoo,Biscoe,47.8,15,215,5650,male,2007
Gentoo,Biscoe,48.2,14.3,210,4600,female,2007
Gentoo,Biscoe,50,15.3,220,5550,male,2007
Gentoo,Biscoe,47.3,15.3,222,5250,male,2007
Gentoo,Biscoe,42.8,14.2,209,4700,female,2007
Gentoo,Biscoe,45.1,14.5,207,5050,female,2007
Gentoo,Biscoe,59.6,17,230,6050,male,2007
Gentoo,Biscoe,49.1,14.8,220,5150,female,2008
Gentoo,Biscoe,48.4,16.3,220,5400,male,2008
Gentoo,Biscoe,42.6,13.7,213,4950,female,2008
Gentoo,Biscoe,44.4,17.3,219,5250,male,2008
Gentoo,Biscoe,44,13.6,208,4350,female,2008
Gentoo,Biscoe,48.7,15.7,208,5350,male,2008
Gentoo,Biscoe,42.7,13.7,208,3950,female,2008
Gentoo,Biscoe,49.6,16,225,5700,male,2008
Gentoo,Biscoe,45.3,13.7,210,4300,female,2008
Gentoo,Biscoe,49.6,15,216,4750,male,2008
Gentoo,Biscoe,50.5,15.9,222,5550,male,2008
Gentoo,Biscoe,43.6,13.9,217,4900,female,2008
Gentoo,Biscoe,45.5,13.9,210,4200,female,2008
Gentoo,Biscoe,50.5,15.9,225,5400,male,2008
Gentoo,Biscoe,44.9,13.3,213,5100,female,2008
Gentoo,Biscoe,45.2,15.8,215,5300,male,2008
Gentoo,Biscoe,46.6,14.2,210,4850,female,2008
Gentoo,Biscoe,48.5,14.1,220,5300,male,2008
Gentoo,Biscoe,45.1,14.4,210,4400,female,2008
Gentoo,Biscoe,50.1,15,225,5000,male,2008
Gentoo,Biscoe,46.5,14.4,217,4900,female,2008
Gentoo,Biscoe,45,15.4,220,5050,male,2008
Gentoo,Biscoe,43.8,13.9,208,4300,female,2008
Gentoo,Biscoe,45.5,15,220,5000,male,2008
Gentoo,Biscoe,43.2,14.5,208,4450,female,2008
Gentoo,Biscoe,50.4,15.3,224,5550,male,2008
Gentoo,Biscoe,45.3,13.8,208,4200,female,2008
Gentoo,Biscoe,46.2,14.9,221,5300,male,2008
Gentoo,Biscoe,45.7,13.9,214,4400,female,2008
Gentoo,Biscoe,54.3,15.7,231,5650,male,2008
Gentoo,Biscoe,45.8,14.2,219,4700,female,2008
Gentoo,Biscoe,49.8,16.8,230,5700,male,2008
Gentoo,Biscoe,46.2,14.4,214,4650,NA,2008
Gentoo,Biscoe,49.5,16.2,229,5800,male,2008
Gentoo,Biscoe,43.5,14.2,220,4700,female,2008
Gentoo,Biscoe,50.7,15,223,5550,male,2008
Gentoo,Biscoe,47.7,15,216,4750,female,2008
Gentoo,Biscoe,46.4,15.6,221,5000,male,2008
Gentoo,Biscoe,48.2,15.6,221,5100,male,2008
Gentoo,Biscoe,46.5,14.8,217,5200,female,2008
Gentoo,Biscoe,46.4,15,216,4700,female,2008
Gentoo,Biscoe,48.6,16,230,5800,male,2008
Gentoo,Biscoe,47.5,14.2,209,4600,female,2008
Gentoo,Biscoe,51.1,16.3,220,6000,male,2008
Gentoo,Biscoe,45.2,13.8,215,4750,female,2008
Gentoo,Biscoe,45.2,16.4,223,5950,male,2008
Gentoo,Biscoe,49.1,14.5,212,4625,female,2009
Gentoo,Biscoe,52.5,15.6,221,5450,male,2009
Gentoo,Biscoe,47.4,14.6,212,4725,female,2009
Gentoo,Biscoe,50,15.9,224,5350,male,2009
Gentoo,Biscoe,44.9,13.8,212,4750,female,2009
Gentoo,Biscoe,50.8,17.3,228,5600,male,2009
Gentoo,Biscoe,43.4,14.4,218,4600,female,2009
Gentoo,Biscoe,51.3,14.2,218,5300,male,2009
Gentoo,Biscoe,47.5,14,212,4875,female,2009
Gentoo,Biscoe,52.1,17,230,5550,male,2009
Gentoo,Biscoe,47.5,15,218,4950,female,2009
Gentoo,Biscoe,52.2,17.1,228,5400,male,2009
Gentoo,Biscoe,45.5,14.5,212,4750,female,2009
Gentoo,Biscoe,49.5,16.1,224,5650,male,2009
Gentoo,Biscoe,44.5,14.7,214,4850,female,2009
Gentoo,Biscoe,50.8,15.7,226,5200,male,2009
Gentoo,Biscoe,49.4,15.8,216,4925,male,2009
Gentoo,Biscoe,46.9,14.6,222,4875,female,2009
Gentoo,Biscoe,48.4,14.4,203,4625,female,2009
Gentoo,Biscoe,51.1,16.5,225,5250,male,2009
Gentoo,Biscoe,48.5,15,219,4850,female,2009
Gentoo,Biscoe,55.9,17,228,5600,male,2009
Gentoo,Biscoe,47.2,15.5,215,4975,female,2009
Gentoo,Biscoe,49.1,15,228,5500,male,2009
Gentoo,Biscoe,47.3,13.8,216,4725,NA,2009
Gentoo,Biscoe,46.8,16.1,215,5500,male,2009
Gentoo,Biscoe,41.7,14.7,210,4700,female,2009
Gentoo,Biscoe,53.4,15.8,219,5500,male,2009
Gentoo,Biscoe,43.3,14,208,4575,female,2009
Gentoo,Biscoe,48.1,15.1,209,5500,male,2009
Gentoo,Biscoe,50.5,15.2,216,5000,female,2009
Gentoo,Biscoe,49.8,15.9,229,5950,male,2009
Gentoo,Biscoe,43.5,15.2,213,4650,female,2009
Gentoo,Biscoe,51.5,16.3,230,5500,male,2009
Gentoo,Biscoe,46.2,14.1,217,4375,female,2009
Gentoo,Biscoe,55.1,16,230,5850,male,2009
Gentoo,Biscoe,44.5,15.7,217,4875,NA,2009
Gentoo,Biscoe,48.8,16.2,222,6000,male,2009
Gentoo,Biscoe,47.2,13.7,214,4925,female,2009
Gentoo,Biscoe,NA,NA,NA,NA,NA,2009
Gentoo,Biscoe,46.8,14.3,215,4850,female,2009
Gentoo,Biscoe,50.4,15.7,222,5750,male,2009
Gentoo,Biscoe,45.2,14.8,212,5200,female,2009
Gentoo,Biscoe,49.9,16.1,213,5400,male,2009
Chinstrap,Dream,46.5,17.9,192,3500,female,2007
Chinstrap,Dream,50,19.5,196,3900,male,2007
Chinstrap,Dream,51.3,19.2,193,3650,male,2007
Chinstrap,Dream,45.4,18.7,188,3525,female,2007
Chinstrap,Dream,52.7,19.8,197,3725,male,2007
Chinstrap,Dream,45.2,17.8,198,3950,female,2007
Chinstrap,Dream,46.1,18.2,178,3250,female,2007
Chinstrap,Dream,51.3,18.2,197,3750,male,2007
Chinstrap,Dream,46,18.9,195,4150,female,2007
Chinstrap,Dream,51.3,19.9,198,3700,male,2007
Chinstrap,Dream,46.6,17.8,193,3800,female,2007
Chinstrap,Dream,51.7,20.3,194,3775,male,2007
Chinstrap,Dream,47,17.3,185,3700,female,2007
Chinstrap,Dream,52,18.1,201,4050,male,2007
Chinstrap,Dream,45.9,17.1,190,3575,female,2007
Chinstrap,Dream,50.5,19.6,201,4050,male,2007
Chinstrap,Dream,50.3,20,197,3300,male,2007
Chinstrap,Dream,58,17.8,181,3700,female,2007
Chinstrap,Dream,46.4,18.6,190,3450,female,2007
Chinstrap,Dream,49.2,18.2,195,4400,male,2007
Chinstrap,Dream,42.4,17.3,181,3600,female,2007
Chinstrap,Dream,48.5,17.5,191,3400,male,2007
Chinstrap,Dream,43.2,16.6,187,2900,female,2007
Chinstrap,Dream,50.6,19.4,193,3800,male,2007
Chinstrap,Dream,46.7,17.9,195,3300,female,2007
Chinstrap,Dream,52,19,197,4150,male,2007
Chinstrap,Dream,50.5,18.4,200,3400,female,2008
Chinstrap,Dream,49.5,19,200,3800,male,2008
Chinstrap,Dream,46.4,17.8,191,3700,female,2008
Chinstrap,Dream,52.8,20,205,4550,male,2008
Chinstrap,Dream,40.9,16.6,187,3200,female,2008
Chinstrap,Dream,54.2,20.8,201,4300,male,2008
Chinstrap,Dream,42.5,16.7,187,3350,female,2008
Chinstrap,Dream,51,18.8,203,4100,male,2008
Chinstrap,Dream,49.7,18.6,195,3600,male,2008
Chinstrap,Dream,47.5,16.8,199,3900,female,2008
Chinstrap,Dream,47.6,18.3,195,3850,female,2008
Chinstrap,Dream,52,20.7,210,4800,male,2008
Chinstrap,Dream,46.9,16.6,192,2700,female,2008
Chinstrap,Dream,53.5,19.9,205,4500,male,2008
Chinstrap,Dream,49,19.5,210,3950,male,2008
Chinstrap,Dream,46.2,17.5,187,3650,female,2008
Chinstrap,Dream,50.9,19.1,196,3550,male,2008
Chinstrap,Dream,45.5,17,196,3500,female,2008
Chinstrap,Dream,50.9,17.9,196,3675,female,2009
Chinstrap,Dream,50.8,18.5,201,4450,male,2009
Chinstrap,Dream,50.1,17.9,190,3400,female,2009
Chinstrap,Dream,49,19.6,212,4300,male,2009
Chinstrap,Dream,51.5,18.7,187,3250,male,2009
Chinstrap,Dream,49.8,17.3,198,3675,female,2009
Chinstrap,Dream,48.1,16.4,199,3325,female,2009
Chinstrap,Dream,51.4,19,201,3950,male,2009
Chinstrap,Dream,45.7,17.3,193,3600,female,2009
Chinstrap,Dream,50.7,19.7,203,4050,male,2009
Chinstrap,Dream,42.5,17.3,187,3350,female,2009
Chinstrap,Dream,52.2,18.8,197,3450,male,2009
Chinstrap,Dream,45.2,16.6,191,3250,female,2009
Chinstrap,Dream,49.3,19.9,203,4050,male,2009
Chinstrap,Dream,50.2,18.8,202,3800,male,2009
Chinstrap,Dream,45.6,19.4,194,3525,female,2009
Chinstrap,Dream,51.9,19.5,206,3950,male,2009
Chinstrap,Dream,46.8,16.5,189,3650,female,2009
Chinstrap,Dream,45.7,17,195,3650,female,2009
Chinstrap,Dream,55.8,19.8,207,4000,male,2009
Chinstrap,Dream,43.5,18.1,202,3400,female,2009
Chinstrap,Dream,49.6,18.2,193,3775,male,2009
Chinstrap,Dream,50.8,19,210,4100,male,2009
Chinstrap,Dream,50.2,18.7,198,3775,female,2009

"""#),
      File(
        path: "dvc.yaml", isExecutable: false,
        text: #"""
stages:
  prepare:
    desc: Complete rows alone, and a part of them kept for the test
    cmd: python3 src/prepare.py data/raw.csv data/train.csv data/test.csv ${prepare}
    deps:
      - data/raw.csv
      - src/prepare.py
    params:
      - prepare
    outs:
      - data/train.csv
      - data/test.csv

  train:
    cmd: python3 src/train.py data/train.csv candidate.joblib ${train}
    deps:
      - data/train.csv
      - src/train.py
    params:
      - train
    outs:
      - candidate.joblib

  evaluate:
    cmd: python3 src/evaluate.py candidate.joblib data/test.csv metrics.json
    deps:
      - data/test.csv
      - candidate.joblib
      - src/evaluate.py
    metrics:
      - metrics.json:
          cache: false
    meta:
      cairn:
        context: {data/test.csv: testing}

  register:
    desc: Lets the model through that is good enough; another one fails here, and is not registered
    cmd: python3 src/register.py candidate.joblib metrics.json model.joblib ${register}
    deps:
      - metrics.json
      - candidate.joblib
      - src/register.py
    params:
      - register
    outs:
      - model.joblib

# What `tracking.register` makes a version of in the model registry, whenever a run has made it.
artifacts:
  species-classifier:
    path: model.joblib
    type: model
    desc: Tells three species of penguins apart by bill, flipper and body mass

"""#),
      File(
        path: "params.yaml", isExecutable: false,
        text: #"""
prepare:
  test_share: 0.3
  seed: 20

train:
  c: 1.0

register:
  least_accuracy: 0.95

"""#),
      File(
        path: "requirements.txt", isExecutable: false,
        text: #"""
scikit-learn

"""#),
      File(
        path: "src/evaluate.py", isExecutable: false,
        text: #"""
"""How often the model is right on rows that it has not seen."""
import csv
import json
import sys

import joblib
from sklearn.metrics import accuracy_score, f1_score

model, data, metrics = sys.argv[1:]
with open(data, newline="") as f:
    rows = list(csv.reader(f))[1:]
actual = [row[0] for row in rows]
found = joblib.load(model).predict([[float(value) for value in row[1:]] for row in rows])
result = {"accuracy": round(accuracy_score(actual, found), 4), "f1": round(f1_score(actual, found, \#
average="macro"), 4)}
with open(metrics, "w") as f:
    json.dump(result, f, indent=2)
    f.write("\n")
print(result)

"""#),
      File(
        path: "src/prepare.py", isExecutable: false,
        text: #"""
"""Keeps the complete rows, and lays a share of them aside for the test."""
import argparse
import csv
import random

COLUMNS = ["species", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]

arguments = argparse.ArgumentParser()
arguments.add_argument("raw")
arguments.add_argument("train")
arguments.add_argument("test")
arguments.add_argument("--test_share", type=float)
arguments.add_argument("--seed", type=int)
a = arguments.parse_args()

with open(a.raw, newline="") as f:
    rows = [row for row in csv.DictReader(f) if all(row[name] not in ("", "NA") for name in COLUMNS)]
random.Random(a.seed).shuffle(rows)
count = round(len(rows) * a.test_share)
for path, part in ((a.train, rows[count:]), (a.test, rows[:count])):
    with open(path, "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(part)
print(f"{len(rows) - count} rows to train with, {count} to test with")

"""#),
      File(
        path: "src/register.py", isExecutable: false,
        text: #"""
"""Lets a model through that is good enough. Of another one nothing is registered: this stage fails."""
import argparse
import json
import shutil

arguments = argparse.ArgumentParser()
arguments.add_argument("model")
arguments.add_argument("metrics")
arguments.add_argument("released")
arguments.add_argument("--least_accuracy", type=float)
a = arguments.parse_args()

with open(a.metrics) as f:
    accuracy = json.load(f)["accuracy"]
if accuracy < a.least_accuracy:
    raise SystemExit(f"not released: the accuracy is {accuracy}, and {a.least_accuracy} is asked for")
shutil.copyfile(a.model, a.released)

"""#),
      File(
        path: "src/train.py", isExecutable: false,
        text: #"""
"""Fits a classifier: the first column is what to tell, the others are what to tell it by."""
import argparse
import csv

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

arguments = argparse.ArgumentParser()
arguments.add_argument("data")
arguments.add_argument("model")
arguments.add_argument("--c", type=float)
a = arguments.parse_args()

with open(a.data, newline="") as f:
    rows = list(csv.reader(f))[1:]
model = make_pipeline(StandardScaler(), LogisticRegression(C=a.c, max_iter=1000))
model.fit([[float(value) for value in row[1:]] for row in rows], [row[0] for row in rows])
joblib.dump(model, a.model)

"""#),
    ],
  ]
}
