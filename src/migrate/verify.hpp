#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/enum_names.hpp"
#include "core/sha256.hpp"
#include "migrate/page_stream.hpp"
#include "migrate/recall.hpp"
#include "migrate/run_store.hpp"
#include "migrate/table_scan.hpp"

namespace decant::migrate {

/// One id that is not as the source (or its digest) says.
struct Difference {
    enum class Kind { changed, missing, extra };
    Kind kind;
    std::string id;
    std::string what;  ///< "embedding", "document, metadata", "row"
};

constexpr std::string_view name_of(Difference::Kind kind) noexcept {
    return EnumNames<Difference::Kind, 3>{{"changed", "missing", "extra"}}[kind];
}

/// All that were found, also those that are not listed. A changed row counts for each column that differs.
struct DifferenceCounts {
    std::uint64_t missing = 0;
    std::uint64_t extra = 0;
    std::uint64_t changed = 0;
    std::uint64_t document = 0;
    std::uint64_t metadata = 0;
    std::uint64_t embedding = 0;
};

struct VerifyOutcome {
    std::string against;     ///< "source" or "digests"
    std::uint64_t rows = 0;  ///< read from the table
    std::uint64_t known_extra =
        0;  ///< of these: the table's own, left by a copy without --prune; compared with nothing
    std::uint64_t bytes = 0;
    std::uint64_t rejected = 0;  ///< records of the source that no row can hold
    std::uint64_t difference_count = 0;
    DifferenceCounts counts;              ///< of difference_count, by their kind
    std::vector<Difference> differences;  ///< the first max_listed_differences, in id order
    double seconds = 0;

    bool is_equal() const noexcept { return difference_count == 0; }
};

inline constexpr std::size_t max_listed_differences = 100'000;

struct VerifyRequest {
    TableName table;
    RowShape shape;
    std::vector<std::string>
        known_extra;  ///< sorted: rows the run knows are the table's own, or the source cannot give
};

/// The leaves of a run, streamed in id order.
class Manifest {
public:
    Manifest(pg::Connection& db, std::int64_t run_id) : db_(db), run_id_(run_id) {}
    /// The view dies at the next call.
    std::optional<Leaf> next();
    /// Hex of the digest over all leaves; call after the last.
    std::string root() { return hex(root_.finish()); }

private:
    pg::Connection& db_;
    std::int64_t run_id_;
    std::int64_t page_ = 0;
    std::string pages_;
    std::string_view left_;
    Sha256 root_;
};

/// Called for every so many rows with the count so far; returning false stops with Error{cancelled}.
using VerifyObserver = std::function<bool(std::uint64_t rows, std::uint64_t bytes)>;

/// Reads every row back and compares it with the source bit for bit. `recall` (may be null) is given every vector.
VerifyOutcome verify_against_source(TableScan& scan, PageStream& pages, const VerifyRequest& request,
                                    const VerifyObserver& on_rows, RecallProbe* recall);

/// Reads every row back and compares its leaf with the run's manifest.
VerifyOutcome verify_against_digests(TableScan& scan, Manifest& manifest, const VerifyRequest& request,
                                     const VerifyObserver& on_rows, RecallProbe* recall);

}  // namespace decant::migrate
