#include "operate/model_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <set>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "migrate/target_lock.hpp"
#include "operate/detail/model_preflight.hpp"
#include "operate/detail/products_turn.hpp"
#include "operate/index_proof.hpp"
#include "operate/reindex.hpp"
#include "pg/cancel_on_stop.hpp"
#include "store/embedding_indexes.hpp"
#include "store/index_builder.hpp"
#include "store/job_queue.hpp"
#include "work/breaker.hpp"
#include "work/catalog_model.hpp"
#include "work/product_embedder.hpp"

namespace decant::operate {
namespace {

using namespace std::chrono_literals;
using Kind = work::ProductResult::Kind;
using store::ColumnComment;
using store::SecondState;

/// Of products that somebody has locked.
constexpr auto locked_pause = 200ms;
constexpr int most_idle_passes = 300;
/// Products that change all the time are caught up with so often before the swap; then a worker has what is left.
constexpr int most_catch_ups = 20;
constexpr int most_failures = 5;
/// Nobody waits for it.
constexpr auto longest_proof = 60s;
constexpr double most_refused = 0.01;

constexpr std::string_view begin_sql = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'";
constexpr std::string_view queue_sql = "INSERT INTO decant.embedding_jobs (product_id) SELECT unnest($1::uuid[])";
constexpr std::string_view now_sql =
    "SELECT to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

double seconds_since(std::chrono::steady_clock::time_point start) {
    return milliseconds_since(start) / 1'000;
}

std::string time_of(pg::Connection& db) {
    return std::string{db.exec(now_sql).text(0, 0)};
}

/// In the transaction of a swap: workers find them, whichever had their jobs done before.
void queue(pg::Connection& db, const std::vector<std::string>& products) {
    if (products.empty()) return;
    db.query(queue_sql, {pg::array_literal(products)});
    db.exec(fmt::format("NOTIFY {}", store::JobQueue::channel));
}

class Change {
public:
    Change(const ModelChangeRequest& request, const ModelChangeWatch& watch)
        : request_(request),
          watch_(watch),
          db_(pg::Connection::open(request.conninfo)),
          watcher_(pg::Connection::open(request.conninfo)),
          cancel_(db_, request.stop),
          ground_(detail::prove_ground(db_, request)),
          random_(std::random_device{}()) {}

    ModelChangeReport run() {
        report_.before = ground_.before;
        report_.after = work::column_model(ground_.embedder->model(), request_.asked_dimension);
        report_.products = ground_.products;
        report_.needed_bytes = ground_.needed_bytes;
        if (request_.dry_run) return std::move(report_);
        const migrate::TargetLock lock{request_.conninfo, {ground_.catalog.schema, "products"}};
        make_columns();
        failpoint("model.begun");
        products_ = std::make_unique<work::ProductEmbedder>(db_, *ground_.embedder, store::second_columns);
        products_->check_model(false);
        const auto start = std::chrono::steady_clock::now();
        fill();
        report_.fill_seconds = seconds_since(start);
        failpoint("model.filled");
        build();
        failpoint("model.indexed");
        fill();
        compare();
        failpoint("model.compared");
        judge_whether_worse();
        if (report_.too_bad.empty() || request_.accepts_worse) swap();
        if (report_.is_swapped) probe_new_index(db_, report_.after.name, watch_.note);
        return std::move(report_);
    }

private:
    bool may_go_on() const { return !interrupted() && !request_.stop.stop_requested(); }
    bool tell(const std::string& phase, std::uint64_t done, std::uint64_t total) const {
        return watch_.progress(phase, done, total) && may_go_on();
    }
    void require_going_on(const std::string& phase, std::uint64_t done, std::uint64_t total) const {
        if (tell(phase, done, total)) return;
        throw Error{
            ErrorCode::cancelled,
            fmt::format("Interrupted while {}: searches go on with model '{}'", phase, ground_.before.name),
            fmt::format("Go on with: decant model change {}; or give it up: decant model forget.", request_.model)};
    }
    double turn(const std::function<void()>& before, const std::function<bool()>& work) {
        return detail::take_products_turn(db_,
                                          {.before = before,
                                           .work = work,
                                           .lost = "Nothing is lost: searches go on with the model that they have.",
                                           .note = watch_.note,
                                           .stop = request_.stop});
    }

