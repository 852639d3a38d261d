#include "operate/delta.hpp"

#include <fmt/format.h>

#include <set>

#include "core/failpoint.hpp"
#include "migrate/text_fault.hpp"
#include "pg/copy.hpp"

namespace decant::operate {
namespace {

constexpr std::string_view make_sql =
    "CREATE TEMPORARY TABLE decant_delta ON COMMIT DROP AS SELECT id, document, metadata, embedding FROM {} "
    "WITH NO DATA";
constexpr std::string_view fill_sql =
    "COPY decant_delta (id, document, metadata, embedding) FROM STDIN (FORMAT binary)";
// As text, because 1 and 1.0 in JSON, and 0 and -0 in vectors, are equal otherwise.
constexpr std::string_view update_sql =
    "UPDATE {} t SET document = d.document, metadata = d.metadata, embedding = d.embedding FROM decant_delta d "
    "WHERE t.id = d.id AND (t.document IS DISTINCT FROM d.document OR t.metadata::text IS DISTINCT FROM "
    "d.metadata::text OR t.embedding::text IS DISTINCT FROM d.embedding::text)";
constexpr std::string_view insert_sql =
    "INSERT INTO {} (id, document, metadata, embedding) SELECT id, document, metadata, embedding FROM decant_delta "
    "ON CONFLICT (id) DO NOTHING";
constexpr std::string_view delete_sql = "DELETE FROM {} WHERE id = ANY ($1::text[])";

/// Ids without a record that is left. A text that PostgreSQL cannot hold is no row's id.
std::vector<std::string> gone(const Delta& delta, const std::set<std::string, std::less<>>& present) {
    std::vector<std::string> ids;
    for (const std::string& id : delta.ids) {
        if (!present.contains(id) && !migrate::find_text_fault(id)) ids.push_back(id);
    }
    return ids;
}

}  // namespace

DeltaCounts apply_delta(pg::Connection& db, const Delta& delta, migrate::PageStream& pages) {
    DeltaCounts counts;
    const std::string table = delta.table.quoted(db);
    std::set<std::string, std::less<>> present;
    for (const chroma::LostRecord& lost : delta.lost)
        present.insert(lost.id);

    db.exec(fmt::format(make_sql, table));
    std::uint64_t rows = 0;
    while (auto page = pages.next()) {
        for (std::size_t row = 0; row < page->rows(); ++row)
            present.emplace(page->id(row));
        for (migrate::Reject& reject : page->rejects) {
            present.insert(reject.id);
            counts.rejects.push_back(std::move(reject));
        }
        rows += page->rows();
        pg::CopyIn copy{db, fill_sql};
        copy.write(page->images);
        copy.finish();
    }
    counts.updated = db.exec(fmt::format(update_sql, table)).affected();
    counts.inserted = db.exec(fmt::format(insert_sql, table)).affected();
    counts.unchanged = rows - counts.updated - counts.inserted;
    if (const std::vector<std::string> ids = gone(delta, present); !ids.empty())
        counts.deleted = db.query(fmt::format(delete_sql, table), {pg::array_literal(ids)}).affected();
    failpoint("follow.rows_written");
    return counts;
}

}  // namespace decant::operate
