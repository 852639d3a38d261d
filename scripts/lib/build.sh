# build PRESET [TARGET...]: configures once and builds; quick when nothing has changed.
build() {
    local preset=$1 target targets=()
    shift
    for target in "$@"; do targets+=(--target "$target"); done
    # A home that cannot be written to, as a service account's, has no place for ccache.
    [ -w "${HOME:-/nonexistent}" ] || export CCACHE_DIR=${CCACHE_DIR:-$deps_dir/ccache}
    (
        cd "$root_dir"
        [ -e "build/$preset/build.ninja" ] || cmake --preset "$preset" >&2
        cmake --build --preset "$preset" --parallel "$(nproc)" "${targets[@]}" >&2
    )
}
