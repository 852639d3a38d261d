#include "operate/reindex.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/interrupt.hpp"
#include "operate/index_proof.hpp"
#include "pg/cancel_on_stop.hpp"
#include "quality/monitor.hpp"
#include "store/catalog_state.hpp"
#include "store/embedding_indexes.hpp"
#include "store/index_builder.hpp"

namespace decant::operate {
namespace {

using namespace std::chrono_literals;
using store::EmbeddingIndex;

constexpr std::string_view beside = "_new";
/// As long a build of others, or of a run that was killed a moment ago, is waited for.
constexpr int most_looks_for_builds = 40;
constexpr auto look_interval = 250ms;
constexpr int most_swaps = 30;
constexpr auto pause_between_swaps = 1s;

constexpr std::string_view count_sql = "SELECT count(embedding) FROM products";

// Readers queue behind the lock that is asked for, so it is not asked for long; those of the server give up after 5 s.
constexpr std::string_view begin_swap_sql =
    "BEGIN; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '2s'; "
    "SET LOCAL idle_in_transaction_session_timeout = '30s'";

std::string name_of_kind(store::IndexKind kind) {
    return fmt::format("idx_products_embedding_{}", store::name_of(kind));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return milliseconds_since(start) / 1'000;
}

class Rebuild {
public:
    Rebuild(const ReindexRequest& request, const ReindexWatch& watch)
        : request_(request),
          watch_(watch),
          db_(pg::Connection::open(request.conninfo)),
          watcher_(pg::Connection::open(request.conninfo)),
          cancel_(db_, request.stop),
          state_(store::read_catalog_state(db_)),
          final_name_(name_of_kind(request.kind)),
          new_name_(
              fmt::format("{}{}{}", final_name_, request.type == pg::VectorType::halfvec ? "_half" : "", beside)) {}

    ReindexReport run() {
        check();
        wait_for_builds();
        look();
        report_.index = final_name_;
        report_.vectors = static_cast<std::uint64_t>(db_.exec(count_sql).integer(0, 0));
        if (!report_.is_resumed) build();
        failpoint("reindex.built");
        const auto start = std::chrono::steady_clock::now();
        tell("comparing with the exact scan", 0, 0);
        const IndexProof proof{db_, *pgvector_, [this] { return may_go_on(); }};
        failpoint("reindex.compared");
        swap(proof);
        report_.proof_seconds = seconds_since(start);
        if (!report_.is_swapped) drop(new_name_);
        return std::move(report_);
    }

private:
    void check() {
        if (auto problem = store::embedding_problem(db_, state_)) throw std::move(*problem);
        pgvector_ = store::find_pgvector(db_);
        if (!pgvector_)
            throw Error{ErrorCode::not_found, "pgvector extension not installed", "Run `decant schema up`."};
        if (!state_.may_alter) {
            throw Error{ErrorCode::permission_denied,
                        fmt::format("Role '{}' may not make indexes of {}.products, which belongs to another role",
                                    db_.user(), state_.schema),
                        "Run it as the owner of products."};
        }
        if (state_.embedding_type != "vector" || !state_.dimension) {
            throw Error{ErrorCode::conflict,
                        fmt::format("products.embedding is {}, and searches ask for vector(N)", state_.column_type()),
                        "Make the column anew: decant schema down, then decant schema up."};
        }
        const std::uint32_t most = store::max_index_dimensions(request_.type);
        if (*state_.dimension <= most) return;
        throw Error{ErrorCode::request_invalid,
                    fmt::format("An index of {} takes at most {} dimensions, and products.embedding has {}",
                                pg::name_of(request_.type), most, *state_.dimension),
                    request_.type == pg::VectorType::vector ? "Take half precision: decant reindex --halfvec."
                                                            : "Choose a model of fewer dimensions."};
    }

