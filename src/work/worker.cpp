#include "work/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/failpoint.hpp"

namespace decant::work {
namespace {

using namespace std::chrono_literals;
using Kind = ProductResult::Kind;

/// Of a product that someone has locked; what is locked for long is not embedded over and over.
constexpr auto locked_pause = 2s;
/// A process that stands still in the middle must not keep its rows, and those who write them, for as long as it does.
constexpr std::string_view begin_sql = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '5s'";

std::vector<std::string> products_of(const std::vector<store::Job>& jobs) {
    std::vector<std::string> ids;
    for (const store::Job& job : jobs)
        ids.push_back(job.product_id);
    std::ranges::sort(ids);
    const auto repeated = std::ranges::unique(ids);
    ids.erase(repeated.begin(), repeated.end());
    return ids;
}

}  // namespace

WorkerCounts& WorkerCounts::operator+=(const WorkerCounts& other) noexcept {
    embedded += other.embedded;
    skipped += other.skipped;
    again += other.again;
    failed += other.failed;
    dead += other.dead;
    lost += other.lost;
    cut += other.cut;
    return *this;
}

/// What becomes of the jobs in one transaction.
struct Worker::Ends {
    std::vector<std::int64_t> done;
    std::vector<std::int64_t> again;
    std::map<std::int64_t, store::JobBatch> batches;
    WorkerCounts counts;
};

Worker::Worker(pg::Connection& db, embed::Embedder& embedder, WorkerSetup setup)
    : db_(db),
      setup_(std::move(setup)),
      queue_((store::JobQueue{db}.require(), db), setup_.clock),
      embedder_(db, embedder),
      random_(setup_.seed) {}

void Worker::check_model() {
    embedder_.check_model(setup_.accepts_other_model);
    is_model_checked_ = true;
}

bool Worker::claim(std::size_t limit) {
    lease_ = queue_.claim(limit, setup_.batch);
    failpoint("worker.claimed");
    return !lease_.jobs.empty();
}

bool Worker::embed() {
    std::map<std::string, store::Demand> demands;
    for (const store::Job& job : lease_.jobs) {
        store::Demand& demand = demands.try_emplace(job.product_id, job.demand).first->second;
        demand = std::max(demand, job.demand);
    }
    std::vector<Wanted> wanted;
    for (const auto& [id, demand] : demands)
        wanted.push_back({id, demand});
    if (setup_.on_lease) setup_.on_lease(lease_.token);
    try {
        const bool checks = !is_model_checked_;
        const bool probes = has_model_failed_ && wanted.size() == 1;
        has_model_failed_ = true;
        if (checks)
            check_model();
        else if (probes)
            embedder_.require_answer();
        const bool has_answered = embedder_.prepare(wanted, probes ? Blame::text : Blame::model);
        has_model_failed_ = false;
        failpoint("worker.embedded");
        return has_answered || checks || probes;
    } catch (...) {
        give_back();
        throw;
    }
}

void Worker::give_back() {
    if (setup_.on_lease) setup_.on_lease(0);
    try {
        queue_.release(lease_.token);
    } catch (const Error&) {
        // The lease runs out by itself; why it is given up is what the caller must know.
    }
}

WorkerCounts Worker::store() {
    try {
        const WorkerCounts counts = commit_all();
        if (setup_.on_lease) setup_.on_lease(0);
        failpoint("worker.committed");
        return counts;
    } catch (...) {
        give_back();
        throw;
    }
}

WorkerCounts Worker::commit_all() {
    const std::vector<std::string> products = products_of(lease_.jobs);
    WorkerCounts counts;
    try {
        counts = commit(products);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::store_rejected) throw;
        // The server refused the statement; which product it is about shows when each stands alone.
        for (const std::string& product : products) {
            try {
                counts += commit({product});
            } catch (const Error& alone) {
                if (alone.code() != ErrorCode::store_rejected) throw;
                counts += bury_refused(product, alone.happened());
            }
        }
    }
    return counts;
}

WorkerCounts Worker::commit(const std::vector<std::string>& products) {
    std::map<std::int64_t, const store::Job*> jobs;
    std::vector<std::int64_t> ids;
    for (const store::Job& job : lease_.jobs) {
        if (!std::ranges::binary_search(products, job.product_id)) continue;
        jobs.emplace(job.id, &job);
        ids.push_back(job.id);
    }
    Ends ends;
    pg::Transaction tx{db_, begin_sql};
    std::vector<store::Job> held;
    for (const std::int64_t id : queue_.hold(lease_.token, ids))
        held.push_back(*jobs.at(id));
    std::map<std::string_view, const ProductResult*> results;
    for (const ProductResult& result : embedder_.store(products_of(held)))
        results.emplace(result.id, &result);
    for (const store::Job& job : held)
        end_job(job, *results.at(job.product_id), ends);
    if (!ends.done.empty()) queue_.remove(ends.done);
    if (!ends.again.empty()) queue_.put_back(ends.again, locked_pause);
    for (const auto& [batch, delta] : ends.batches)
        queue_.count(batch, delta);
    failpoint("worker.stored");
    tx.commit();
    ends.counts.lost = ids.size() - held.size();
    return ends.counts;
}

void Worker::end_job(const store::Job& job, const ProductResult& result, Ends& ends) {
    store::JobBatch delta;
    switch (result.kind) {
        case Kind::embedded:
            ++ends.counts.embedded, ++delta.updated;
            if (result.cut_tokens > 0) ++ends.counts.cut;
            ends.done.push_back(job.id);
            break;
        case Kind::fresh:
        case Kind::gone:
            ++ends.counts.skipped, ++delta.skipped;
            ends.done.push_back(job.id);
            break;
        case Kind::changed:
            ++ends.counts.again;
            ends.again.push_back(job.id);
            break;
        case Kind::failed:
            ++ends.counts.failed;
            const bool is_dead = queue_.fail({.job = job,
                                              .reason = result.reason,
                                              .pause = backoff(2 * job.attempts, 1s, 5min, random_),
                                              .most_attempts = setup_.most_attempts});
            if (is_dead) ++ends.counts.dead, ++delta.errors;
            if (setup_.note) {
                setup_.note(fmt::format("product {} cannot be embedded: {}{}", job.product_id, result.reason,
                                        is_dead ? "; given up, see `decant jobs list`" : "; trying again later"));
            }
    }
    if (job.batch) {
        store::JobBatch& batch = ends.batches[*job.batch];
        batch.updated += delta.updated, batch.skipped += delta.skipped, batch.errors += delta.errors;
    }
}

/// A product whose row the server refuses to write, whatever the reason.
WorkerCounts Worker::bury_refused(const std::string& product, const std::string& reason) {
    Ends ends;
    pg::Transaction tx{db_, begin_sql};
    for (const store::Job& job : lease_.jobs) {
        if (job.product_id != product || queue_.hold(lease_.token, {job.id}).empty()) continue;
        end_job(job, {.id = product, .kind = Kind::failed, .reason = reason}, ends);
    }
    for (const auto& [batch, delta] : ends.batches)
        queue_.count(batch, delta);
    tx.commit();
    return ends.counts;
}

}  // namespace decant::work
