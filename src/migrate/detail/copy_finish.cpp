#include <fmt/format.h>

#include "migrate/copy_json.hpp"
#include "migrate/detail/copy_job.hpp"

namespace decant::migrate::detail {

void CopyJob::finish() {
    RunStore runs{*db_};
    report_.previous_table = runs.find(run_.id).value().previous_table;
    report_.root = runs.compute_root(run_.id);
    report_.rejects = runs.reject_lines(run_.id);
    const pg::Result first = db_->exec(fmt::format("SELECT id FROM {} ORDER BY id LIMIT 1", load_table().quoted(*db_)));
    if (!first.empty()) report_.example_id = first.text(0, 0);
    // Statistics of this session's own writes are published, so that rollback can tell later ones from them.
    db_->exec("SELECT pg_catalog.pg_stat_force_next_flush()");
    const bool is_equal = !report_.verification || report_.verification->is_equal();
    runs.finish(run_.id, {.state = is_equal ? "done" : "failed",
                          .root = report_.root,
                          .report = report_json(report_),
                          .changes = count_changes(*db_, is_equal ? target_ : load_table())});
}

void CopyJob::mark(const std::string& state) noexcept {
    if (!db_ || run_.id == 0) return;
    try {
        RunStore{*db_}.set_state(run_.id, state);
    } catch (const std::exception&) {
        // The error that ended the run is the one to report; a run left 'running' is taken over by the next.
        return;
    }
}

}  // namespace decant::migrate::detail