    void make_columns() {
        report_.is_resumed = ground_.second.has_value();
        const ColumnComment comment{.model = report_.after, .second = SecondState::filling, .since = time_of(db_)};
        turn({}, [&] {
            if (!report_.is_resumed)
                store::make_second_column(db_, ground_.catalog.schema, comment);
            else if (ground_.second->comment->second == SecondState::kept)
                store::set_second_comment(db_, comment);
            return true;
        });
        if (report_.is_resumed) watch_.note("going on with the second column that is there");
    }

    /// Until every active product has a fresh second vector, but for those that the model refuses.
    void fill() {
        const store::SecondCounts counts = store::count_second(db_);
        filled_ = counts.fresh;
        total_ = counts.products;
        for (int idle = 0;;) {
            const Pass pass = fill_once();
            if (pass.left == 0) return;
            idle = pass.embedded > 0 ? 0 : idle + 1;
            if (idle == most_idle_passes) {
                throw Error{ErrorCode::busy,
                            fmt::format("{} products stay locked by other sessions and cannot be embedded", pass.left),
                            "Run the same command again when those transactions have ended: it goes on."};
            }
            if (idle > 0) sleep_unless_interrupted(locked_pause, request_.stop);
        }
    }

    struct Pass {
        std::uint64_t embedded = 0;
        std::uint64_t left = 0;
    };
    Pass fill_once() {
        Pass pass;
        std::optional<std::string> after;
        for (;;) {
            require_going_on("embedding products", filled_, total_);
            const std::vector<std::string> page = store::pending_products(db_, after, request_.batch_size);
            if (page.empty()) return pass;
            after = page.back();
            fill_batch(page, pass);
        }
    }

    void fill_batch(const std::vector<std::string>& page, Pass& pass) {
        std::vector<work::Wanted> wanted;
        std::vector<std::string> ids;
        for (const std::string& id : page) {
            if (refused_.contains(id)) continue;
            wanted.push_back({.id = id});
            ids.push_back(id);
        }
        if (wanted.empty()) return;
        prepare(wanted);
        std::ranges::sort(ids);
        pg::Transaction tx{db_, begin_sql};
        const std::vector<work::ProductResult>& results = products_->store(ids);
        failpoint("model.batch_written");
        tx.commit();
        failpoint("model.batch_committed");
        for (const work::ProductResult& result : results) {
            if (result.kind == Kind::embedded || result.kind == Kind::fresh) ++pass.embedded;
            if (result.kind == Kind::changed) ++pass.left;
            if (result.kind == Kind::failed && refused_.insert(result.id).second)
                report_.refused.push_back({.id = result.id, .reason = result.reason});
            if (result.kind == Kind::embedded) ++report_.embedded, ++filled_;
        }
    }

    /// What is wrong with the provider may pass by itself.
    void prepare(const std::vector<work::Wanted>& wanted) {
        for (int failures = 0;; ++failures) {
            try {
                products_->prepare(wanted);
                return;
            } catch (const Error& error) {
                const bool may_pass = error.is_retryable() && error.code() != ErrorCode::store_unavailable;
                if (!may_pass || failures == most_failures) throw;
                watch_.note("the embedder failed, trying again: " + error.happened());
                sleep_unless_interrupted(work::backoff(failures, 500ms, 10s, random_), request_.stop);
                require_going_on("embedding products", filled_, total_);
            }
        }
    }

    void build() {
        const std::string& schema = ground_.catalog.schema;
        for (const std::string& name : store::drop_invalid_second_indexes(db_, schema))
            watch_.note(fmt::format("dropped index {}, which an interrupted build had left", name));
        const auto start = std::chrono::steady_clock::now();
        for (const std::string& statement : store::second_index_statements(db_, schema))
            build_index(statement, {.rows = total_});
        const store::IndexPlan plan{.schema = schema,
                                    .table = "products",
                                    .column = std::string{store::second_columns.embedding},
                                    .name = store::second_vector_index(store::IndexKind::hnsw),
                                    .type = request_.index_type,
                                    .casts = request_.index_type == pg::VectorType::halfvec,
                                    .concurrently = true,
                                    .dimension = report_.after.dimension,
                                    .rows = filled_};
        if (const auto there = second_index(); there && there->searched()->type != request_.index_type) {
            db_.exec(fmt::format("DROP INDEX CONCURRENTLY {}.{}", db_.quote_identifier(schema),
                                 db_.quote_identifier(there->name)));
            watch_.note(fmt::format("dropped index {}, which is of the other precision", there->name));
        }
        if (!second_index()) build_index(create_index_sql(db_, ground_.pgvector, plan), plan);
        db_.exec("ANALYZE products");
        {
            pg::Transaction tx{db_, "BEGIN; SET LOCAL statement_timeout = 0"};
            store::make_second_statistics(db_, schema);
            tx.commit();
        }
        report_.build_seconds = seconds_since(start);
    }

