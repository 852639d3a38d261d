#include "migrate/load.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/failpoint.hpp"
#include "pg/copy.hpp"

namespace decant::migrate {
namespace {

constexpr std::string_view columns = "(id, document, metadata, embedding)";

/// A server that crashes may lose the last pages, data and checkpoint together: the run goes on from the checkpoint
/// that is left. The change of phase that follows a load is committed synchronously, which makes all before it durable.
constexpr std::string_view begin_page_sql = "BEGIN; SET LOCAL synchronous_commit = off";

class PageWriter {
public:
    PageWriter(const LoadConnections& connections, const LoadPlan& plan)
        : db_(connections.writer), plan_(plan), quoted_(plan.table.quoted(db_)) {}

    Counts write(const Page& page, const PageChanges& changes) {
        Counts delta{.read = page.read,
                     .copied = changes.fresh.size(),
                     .updated = changes.changed.size(),
                     .unchanged = changes.unchanged,
                     .rejected = page.rejects.size()};
        // Of lost ones the rows are right: they stay, and a later verification without the source knows them.
        std::vector<std::string> kept = changes.extra;
        const auto others =
            std::ranges::partition(kept, [&](const std::string& id) { return plan_.absent_ids.contains(id); });
        const std::vector<std::string> extra{others.begin(), others.end()};
        (plan_.prune ? delta.pruned : delta.kept) = extra.size();
        delta.bytes = bytes_of(page, changes.fresh) + bytes_of(page, changes.changed);

        pg::Transaction tx{db_, begin_page_sql};
        failpoint("copy.page_begun");
        if (!changes.fresh.empty()) insert(page, changes.fresh);
        if (!changes.changed.empty()) update(page, changes.changed);
        if (plan_.prune && !extra.empty()) {
            db_.query(fmt::format("DELETE FROM {} WHERE id = ANY($1::text[])", quoted_), {pg::array_literal(extra)});
            kept.erase(others.begin(), others.end());
        }
        failpoint("copy.page_written");
        RunStore{db_}.save_page(plan_.run_id, plan_.token, {page, delta, std::move(kept)});
        failpoint("copy.checkpoint_written");
        tx.commit();
        if (plan_.root != nullptr) plan_.root->update(page.leaves);
        failpoint("copy.page_committed");
        return delta;
    }

private:
    static std::uint64_t bytes_of(const Page& page, const std::vector<std::size_t>& rows) {
        std::uint64_t bytes = 0;
        for (const std::size_t row : rows)
            bytes += page.image(row).size();
        return bytes;
    }

    static void copy_rows(pg::CopyIn& copy, const Page& page, const std::vector<std::size_t>& rows) {
        if (rows.size() == page.rows()) {
            copy.write(page.images);
            return;
        }
        for (const std::size_t row : rows)
            copy.write(page.image(row));
    }

    void insert(const Page& page, const std::vector<std::size_t>& rows) {
        pg::CopyIn copy{db_, fmt::format("COPY {} {} FROM STDIN (FORMAT binary)", quoted_, columns)};
        copy_rows(copy, page, rows);
        failpoint("copy.rows_sent");
        copy.finish();
    }

    void update(const Page& page, const std::vector<std::size_t>& rows) {
        db_.exec(
            fmt::format("CREATE TEMPORARY TABLE decant_changed ON COMMIT DROP AS "
                        "SELECT id, document, metadata, embedding FROM {} WITH NO DATA",
                        quoted_));
        pg::CopyIn copy{db_, fmt::format("COPY decant_changed {} FROM STDIN (FORMAT binary)", columns)};
        copy_rows(copy, page, rows);
        copy.finish();
        db_.exec(
            fmt::format("UPDATE {} t SET document = c.document, metadata = c.metadata, embedding = c.embedding "
                        "FROM decant_changed c WHERE t.id = c.id",
                        quoted_));
    }

    pg::Connection& db_;
    const LoadPlan& plan_;
    std::string quoted_;
};

PageChanges all_fresh(const Page& page) {
    PageChanges changes;
    changes.fresh.resize(page.rows());
    for (std::size_t row = 0; row < page.rows(); ++row)
        changes.fresh[row] = row;
    return changes;
}

/// Rows of the table after the source's last record.
PageChanges remaining(TableScan& scan) {
    PageChanges changes;
    for (; scan.row(); scan.advance())
        changes.extra.emplace_back(scan.id());
    return changes;
}

}  // namespace

PageChanges compare_page(const Page& page, TableScan& scan) {
    PageChanges changes;
    auto reject = page.rejects.begin();
    const auto pass_below = [&](std::string_view id) {
        for (; scan.row() && scan.id() < id; scan.advance()) {
            while (reject != page.rejects.end() && reject->id < scan.id())
                ++reject;
            const bool is_rejected = reject != page.rejects.end() && reject->id == scan.id();
            if (!is_rejected) changes.extra.emplace_back(scan.id());
        }
    };
    for (std::size_t row = 0; row < page.rows(); ++row) {
        const std::string_view id = page.id(row);
        pass_below(id);
        if (!scan.row() || scan.id() != id) {
            changes.fresh.push_back(row);
            continue;
        }
        if (*scan.row() == page.image(row))
            ++changes.unchanged;
        else
            changes.changed.push_back(row);
        scan.advance();
    }
    pass_below(page.last_id);
    // The last id itself may be a rejected one that the table still has.
    if (scan.row() && scan.id() == page.last_id) scan.advance();
    return changes;
}

void load_pages(const LoadConnections& connections, const LoadPlan& plan, PageStream& pages,
                const PageObserver& on_page) {
    PageWriter writer{connections, plan};
    std::optional<TableScan> scan;
    if (!plan.is_empty) scan.emplace(*connections.scanner, plan.table, plan.after_id);
    while (const std::optional<Page> page = pages.next()) {
        const PageChanges changes = scan ? compare_page(*page, *scan) : all_fresh(*page);
        if (!on_page(writer.write(*page, changes))) {
            throw Error{ErrorCode::cancelled, "Interrupted at a page edge: all pages so far are committed",
                        "Run the same command again: it goes on after the last page."};
        }
    }
    if (!scan || !scan->row()) return;
    const PageChanges tail = remaining(*scan);
    Page empty;
    empty.last_id = tail.extra.back();
    on_page(writer.write(empty, tail));
}

}  // namespace decant::migrate
