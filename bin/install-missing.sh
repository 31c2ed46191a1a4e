# Sourced by the scripts beside it: finds out what is missing on this machine and installs it where apt can (Debian, Ubuntu).
# What it installs starts no service and makes no cluster: a Postgres or Redis that runs here is not touched.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }

stop_with() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

have_postgres() { have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

have_fonts() { have fc-list && [ -n "$(fc-list 2>/dev/null | head -n 1)" ]; }

need_rust() {
    [ -d "$HOME/.cargo/bin" ] && PATH="$HOME/.cargo/bin:$PATH"
    have cargo || stop_with "Rust is missing. Install it by https://rustup.rs, then run this again."
}

need_node() {
    have node && have npm || stop_with "Node.js 20 or newer with npm is missing. Install it (Debian: apt install nodejs npm), then run this again."
    local major
    major=$(node --print 'process.versions.node.split(".")[0]')
    [ "$major" -ge 20 ] || stop_with "Node.js is version $major here; version 20 or newer is needed."
}

# need_programs "program or function" "package"…: installs the packages of the programs that are missing.
need_programs() {
    local missing=()
    while [ $# -gt 0 ]; do
        case $1 in
            postgres) have_postgres || missing+=("$2") ;;
            fonts) have_fonts || missing+=("$2") ;;
            *) have "$1" || missing+=("$2") ;;
        esac
        shift 2
    done
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# need_venv FOLDER REQUIREMENTS: a Python environment with exactly these, made again when they change.
need_venv() {
    need_programs python3 python3
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    if ! cmp -s "$2" "$1/requirements.txt"; then
        rm -rf "$1"
        python3 -m venv "$1"
        "$1/bin/pip" install --quiet --disable-pip-version-check -r "$2"
        cp "$2" "$1/requirements.txt"
    fi
}

install_packages() {
    have apt-get || stop_with "Missing here: $*
(these are the names of Debian's packages). Install them with this system's own tools, then run this again."
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        have sudo || stop_with "Missing here: $*
Install them as root: apt-get install $*"
        root=(sudo)
    fi
    say "Installing $*"
    local log
    log=$(mktemp)
    # One installation at a time, also when two clones start at once: the folder of dpkg is the lock.
    if ! flock /var/lib/dpkg "${root[@]}" env DEBIAN_FRONTEND=noninteractive bash -s -- "$@" >"$log" 2>&1 <<'INSTALL'; then
set -euo pipefail
quiet=()
trap 'for file in "${quiet[@]}"; do rm -f "$file"; done' EXIT
# Packages ask this program before they start a service; 101 means no.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    quiet+=(/usr/sbin/policy-rc.d)
fi
# Debian's Postgres makes a cluster on port 5432 unless told otherwise.
if [ ! -e /etc/postgresql-common/createcluster.d/bedside.conf ]; then
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/bedside.conf
    quiet+=(/etc/postgresql-common/createcluster.d/bedside.conf)
fi
had_redis=$(command -v redis-server || true)
apt-get -o DPkg::Lock::Timeout=300 update
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
# A Redis that came with this is ours to leave switched off.
if [ -z "$had_redis" ] && command -v redis-server >/dev/null && command -v systemctl >/dev/null; then
    systemctl disable redis-server || true
fi
INSTALL
        cat "$log" >&2
        rm -f "$log"
        stop_with "The packages $* could not be installed; what apt said is above."
    fi
    rm -f "$log"
}