    void build_index(const std::string& statement, const store::IndexPlan& plan) {
        const store::BuildResources resources = store::size_build(db_, plan);
        if (!resources.holds_graph)
            watch_.note("the graph does not fit into maintenance_work_mem: the build will be slow");
        store::build_index({db_, watcher_, resources}, statement,
                           [this](const std::string& phase, std::uint64_t done, std::uint64_t total) {
                               return tell(phase, done, total);
                           });
    }

    std::optional<store::EmbeddingIndex> index_on(std::string_view column) {
        for (store::EmbeddingIndex& index : store::read_embedding_indexes(db_, column))
            if (index.is_valid && index.searched()) return std::move(index);
        return std::nullopt;
    }
    std::optional<store::EmbeddingIndex> second_index() { return index_on(store::second_columns.embedding); }

    std::optional<IndexProof::Outcome> proof_of(std::string_view column, std::size_t& queries) {
        const auto index = index_on(column);
        if (!index) return std::nullopt;
        const IndexProof proof{db_, ground_.pgvector, [this] { return may_go_on(); }, std::string{column}};
        pg::Transaction tx{db_, "BEGIN READ ONLY"};
        const IndexProof::Outcome outcome = proof.ask(db_, *index->searched(), index->name, {.longest = longest_proof});
        queries = outcome.asked;
        return outcome;
    }

    void compare() {
        require_going_on("comparing with the exact scan", 0, 0);
        std::size_t of_before = 0;
        const auto before_proof = proof_of(store::live_columns.embedding, of_before);
        const auto proof = proof_of(store::second_columns.embedding, report_.queries);
        if (before_proof) report_.recall_before = before_proof->recall;
        report_.recall = proof ? proof->recall : 0;
        is_index_left_ = before_proof && before_proof->is_used && !(proof && proof->is_used);
        if (!request_.judge) return;
        require_going_on("asking the judged queries", 0, 0);
        const auto before = request_.open_before(ground_.before);
        report_.judged_before = request_.judge(store::live_columns, *before);
        report_.judged = request_.judge(store::second_columns, *ground_.embedder);
    }

    void judge_whether_worse() {
        std::string& why = report_.too_bad;
        const auto add = [&](const std::string& reason) { why += (why.empty() ? "" : "; ") + reason; };
        if (report_.queries > 0 && report_.recall < request_.least_recall)
            add(fmt::format("its index finds {:.3f} of the true nearest, wanted are {}", report_.recall,
                            request_.least_recall));
        if (is_index_left_) add("the planner does not take its index, and takes that of the vectors before");
        if (report_.judged && report_.judged->ndcg < report_.judged_before->ndcg - request_.most_loss)
            add(fmt::format("its nDCG@10 over {} judged queries is {:.3f}, that of '{}' is {:.3f}",
                            report_.judged->queries, report_.judged->ndcg, ground_.before.name,
                            report_.judged_before->ndcg));
        const auto refused = static_cast<double>(report_.refused.size());
        if (refused > most_refused * static_cast<double>(total_))
            add(fmt::format("it cannot embed {} of {} products", report_.refused.size(), total_));
    }

    void swap() {
        for (int catch_ups = 0; !report_.is_swapped; ++catch_ups) {
            fill();
            require_going_on("swapping", 0, 0);
            report_.pause_milliseconds = turn([&] { store::swap_second_statistics(db_, ground_.catalog.schema); },
                                              [&] { return swap_now(catch_ups == most_catch_ups); });
        }
        failpoint("model.swapped");
    }

