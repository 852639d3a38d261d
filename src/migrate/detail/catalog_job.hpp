#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "migrate/catalog_migration.hpp"
#include "migrate/detail/catalog_plan.hpp"
#include "migrate/detail/catalog_writer.hpp"
#include "migrate/run_store.hpp"
#include "migrate/target_lock.hpp"
#include "store/catalog_state.hpp"
#include "work/product_embedder.hpp"

namespace decant::migrate::detail {

/// One run of migrate_catalog, step by step.
class CatalogJob {
public:
    CatalogJob(const MigrationRequest& request, MigrationObserver& observer);
    MigrationReport run();
    void mark(const std::string& state) noexcept;

private:
    void check();    // Step 1/6
    void analyze();  // 2
    void plan();     // 3
    void migrate();  // 4
    void verify();   // 5
    void finish();   // 6

    void open_source();
    void open_target();
    void check_catalog();
    void open_embedder();
    void check_dimensions(const store::CatalogState& catalog);
    bool proves_reuse();
    void decide();
    void embed_waiting();
    void embed_batch(const std::vector<std::uint32_t>& products);
    work::ProductEmbedder& product_embedder();
    void take(std::uint32_t product, const work::ProductResult& result);
    void begin_run();
    void create_products();
    void say(const std::string& text) { observer_.line(text); }
    /// Runs `work` as a phase of the meter and of the report.
    template <typename Work>
    void timed(const std::string& name, std::uint64_t total, const Work& work) {
        const auto start = std::chrono::steady_clock::now();
        observer_.begin_phase(name, total);
        work();
        observer_.end_phase();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        report_.phases.push_back({name, taken.count()});
    }
    void write_reused();
    Error interrupted_error() const;
    void say_estimate();
    void say_waiting(const std::string& indent);
    void say_batches();
    bool take(const WriteOutcome& outcome);
    void note_product(std::uint32_t product, const std::string& reason);
    void note_waiting();
    void drop_index_if_rebuilt();
    void reconnect_if_lost();
    void ensure_index();
    void compare_vectors(RecallProbe& probe);
    void count_lost();
    void say_comparison();
    void compare_row(std::string_view id, std::string_view vector);
    void spot_check();
    std::uint64_t batches() const noexcept;
    std::string model() const;

    const MigrationRequest& request_;
    MigrationObserver& observer_;
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    MigrationReport report_;
    std::vector<Error> problems_;
    std::unique_ptr<chroma::Source> origin_;
    std::unique_ptr<chroma::RecordReader> source_;
    std::unique_ptr<embed::Embedder> embedder_;
    std::unique_ptr<pg::Connection> db_;
    std::unique_ptr<TargetLock> lock_;
    std::unique_ptr<work::ProductEmbedder> product_embedder_;  ///< works over db_
    std::optional<store::Pgvector> pgvector_;
    TableName table_{.schema = "public", .table = "products"};
    RowShape shape_;
    ProductIndex index_;
    CatalogPlan plan_;
    std::vector<bool> is_written_;   ///< by this run
    std::vector<bool> is_embedded_;  ///< of the written: not with Chroma's vector
    std::vector<bool> is_seen_;      ///< with a vector, when all were read back
    std::uint64_t done_ = 0;         ///< products whose turn it was
    std::uint64_t said_ = 0;         ///< batches
};

}  // namespace decant::migrate::detail
