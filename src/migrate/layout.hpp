#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "migrate/copy.hpp"

namespace decant::migrate {

/// Tables of other programs that a collection can be copied into, so that they find it without embedding anew:
/// langchain-postgres' PGVectorStore (a table a collection: langchain_id, content, embedding, langchain_metadata) and
/// PGVector (all collections in langchain_pg_embedding, their names in langchain_pg_collection).
enum class Layout { langchain, langchain_legacy };

struct LayoutReport {
    Layout layout = Layout::langchain;
    CopyReport copy;  ///< into a table beside, which is gone when all went well
    TableName table;
    std::string url;            ///< of the database, for SQLAlchemy; without a password
    std::uint64_t written = 0;  ///< rows inserted or changed
    std::uint64_t unchanged = 0;
    std::uint64_t pruned = 0;
    std::uint64_t difference_count = 0;
    std::vector<std::string> differing_ids;  ///< the first of them
    bool is_transferred = false;             ///< false when the copy did not verify: the table was not touched

    bool is_equal() const noexcept { return is_transferred && difference_count == 0; }
};

/// Copies and verifies the collection as copy_collection does, into a table beside; then moves what is new or changed
/// into the layout's table in one transaction, and compares the two row by row. Rows of the table that are not of the
/// collection stay, unless `prune`. Throws what copy_collection throws; Error{conflict} for a table of another shape
/// and for ids that another collection of a shared table has, Error{dimension_mismatch}.
LayoutReport copy_to_layout(const CopyRequest& request, Layout layout, CopyObserver& observer);

/// The closing report as one JSON document.
json::object layout_json(const LayoutReport& report);

/// Lines of Python that open the table with langchain-postgres.
std::string layout_python(const LayoutReport& report);

}  // namespace decant::migrate
