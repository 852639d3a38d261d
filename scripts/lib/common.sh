# Sourced by the scripts of this folder; sets root_dir and deps_dir.
root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
deps_dir=$root_dir/.deps

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# As root, pip keeps quiet about being root; the index and its options are the user's own configuration.
pip() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip "$@"
            return
        fi
    done
    fail "pip for Python 3 is missing although its package is installed; run: apt-get install --reinstall python3-pip"
}
