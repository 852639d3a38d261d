# The chart library of the web page, from a pinned package. The folder's name is also in cmake/web.cmake.
chart_folder=uplot-1.6.16

install_chart() {
    local scratch
    [ ! -e "$deps_dir/$chart_folder/uPlot.iife.js" ] || return 0
    say "unpacking the chart library of the web page"
    mkdir -p "$deps_dir"
    scratch=$(mktemp -d "$deps_dir/chart.XXXXXX")
    pip download --quiet --no-deps --only-binary :all: --require-hashes \
        -r "$root_dir/scripts/requirements-chart.txt" --dest "$scratch"
    python3 -m zipfile -e "$scratch"/*.whl "$scratch/wheel"
    mkdir -p "$deps_dir/$chart_folder"
    mv -f "$scratch/wheel/uplot/static/uPlot.min.css" "$scratch/wheel/uplot/static/uPlot.iife.js" "$deps_dir/$chart_folder/"
    rm -rf "$scratch"
}
