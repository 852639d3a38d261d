#include <fmt/format.h>

#include <random>

#include "cli/commands.hpp"
#include "cli/meter_observer.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/table.hpp"
#include "core/utf8.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"
#include "work/run_worker.hpp"

namespace decant::cli {
namespace {

constexpr std::uint64_t most_batch_size = 10'000;

std::size_t batch_size_of(const std::optional<std::uint64_t>& given) {
    const std::uint64_t size = given.value_or(work::WorkerSetup{}.batch_size);
    if (size >= 1 && size <= most_batch_size) return size;
    throw Error{ErrorCode::request_invalid, fmt::format("--batch-size {} is out of range", size),
                fmt::format("Give 1 to {}.", most_batch_size)};
}

void note(const std::string& line) {
    log::warning("{}", printable(line));
}

/// What both commands that embed run.
work::WorkerRun worker_run(const Context& context, const std::optional<std::uint64_t>& batch_size) {
    const Settings& settings = context.settings;
    return {.conninfo = store::resolve_database(settings).conninfo,
            .setup = {.batch_size = batch_size_of(batch_size), .seed = std::random_device{}(), .note = note},
            .embedder_of = [opened = std::make_shared<work::CatalogEmbedder>(settings)](
                               const auto& column) -> embed::Embedder& { return opened->of(column); }};
}

json::object json_of(const work::WorkerCounts& counts) {
    return {{"embedded", counts.embedded}, {"skipped", counts.skipped}, {"put_back", counts.again},
            {"failed", counts.failed},     {"dead", counts.dead},       {"cut", counts.cut}};
}

class Embed final : public Command {
public:
    Embed()
        : Command("embed", "Embed products that have no vector, or a stale one",
                  {"decant embed", "decant embed --stale", "decant embed --id LAP-0042 --id LAP-0043",
                   "decant embed --all --force --model use-multilingual"}) {}

    void declare(Options& options) override {
        options.flag("--missing", missing_, "Active products without a vector (the default)");
        options.flag("--stale", stale_, "Those whose text changed since, or whose vector is of another model");
        options.flag("--all", all_, "All active products whose vector is not known to be of their text");
        options.texts("--id", ids_, "The product with this id or sku, as it is; may be given several times");
        options.flag("--force", force_, "Also what has a vector of its text already");
        options.number("--batch-size", batch_size_, "Products a batch (default: 64)");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        catch_interrupts();
        work::WorkerRun run = worker_run(context, batch_size_);
        pg::Connection db = pg::Connection::open(run.conninfo);
        store::JobQueue queue{db};
        queue.require();
        embed::Embedder& embedder = run.embedder_of(store::read_column_model(db));
        // Before anything is queued: a model that may not be used leaves nothing behind.
        const bool is_other = work::ProductEmbedder{db, embedder}.check_model(all_);
        const store::JobBatch batch = queue.enqueue(selection(embedder.model(), is_other));
        run.once = true;
        run.sweep = false;
        run.setup.batch = batch.id;
        run.setup.most_attempts = 1;
        return embed_batch(context, run, batch, embedder.model());
    }

private:
    store::ProductSelection selection(const embed::Model& model, bool is_other_model) const {
        using Kind = store::ProductSelection::Kind;
        if (int{missing_} + int{stale_} + int{all_} + int{!ids_.empty()} > 1) {
            throw Error{ErrorCode::request_malformed, "--missing, --stale, --all and --id exclude each other",
                        "Give one of them."};
        }
        store::ProductSelection wanted{.model = model.name};
        if (stale_) wanted.kind = Kind::stale;
        if (all_) wanted.kind = Kind::all, wanted.demand = store::Demand::text;
        if (!ids_.empty()) wanted.kind = Kind::ids, wanted.ids = ids_;
        if (force_ || is_other_model || !ids_.empty()) wanted.demand = store::Demand::all;
        return wanted;
    }

