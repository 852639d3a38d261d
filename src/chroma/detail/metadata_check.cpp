#include "chroma/detail/metadata_check.hpp"

#include <string>

namespace decant::chroma::detail {
namespace {

// The lengths are of no use: a long text goes on in pages of its own, which nothing else reads here.
constexpr auto count_rows = "SELECT count(*), sum(length(string_value)) FROM embedding_metadata NOT INDEXED";
// sqlite counts in the smallest index that has every row: the one of the primary key.
constexpr auto count_indexed = "SELECT count(*) FROM embedding_metadata";
constexpr auto check = "PRAGMA quick_check(embedding_metadata)";
constexpr std::size_t most_findings = 5;

}  // namespace

bool is_metadata_sound(const Database& db) {
    Statement rows = db.prepare(count_rows);
    Statement indexed = db.prepare(count_indexed);
    return rows.try_step() == Step::row && indexed.try_step() == Step::row && rows.integer(0) == indexed.integer(0);
}

std::vector<Finding> describe_metadata_damage(const Database& db) {
    std::vector<Finding> findings;
    Statement lines = db.prepare(check);
    while (findings.size() < most_findings && lines.try_step() == Step::row) {
        std::string line{lines.text(0)};
        line.erase(0, line.rfind('\n') + 1);  // below a line that names the database
        if (line != "ok") {
            findings.push_back({Finding::Severity::damage, "chroma.sqlite3: embedding_metadata", std::move(line)});
        }
    }
    if (findings.empty()) {
        findings.push_back({Finding::Severity::damage, "chroma.sqlite3: embedding_metadata",
                            "The table and its index do not have the same rows."});
    }
    return findings;
}

}  // namespace decant::chroma::detail
