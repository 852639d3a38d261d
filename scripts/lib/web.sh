# prepare_web: Node with what drives the browser, as prepare_node of node.sh, which is sourced before.
# start_web_catalog: a private PostgreSQL with the sample's catalog, as tests/web/support/server.mjs wants it.

prepare_web() {
    command -v chromium >/dev/null || fail 'chromium is missing: scripts/setup --long installs it'
    prepare_node web
}

# The servers that tests start have copies of its database.
start_web_catalog() {
    start_api_catalog
    # shellcheck disable=SC1090
    . <("$decant" db env)
    export DECANT_TEST_PROGRAM=$decant
}
