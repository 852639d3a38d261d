# A server of the sample's catalog in a folder of its own, for campaigns over HTTP.
# start_api_catalog: makes the folder ($api_folder) with a private PostgreSQL that holds the catalog; all goes at exit.
# start_api_server [VARIABLE=VALUE...]: starts `decant serve` on a free port; its address is in $api_url.
# stop_api_server: ends it, and fails where it does not end well.

decant=$root_dir/build/release/decant

start_api_catalog() {
    # Nothing of what the environment or a .env says about databases and models.
    unset DATABASE_URL DATABASE_URL_FILE DB_HOST PGHOST PGHOSTADDR PGSERVICE CHROMA_PATH CHROMA_URL DECANT_EMBEDDER \
        DECANT_EMBEDDING_MODEL OLLAMA_API_URL OLLAMA_API_MODEL OLLAMA_API_MODEL_EMBEDDING JWT_SECRET_KEY \
        DECANT_ENV_FILE
    api_folder=$(mktemp -d)
    chmod 755 "$api_folder"
    api_server=
    trap end_api_catalog EXIT
    export DECANT_HOME=$api_folder/home
    tar -xzf "$root_dir/sample/chroma.tar.gz" -C "$api_folder"
    gunzip <"$root_dir/sample/products.jsonl.gz" >"$api_folder/products.jsonl"
    cd "$api_folder"
    {
        "$decant" db start
        "$decant" schema up
        "$decant" products load products.jsonl
        "$decant" migrate --from chroma
    } >"$api_folder/catalog.log" 2>&1 || fail "the catalog could not be made: $(tail -n 5 "$api_folder/catalog.log")"
}

end_api_catalog() {
    [ -z "$api_server" ] || kill -KILL "$api_server" 2>/dev/null || true
    "$decant" db destroy --yes >/dev/null 2>&1 || true
    rm -rf "$api_folder"
}

# Waits until the server says where it listens, and until it can search.
start_api_server() {
    local none
    none=$(printf ' DECANT_RATE_%s=0' SEARCH EMBEDDING BATCH MONITORING CHAT FAILED_LOGIN)
    rm -f "$api_folder/serve.out"  # of a server before
    # shellcheck disable=SC2086
    env $none DECANT_LLM=none "$@" "$decant" serve --port 0 --no-worker >"$api_folder/serve.out" 2>"$api_folder/serve.log" &
    api_server=$!
    until api_url=$(head -n 1 "$api_folder/serve.out" 2>/dev/null) && [ -n "$api_url" ]; do
        kill -0 "$api_server" 2>/dev/null || fail "the server ended: $(tail -n 5 "$api_folder/serve.log")"
        sleep 0.1
    done
    curl -sSf --retry 60 --retry-delay 1 --retry-all-errors -o /dev/null "$api_url/readyz"
}

stop_api_server() {
    kill -TERM "$api_server"
    wait "$api_server" || fail "the server ended with $?: $(tail -n 5 "$api_folder/serve.log")"
    api_server=
}