    void wait_for_builds() {
        for (int looks = 0;; ++looks) {
            const std::vector<store::IndexBuildState> builds = store::read_embedding_storage(db_).builds;
            if (builds.empty()) return;
            if (looks < most_looks_for_builds && sleep_unless_interrupted(look_interval, request_.stop)) continue;
            throw Error{ErrorCode::busy,
                        fmt::format("An index of products is being built already ({}, {})",
                                    builds.front().index.value_or("one that is not seen yet"), builds.front().phase),
                        "Wait until it is done; SELECT * FROM pg_stat_progress_create_index shows it."};
        }
    }

    /// What is there of earlier runs, and what is to be replaced.
    void look() {
        report_.leftovers = drop_invalid_indexes(db_);
        for (const std::string& name : report_.leftovers)
            watch_.note(fmt::format("dropped index {}, which an interrupted build had left", name));
        for (const EmbeddingIndex& index : store::read_embedding_indexes(db_)) {
            const auto searched = index.searched();
            const bool is_begun_meanwhile = !index.is_valid;
            if (is_begun_meanwhile || (!searched && index.name != final_name_)) continue;
            if (searched && index.name == new_name_ && searched->kind == request_.kind &&
                searched->type == request_.type) {
                report_.is_resumed = true;
                watch_.note(fmt::format("index {} was built by an earlier run", new_name_));
            } else if (index.name.ends_with(beside)) {
                drop(index.name);
                report_.leftovers.push_back(index.name);
            } else {
                report_.replaced.push_back(index.name);
                report_.bytes_before += index.bytes;
            }
        }
    }

    void build() {
        const store::IndexPlan plan{.schema = state_.schema,
                                    .table = "products",
                                    .column = "embedding",
                                    .name = new_name_,
                                    .kind = request_.kind,
                                    .type = request_.type,
                                    .casts = request_.type == pg::VectorType::halfvec,
                                    .concurrently = true,
                                    .dimension = *state_.dimension,
                                    .rows = report_.vectors};
        const store::BuildResources resources = store::size_build(db_, plan);
        if (!resources.holds_graph && request_.kind == store::IndexKind::hnsw) {
            watch_.note("the graph does not fit into maintenance_work_mem: the build will be slow");
        }
        failpoint("reindex.begun");
        const auto start = std::chrono::steady_clock::now();
        store::build_index({db_, watcher_, resources}, create_index_sql(db_, *pgvector_, plan),
                           [this](const std::string& phase, std::uint64_t done, std::uint64_t total) {
                               // Of rows the server tells what it estimates.
                               const bool is_rows = phase.find("tuples") != std::string::npos;
                               return tell(phase, done, is_rows ? report_.vectors : total);
                           });
        report_.build_seconds = seconds_since(start);
    }

    void swap(const IndexProof& proof) {
        tell("swapping", 0, 0);
        for (int tries = 1;; ++tries) {
            if (try_swap(proof)) return;
            if (tries == most_swaps || !sleep_unless_interrupted(pause_between_swaps, request_.stop)) {
                throw Error{ErrorCode::busy,
                            fmt::format("products stayed locked through {} tries to swap its index", tries),
                            "Nothing is lost: the new index is built and the old one serves. Run the same command "
                            "again when the transactions that hold the table have ended."};
            }
            watch_.note("products is locked by another session: trying again");
        }
    }

    bool lock_table() {
        try {
            db_.exec("LOCK TABLE products IN ACCESS EXCLUSIVE MODE");
            return true;
        } catch (const Error& error) {
            if (error.code() != ErrorCode::timed_out) throw;
            return false;
        }
    }

