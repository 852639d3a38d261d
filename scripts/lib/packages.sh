# The one table of package names: a row a group, a column a release where the names differ.
# Debian 12 is tested; Debian 13 and Ubuntu 24.04 are by name only.

release_name() {
    local id version
    id=$(. /etc/os-release && echo "${ID:-unknown}")
    version=$(. /etc/os-release && echo "${VERSION_ID:-unknown}")
    echo "$id-$version"
}

boost_package() {
    case $(release_name) in
        debian-12) echo libboost1.81-dev ;;
        debian-13 | ubuntu-24.04) echo libboost1.83-dev ;;
        *) return 1 ;;
    esac
}

# Prints the names of one group: demo, tests, long, package or package_test.
packages_of() {
    case $1 in
        demo)
            echo ca-certificates g++ cmake ninja-build ccache python3-pip
            echo "$(boost_package)" libpq-dev libsqlite3-dev libsentencepiece-dev libssl-dev libcurl4-openssl-dev zlib1g-dev libzstd-dev libsimdjson-dev libicu-dev
            echo libcli11-dev libspdlog-dev libfmt-dev prometheus-cpp-dev
            echo libgtest-dev libgmock-dev librapidcheck-dev
            ;;
        tests) echo curl python3-venv strace faketime pgbouncer ;;
        long)
            echo clang-19 libclang-rt-19-dev clang-format-19 slowhttptest chromium
            # What PostgreSQL 15 is linked with, and what builds pgvector for it: scripts/lib/postgres15.sh.
            [ "$(release_name)" != debian-12 ] || echo make libxml2 libicu72 libldap-2.5-0 libpam0g
            ;;
        package) echo dpkg-dev file ;;
        package_test) echo curl python3-venv lintian debootstrap systemd ;;
    esac
}

# Where this machine's apt has Debian 12's packages from.
debian_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
        awk '$2 == "bookworm" { print $1; exit }')
    [ -n "$mirror" ] || fail "this machine's apt names no mirror of Debian 12"
    echo "$mirror"
}

missing_of() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# Its many lines are shown only when it fails.
apt_get() {
    local as_root=() log
    is_root || as_root=(sudo)
    log=$(mktemp)
    if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get $1 failed"
    fi
    rm -f "$log"
}

# sudo asks for a password only where somebody can type one.
may_install() {
    is_root && return 0
    command -v sudo >/dev/null || return 1
    [ -t 0 ] || sudo -n true 2>/dev/null
}

# Installs what the named groups lack; without the right to, one line that names the packages.
install_packages() {
    local group names missing
    boost_package >/dev/null || fail "$(release_name) is not known here: Debian 12 is tested, Debian 13 and Ubuntu 24.04" \
        "are by name; add it to scripts/lib/packages.sh"
    names=$(for group in "$@"; do packages_of "$group"; done)
    # shellcheck disable=SC2086
    missing=$(missing_of $names | tr '\n' ' ')
    missing=${missing% }
    [ -n "$missing" ] || return 0
    may_install || fail "packages are missing and this user may not install them; as root run: apt-get install -y $missing"
    say "installing $missing"
    apt_get update
    # shellcheck disable=SC2086
    apt_get install -y --no-install-recommends $missing
}