    static int embed_batch(const Context& context, work::WorkerRun& run, const store::JobBatch& batch,
                           const embed::Model& model) {
        MeterObserver meter;
        meter.begin_phase("embed", batch.total);
        work::WorkerCounts counts;
        run.on_turn = [&](const work::WorkerCounts& turn) {
            counts += turn;
            meter.progress(counts.embedded + counts.skipped + counts.dead, 0);
        };
        // A server of models has its own ways to be busy; the embedded one would wait for the database.
        const bool is_local = model.provider == "local";
        for (;;) {
            work::run_workers(run, is_local && batch.total > run.setup.batch_size ? 2 : 1);
            // A connection of its own: the worker may have outlived a restart of the server.
            pg::Connection db = pg::Connection::open(run.conninfo);
            const store::JobBatch now =
                store::JobQueue{db}.find_batch(batch.id).value_or(store::JobBatch{.id = batch.id});
            if (now.waiting == 0 || interrupted()) {
                meter.end_phase();
                store::JobQueue{db}.drop_fresh(model.name);
                if (const auto others = store::EmbeddingStore{db}.note_of_others(model.name)) note(*others);
                return report(context, now, counts);
            }
            // The rest is another worker's, or locked for the moment.
            sleep_unless_interrupted(std::chrono::milliseconds{200});
        }
    }

    static int report(const Context& context, const store::JobBatch& batch, const work::WorkerCounts& counts) {
        const std::uint64_t left = batch.total - batch.updated - batch.skipped - batch.errors;
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"batch", batch.id},
                                                      {"total", batch.total},
                                                      {"updated", batch.updated},
                                                      {"skipped", batch.skipped},
                                                      {"errors", batch.errors},
                                                      {"left", left},
                                                      {"cut", counts.cut}}));
        } else {
            fmt::print("Embedded {} of {} products; {} skipped, {} errors\n", batch.updated, batch.total, batch.skipped,
                       batch.errors);
            if (counts.cut > 0) fmt::print("Texts longer than the model takes, cut: {}\n", counts.cut);
            if (left > batch.waiting) fmt::print("Taken out of the queue meanwhile: {}\n", left - batch.waiting);
            if (batch.errors > 0) fmt::print("See what failed, and why, with: decant jobs list\n");
        }
        if (batch.waiting > 0) {
            throw Error{ErrorCode::cancelled, fmt::format("Interrupted: {} products wait in the queue", batch.waiting),
                        "Go on with: decant worker --once"};
        }
        return batch.errors + left == 0 ? 0 : 1;
    }

    bool missing_ = false;
    bool stale_ = false;
    bool all_ = false;
    bool force_ = false;
    std::vector<std::string> ids_;
    std::optional<std::uint64_t> batch_size_;
};

class WorkerCommand final : public Command {
public:
    WorkerCommand()
        : Command("worker", "Keep the catalog's vectors fresh: embed what the queue holds, as it comes in",
                  {"decant worker", "decant worker --once --json"}) {}

    void declare(Options& options) override {
        options.flag("--once", once_, "End when nothing is due");
        options.number("--batch-size", batch_size_, "Products a batch (default: 64)");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        catch_interrupts();
        work::WorkerRun run = worker_run(context, batch_size_);
        run.once = once_;
        run.on_turn = [](const work::WorkerCounts& turn) {
            if (turn.embedded + turn.again + turn.failed == 0) return;
            log::info("embedded {} products, {} skipped, {} put back, {} failed", turn.embedded, turn.skipped,
                      turn.again, turn.failed);
        };
        const work::WorkerCounts counts = work::run_worker(run);
        if (context.json)
            fmt::print("{}\n", json_text(json_of(counts)));
        else
            fmt::print("Embedded {} products; {} skipped, {} put back, {} failed\n", counts.embedded, counts.skipped,
                       counts.again, counts.failed);
        return counts.failed == 0 ? 0 : 1;
    }

private:
    bool once_ = false;
    std::optional<std::uint64_t> batch_size_;
};

