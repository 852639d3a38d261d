# PostgreSQL 15 with pgvector, for the tests: Debian 12's server and, built for it, Debian 13's source package of pgvector.
# Packages are unpacked, not installed. They come by an apt configuration of the tests' own, whose list, state and cache
# are below .deps; of the machine's only the mirror is read that it names.
postgres15_dir=$deps_dir/postgresql-15
postgres15_bin=$postgres15_dir/usr/lib/postgresql/15/bin

# own_apt ARGUMENT...: apt-get with the configuration in ./apt.
own_apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$PWD/apt/debian.sources" -o Dir::Etc::sourceparts="$PWD/apt/parts" \
        -o Dir::State::status=/dev/null -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

# Debian 12's packages, Debian 13's sources.
configure_apt() {
    local mirror type
    mirror=$(debian_mirror) || return
    mkdir -p apt/parts apt/lists/partial apt/cache/archives/partial
    for type in 'deb bookworm' 'deb-src trixie'; do
        printf 'Types: %s\nSuites: %s\nURIs: %s\nComponents: main\nSigned-By: %s\n\n' "${type% *}" "${type#* }" "$mirror" \
            /usr/share/keyrings/debian-archive-keyring.gpg
    done >apt/debian.sources
    own_apt update
}

# Fills ./root; `&&` because errexit is off in what a `||` follows.
fill_root() {
    local package
    configure_apt &&
        own_apt download postgresql-15 postgresql-client-15 postgresql-server-dev-15 &&
        for package in *.deb; do dpkg-deb -x "$package" root || return; done &&
        own_apt --download-only source pgvector &&
        mkdir pgvector &&
        tar -xzf pgvector_*.orig.tar.gz -C pgvector --strip-components=1 &&
        # LLVM's bitcode is for JIT, which the tests do without.
        make -s -C pgvector all install PG_CONFIG="$PWD/root/usr/lib/postgresql/15/bin/pg_config" with_llvm=no OPTFLAGS= &&
        touch root/.complete
}

# Exit code 77 where there is no such thing: another release than Debian 12.
prepare_postgres15() {
    local scratch
    [ ! -e "$postgres15_dir/.complete" ] || return 0
    if [ "$(release_name)" != debian-12 ]; then
        say "PostgreSQL 15 is tested with Debian 12's packages only"
        return 77
    fi
    mkdir -p "$deps_dir"
    scratch=$(mktemp -d "$deps_dir/postgresql-15.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    (cd "$scratch" && fill_root) >"$scratch/log" 2>&1 ||
        fail "PostgreSQL 15 could not be prepared: $(tail -n 5 "$scratch/log")"
    chmod -R a+rX "$scratch/root"
    rm -rf "$postgres15_dir"
    mv -T "$scratch/root" "$postgres15_dir"
    rm -rf "$scratch"
    trap - EXIT
}
