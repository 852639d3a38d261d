# part NAME COMMAND...: runs one part of a long campaign, keeps its outcome and its time, and goes on.
# Exit code 77 of a part: it cannot run here (it needs root, say); it is reported as skipped, never as passed.
# close_parts: the table of parts, then the counts; fails when a part has failed.
part_lines=()
parts_passed=0
parts_failed=0
parts_skipped=0

part() {
    local name=$1 outcome=passed started=$SECONDS code=0
    shift
    printf '\n== %s\n' "$name"
    # Not `|| code=$?`: that would take errexit away from what runs.
    set +e
    (set -e; "$@")
    code=$?
    set -e
    case $code in
        0) parts_passed=$((parts_passed + 1)) ;;
        77) outcome=skipped parts_skipped=$((parts_skipped + 1)) ;;
        *) outcome=FAILED parts_failed=$((parts_failed + 1)) ;;
    esac
    part_lines+=("$(printf '%-40s %-8s %5.1f' "$name" "$outcome" "$(((SECONDS - started) * 10 / 60))e-1")")
}

close_parts() {
    printf '\n%-40s %-8s %5s\n' part outcome minutes
    printf '%s\n' "${part_lines[@]}"
    printf '\n%d passed, %d failed, %d skipped\n' "$parts_passed" "$parts_failed" "$parts_skipped"
    [ "$parts_failed" -eq 0 ]
}
