#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/embedder.hpp"
#include "migrate/copy.hpp"

namespace decant::migrate {

/// Whether Chroma's vectors are taken: `automatic` where record and product agree in their texts and, with an embedder,
/// where that is proven to be the one that made them.
enum class Reuse { automatic, always, never };

struct MigrationRequest {
    std::string conninfo;
    chroma::SourceAddress source;
    chroma::CollectionName collection;
    std::uint64_t batch_size = 50;
    std::uint32_t connections = 2;  ///< that write at once
    std::string model;              ///< that made Chroma's vectors; empty: the embedder's, else told by their dimension
    /// Embeds what Chroma has no usable vector for; not set or null: those products wait.
    std::function<std::unique_ptr<embed::Embedder>()> open_embedder = {};
    Reuse reuse = Reuse::automatic;
    bool dry_run = false;
    bool force = false;
    bool verify = true;
    bool create_products = false;
    bool allow_partial = false;
    std::optional<std::uint64_t> seed;  ///< of the spot checks
    std::string command_line;           ///< shown as the command to go on with
};

/// A product that has no vector yet or whose write failed, with why.
struct ProductNote {
    std::string id;
    std::string name;
    std::string reason;
};

inline constexpr std::size_t max_listed_products = 1'000;

/// Counts are of active products: total = migrated + skipped + errors.
struct MigrationReport {
    std::int64_t run_id = 0;
    chroma::Collection collection;
    std::uint64_t total = 0;
    std::uint64_t in_chroma = 0;  ///< products that a record was found for
    std::uint64_t before = 0;     ///< with embedding, before
    std::uint64_t after = 0;
    std::uint64_t expected = 0;
    std::uint64_t planned = 0;
    std::uint64_t migrated = 0;
    std::uint64_t skipped = 0;
    std::uint64_t already = 0;       ///< of the skipped: had an embedding
    std::uint64_t waiting = 0;       ///< of the skipped: Chroma has no usable vector
    std::uint64_t stale = 0;         ///< Chroma's vector is of another text; they wait or are embedded
    std::uint64_t to_embed = 0;      ///< of the planned: by the embedder
    std::uint64_t embedded = 0;      ///< of the migrated: the same
    std::uint64_t cut = 0;           ///< of the embedded: texts longer than the model takes
    std::string model;               ///< of the vectors written
    std::optional<double> likeness;  ///< median cosine of Chroma's vectors to the embedder's of the same documents
    std::size_t probed = 0;          ///< documents that it is of
    std::string not_reused;          ///< why no vector of Chroma's is taken; empty: they are
    std::uint64_t errors = 0;
    std::uint64_t created = 0;            ///< by --create-products
    std::uint64_t unmatched_records = 0;  ///< that no product was found for
    std::uint64_t compared = 0;           ///< vectors read back
    std::uint64_t differences = 0;
    std::uint64_t lost = 0;     ///< products written that have no vector now, though nobody changed them
    std::uint64_t gone = 0;     ///< products written that were removed or changed since
    std::uint64_t refused = 0;  ///< records that --create-products could make no product of
    std::uint64_t others = 0;   ///< products that were left alone with another vector than Chroma's
    std::uint64_t bytes = 0;    ///< of vectors written
    double seconds = 0;
    std::vector<PhaseTime> phases;     ///< analysis, migrate, index, verify, recall
    std::vector<ProductNote> notes;    ///< of waiting products and errors; the first of them
    std::vector<std::string> invalid;  ///< names of spot-checked products without a valid embedding
    std::optional<RecallOutcome> recall;
    std::vector<std::string> warnings;

    bool is_verified() const noexcept { return differences == 0 && lost == 0 && invalid.empty(); }
    double coverage() const noexcept {
        return total == 0 ? 100.0 : 100.0 * static_cast<double>(after) / static_cast<double>(total);
    }
};

class MigrationObserver : public CopyObserver {
public:
    /// A line for stdout, in the words of the migration guide.
    virtual void line(const std::string& text) = 0;
};

/// The guide's six steps: puts Chroma's vectors into products.embedding, by product. Rows that hold a vector are left
/// alone without `force`, so a run that was interrupted is simply run again. Throws Error for what keeps it from
/// starting (all problems at once) and for what stops it; a verification that fails is a value of the report.
MigrationReport migrate_catalog(const MigrationRequest& request, MigrationObserver& observer);

/// The report as one line of JSON, as decant.runs keeps it.
std::string migration_json(const MigrationReport& report);

}  // namespace decant::migrate