    /// Rolled back where the new index found too little. False: the table is locked.
    bool try_swap(const IndexProof& proof) {
        pg::Transaction tx{db_, begin_swap_sql};
        if (!lock_table()) return false;
        const auto start = std::chrono::steady_clock::now();
        for (const std::string& name : report_.replaced)
            db_.exec("DROP INDEX " + qualified(name));
        db_.exec(fmt::format("ALTER INDEX {} RENAME TO {}", qualified(new_name_), db_.quote_identifier(final_name_)));
        EmbeddingIndex made;
        for (EmbeddingIndex& index : store::read_embedding_indexes(db_))
            if (index.name == final_name_) made = std::move(index);
        const IndexProof::Outcome outcome =
            proof.ask(db_, made.searched().value_or(store::SearchedIndex{}), final_name_, {});
        report_.recall = outcome.recall;
        report_.is_used = outcome.is_used;
        report_.queries = outcome.asked;
        report_.bytes = made.bytes;
        report_.definition = made.definition;
        failpoint("reindex.swapping");
        report_.is_swapped = outcome.is_used && outcome.recall >= request_.least_recall;
        if (report_.is_swapped) tx.commit();
        report_.pause_milliseconds = milliseconds_since(start);
        if (report_.is_swapped) failpoint("reindex.swapped");
        return true;
    }

    void drop(const std::string& name) {
        db_.exec_watched("DROP INDEX CONCURRENTLY IF EXISTS " + qualified(name), look_interval,
                         [&] { return tell("dropping " + name, 0, 0); });
    }

    std::string qualified(const std::string& name) const {
        return fmt::format("{}.{}", db_.quote_identifier(state_.schema), db_.quote_identifier(name));
    }

    bool may_go_on() const { return !interrupted() && !request_.stop.stop_requested(); }
    bool tell(const std::string& phase, std::uint64_t done, std::uint64_t total) const {
        return watch_.progress(phase, done, total) && may_go_on();
    }

    const ReindexRequest& request_;
    const ReindexWatch& watch_;
    pg::Connection db_;
    pg::Connection watcher_;
    pg::CancelOnStop cancel_;
    store::CatalogState state_;
    std::optional<store::Pgvector> pgvector_;
    std::string final_name_;
    std::string new_name_;
    ReindexReport report_;
};

}  // namespace

ReindexReport rebuild_index(const ReindexRequest& request, const OperationLock&, const ReindexWatch& watch) {
    return Rebuild{request, watch}.run();
}

ReindexRequest for_index_in_use(pg::Connection& db, ReindexRequest request) {
    const store::SearchedIndex now = store::find_searched_index(db);
    if (now.kind != store::IndexKind::none) {
        request.kind = now.kind;
        request.type = now.type;
    } else if (store::read_catalog_state(db).dimension.value_or(0) >
               store::max_index_dimensions(pg::VectorType::vector)) {
        request.type = pg::VectorType::halfvec;
    }
    return request;
}

ReindexReport renew_index(pg::Connection& db, ReindexRequest request, const std::string& model,
                          const OperationLock& lock, const ReindexWatch& watch) {
    request = for_index_in_use(db, std::move(request));
    ReindexReport report = rebuild_index(request, lock, watch);
    if (!report.is_swapped) {
        throw Error{ErrorCode::conflict,
                    report.is_used
                        ? fmt::format("the new index found {:.3f} of the true nearest, under {}: the old one is kept",
                                      report.recall, request.least_recall)
                        : "the planner does not take the new index: the old one is kept",
                    "Look at the vectors: decant doctor."};
    }
    probe_new_index(db, model, watch.note);
    return report;
}

void probe_new_index(pg::Connection& db, const std::string& model,
                     const std::function<void(const std::string& line)>& note) {
    try {
        quality::probe_if_due(db, {.model = model, .least_age_seconds = 0, .may_go_on = [] { return !interrupted(); }});
    } catch (const Error& error) {
        note(fmt::format("the recall of the new index was not measured: {}", error.happened()));
    }
}

std::vector<std::string> drop_invalid_indexes(pg::Connection& db) {
    const std::string schema = db.quote_identifier(store::read_catalog_state(db).schema);
    std::vector<std::string> dropped = store::find_abandoned_indexes(db);
    for (const std::string& name : dropped)
        db.exec(fmt::format("DROP INDEX CONCURRENTLY IF EXISTS {}.{}", schema, db.quote_identifier(name)));
    return dropped;
}

}  // namespace decant::operate
