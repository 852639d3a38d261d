# part NAME COMMAND...: runs one part of a long campaign, keeps its outcome and its time, and goes on.
# Exit code 77 of a part: it cannot run here (it needs root, say); it is reported as skipped, never as passed.
# close_parts: what the failed ones said of it, the table of parts, what passed at its second try only, then
# the counts; fails when a part has failed.
part_lines=()
part_failures=()
part_unsteady=()
parts_passed=0
parts_failed=0
parts_skipped=0

part() {
    local name=$1 outcome=passed started=$SECONDS code=0 log line
    shift
    log=$(mktemp)
    printf '\n== %s\n' "$name"
    # Not `|| code=$?`: that would take errexit away from what runs.
    set +e
    (set -e; "$@") 2>&1 | tee "$log"
    code=${PIPESTATUS[0]}
    set -e
    while read -r line; do part_unsteady+=("$line"); done < <(grep '^unsteady: ' "$log")
    case $code in
        0) parts_passed=$((parts_passed + 1)) ;;
        77) outcome=skipped parts_skipped=$((parts_skipped + 1)) ;;
        *)
            outcome=FAILED parts_failed=$((parts_failed + 1))
            part_failures+=("== $name: $(failures_in "$log")")
            ;;
    esac
    rm -f "$log"
    part_lines+=("$(printf '%-40s %-8s %5.1f' "$name" "$outcome" "$(((SECONDS - started) * 10 / 60))e-1")")
}

# The lines that name a failure, each with what follows it, and the end.
failures_in() {
    grep -E -A 8 '(: Failure$|\[  FAILED  \] [A-Z]|\*\*\*(Failed|Timeout|Exception)|^not ok|ERROR: )' "$1" | cut -c1-300 | head -n 150
    tail -n 8 "$1" | cut -c1-300
}

close_parts() {
    [ "$parts_failed" -eq 0 ] || printf '\n%s\n' "${part_failures[@]}"
    printf '\n%-40s %-8s %5s\n' part outcome minutes
    printf '%s\n' "${part_lines[@]}"
    [ "${#part_unsteady[@]}" -eq 0 ] || printf '\n%s\n' "${part_unsteady[@]}"
    printf '\n%d passed, %d failed, %d skipped\n' "$parts_passed" "$parts_failed" "$parts_skipped"
    [ "$parts_failed" -eq 0 ]
}
