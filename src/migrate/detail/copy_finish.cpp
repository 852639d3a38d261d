#include <fmt/format.h>

#include "migrate/copy_json.hpp"
#include "migrate/detail/copy_job.hpp"
#include "migrate/detail/retry.hpp"
#include "migrate/replace.hpp"

namespace decant::migrate::detail {

void CopyJob::finish() {
    RunStore runs{*db_};
    runs.require_held(run_.id, lock_->token());
    const bool is_equal = !report_.verification || report_.verification->is_equal();
    if (!request_.drop_old) report_.previous_table = runs.find(run_.id).value().previous_table;
    report_.root = root_ ? hex(root_->finish()) : runs.compute_root(run_.id);
    report_.rejects = runs.reject_lines(run_.id);
    for (const chroma::LostRecord& lost : source_->lost())
        report_.rejects.push_back(lost_line(lost));
    const pg::Result first = db_->exec(fmt::format("SELECT id FROM {} ORDER BY id LIMIT 1", load_table().quoted(*db_)));
    if (!first.empty()) report_.example_id = first.text(0, 0);
    if (!pgvector_->is_in_search_path) report_.extension_schema = pgvector_->schema;
    if (request_.drop_old && is_equal) drop_kept_tables(*db_, target_);
    // Statistics of this session's own writes are published, so that rollback can tell later ones from them.
    db_->exec("SELECT pg_catalog.pg_stat_force_next_flush()");
    runs.finish(run_.id, {.state = is_equal ? "done" : "differs",
                          .root = report_.root,
                          .report = json_text(report_json(report_)),
                          .changes = count_changes(*db_, is_equal ? target_ : load_table())});
}

void CopyJob::mark(const std::string& state) noexcept {
    if (db_ && is_under_way()) mark_run(*db_, run_.id, state);
}

}  // namespace decant::migrate::detail