    /// False: products changed since they were filled, and are to be caught up with first.
    bool swap_now(bool is_last_try) {
        std::vector<std::string> pending = store::pending_at_swap(db_);
        std::erase_if(pending, [&](const std::string& id) { return refused_.contains(id); });
        if (!pending.empty() && !is_last_try) return false;
        const std::string now = time_of(db_);
        store::swap_second_column(db_, ground_.catalog.schema, {.model = report_.after, .since = now},
                                  {.model = report_.before, .second = SecondState::kept, .since = now});
        queue(db_, pending);
        failpoint("model.swapping");
        report_.queued = pending.size();
        report_.is_swapped = true;
        return true;
    }

    const ModelChangeRequest& request_;
    const ModelChangeWatch& watch_;
    pg::Connection db_;
    pg::Connection watcher_;
    pg::CancelOnStop cancel_;
    detail::ModelGround ground_;
    std::unique_ptr<work::ProductEmbedder> products_;
    std::set<std::string, std::less<>> refused_;
    bool is_index_left_ = false;  ///< by the planner, which takes the index of before
    std::uint64_t filled_ = 0;
    std::uint64_t total_ = 0;
    std::mt19937_64 random_;
    ModelChangeReport report_;
};

store::SecondColumn require_second(pg::Connection& db) {
    auto second = store::read_second_column(db);
    if (second && second->comment) return std::move(*second);
    throw Error{ErrorCode::not_found,
                fmt::format("Database '{}' has no second column of vectors: the model was not changed", db.database()),
                "See what is there: decant model status."};
}

}  // namespace

ModelChangeReport change_model(const ModelChangeRequest& request, const OperationLock&, const ModelChangeWatch& watch) {
    return Change{request, watch}.run();
}

ModelRollbackReport roll_model_back(const std::string& conninfo, const OperationLock&) {
    const auto start = std::chrono::steady_clock::now();
    pg::Connection db = pg::Connection::open(conninfo);
    const store::CatalogState state = store::read_catalog_state(db);
    const store::SecondColumn second = require_second(db);
    const migrate::TargetLock lock{conninfo, {state.schema, "products"}};
    const auto live = store::read_column_model(db);
    if (second.comment->second != SecondState::kept) {
        throw Error{ErrorCode::conflict,
                    fmt::format("The change to model '{}' was not made yet: searches have the model that they had",
                                second.comment->model.name),
                    "There is nothing to roll back. To give the change up: decant model forget."};
    }
    if (!live) {
        throw Error{ErrorCode::conflict, "products.embedding does not tell any more which model its vectors are of",
                    "Its comment was removed, so there is no way forth again. Let the other vectors go (decant model "
                    "forget), and change to their model: decant model change NAME."};
    }
    ModelRollbackReport report{.before = *live, .after = second.comment->model};
    const auto swap = [&] {
        const std::string now = time_of(db);
        store::swap_second_column(db, state.schema, {.model = report.after, .since = now},
                                  {.model = report.before, .second = SecondState::kept, .since = now});
        failpoint("model.rolling_back");
        return true;
    };
    report.pause_milliseconds =
        detail::take_products_turn(db, {.before = [&] { store::swap_second_statistics(db, state.schema); },
                                        .work = swap,
                                        .lost = "Nothing was changed: searches go on with the model that they have."});
    failpoint("model.rolled_back");
    // What changed since has a vector of its old text, or none; a worker makes it anew. Workers sweep by themselves
    // too.
    store::JobQueue queue{db};
    report.queued = queue.sweep();
    db.exec(fmt::format("NOTIFY {}", store::JobQueue::channel));
    report.seconds = seconds_since(start);
    probe_new_index(db, report.after.name, [](const std::string& line) { log::warning("{}", line); });
    return report;
}

store::SecondColumn forget_second_model(const std::string& conninfo, const OperationLock&) {
    pg::Connection db = pg::Connection::open(conninfo);
    const store::CatalogState state = store::read_catalog_state(db);
    store::SecondColumn second = require_second(db);
    const migrate::TargetLock lock{conninfo, {state.schema, "products"}};
    const auto drop = [&] {
        store::drop_second_column(db, state.schema);
        failpoint("model.forgetting");
        return true;
    };
    detail::take_products_turn(db, {.work = drop, .lost = "Nothing was removed."});
    return second;
}

}  // namespace decant::operate