/// Opens the queue, whose database outlives it.
class QueueCommand : public Command {
public:
    using Command::Command;
    int run(const Context& context) final {
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        store::JobQueue queue{db};
        queue.require();
        return run_on(context, queue);
    }

private:
    virtual int run_on(const Context& context, store::JobQueue& queue) = 0;
};

class JobsList final : public QueueCommand {
public:
    JobsList()
        : QueueCommand("jobs list", "Show how many products wait to be embedded, and which failed for good",
                       {"decant jobs list", "decant jobs list --limit 5 --json"}) {}
    void declare(Options& options) override { options.number("--limit", limit_, "At most so many (default: 20)"); }

private:
    int run_on(const Context& context, store::JobQueue& queue) override {
        const store::QueueCounts counts = queue.counts();
        const std::vector<store::DeadLetter> dead = queue.dead_letters(limit_.value_or(20));
        if (context.json) {
            json::array letters;
            for (const store::DeadLetter& letter : dead) {
                letters.push_back(json::object{{"product_id", letter.product_id},
                                               {"name", letter.name},
                                               {"attempts", letter.attempts},
                                               {"error", letter.error},
                                               {"failed_at", letter.failed_at}});
            }
            fmt::print("{}\n", json_text(json::object{{"ready", counts.ready},
                                                      {"delayed", counts.delayed},
                                                      {"running", counts.leased},
                                                      {"dead", counts.dead},
                                                      {"dead_letters", std::move(letters)}}));
            return 0;
        }
        fmt::print("ready {}, waiting for another attempt {}, running {}, failed for good {}\n", counts.ready,
                   counts.delayed, counts.leased, counts.dead);
        if (dead.empty()) return 0;
        Table table{{{"product"}, {"name"}, {"attempts", Table::Align::right}, {"failed at (UTC)"}, {"error"}}};
        for (const store::DeadLetter& letter : dead)
            table.add_row(
                {letter.product_id, letter.name, std::to_string(letter.attempts), letter.failed_at, letter.error});
        fmt::print("\n{}", table.text());
        return 0;
    }

    std::optional<std::uint64_t> limit_;
};

class JobsRetry final : public QueueCommand {
public:
    JobsRetry()
        : QueueCommand("jobs retry", "Queue again what failed for good",
                       {"decant jobs retry", "decant jobs retry --id LAP-0042"}) {}
    void declare(Options& options) override {
        options.texts("--id", ids_, "Only the product with this id or sku; may be given several times");
    }

private:
    int run_on(const Context& context, store::JobQueue& queue) override {
        const std::uint64_t queued = queue.retry(ids_);
        if (context.json)
            fmt::print("{}\n", json_text(json::object{{"queued", queued}}));
        else
            fmt::print("queued {}\n", queued);
        return ids_.empty() || queued > 0 ? 0 : 1;
    }

    std::vector<std::string> ids_;
};

class JobsPurge final : public QueueCommand {
public:
    JobsPurge()
        : QueueCommand("jobs purge", "Forget what failed for good",
                       {"decant jobs purge", "decant jobs purge --waiting"}) {}
    void declare(Options& options) override {
        options.flag("--waiting", waiting_, "What waits, too; the products stay as they are");
    }

private:
    int run_on(const Context& context, store::JobQueue& queue) override {
        const std::uint64_t removed = queue.purge(waiting_);
        if (context.json)
            fmt::print("{}\n", json_text(json::object{{"removed", removed}}));
        else
            fmt::print("removed {}\n", removed);
        return 0;
    }

    bool waiting_ = false;
};

}  // namespace

void declare_embedder(Options& options) {
    options.setting("--embedder", "DECANT_EMBEDDER", "local, ollama or openai (default: DECANT_EMBEDDER)");
    options.setting("--model", "DECANT_EMBEDDING_MODEL", "Its model (default: DECANT_EMBEDDING_MODEL)");
}

Commands make_embed() {
    return commands_of<Embed, WorkerCommand, JobsList, JobsRetry, JobsPurge>();
}

}  // namespace decant::cli
