#include "operate/model_change.hpp"

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/confirm.hpp"
#include "cli/judged_options.hpp"
#include "cli/phase_meter.hpp"
#include "cli/product_search.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json_members.hpp"
#include "core/quantity_text.hpp"
#include "core/shell_word.hpp"
#include "core/utf8.hpp"
#include "embed/known_models.hpp"
#include "quality/evaluation.hpp"
#include "quality/query_vectors.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {
namespace {

using operate::ModelChangeReport;
using store::ColumnModel;
using store::SecondState;

constexpr std::size_t judged_cut = 10;

std::string conninfo_of(const Context& context) {
    return store::resolve_database(context.settings).conninfo;
}

std::string shown(const ColumnModel& model) {
    return fmt::format("{} ({}, {} dimensions)", printable(model.name), model.provider, model.dimension);
}

json::object json_of(const ColumnModel& model) {
    return {{"name", model.name}, {"provider", model.provider}, {"dimension", model.dimension}};
}

json::value json_of(const std::optional<operate::JudgedScore>& score) {
    return score ? json::value(json::object{{"ndcg", score->ndcg}, {"queries", score->queries}}) : json::value(nullptr);
}

/// Of a model that is named alone: known ones first, then the server that the settings choose.
std::string provider_of(const Settings& settings, const std::string& model) {
    for (const std::string_view provider : {"local", "ollama", "openai"})
        if (embed::find_known_model(provider, model) != nullptr) return std::string{provider};
    const std::string chosen = embed::chosen_embedder(settings).provider;
    return chosen == "openai" ? chosen : "ollama";
}

/// The judged queries put to pgvector's leg over one of the columns.
operate::JudgedScore judge(const Context& context, const quality::JudgedSet& set, int relevant,
                           const store::VectorColumns& columns, embed::Embedder& embedder) {
    pg::Connection db = pg::Connection::open(conninfo_of(context));
    search::EngineOptions options = search::engine_options(context.settings);
    options.columns = columns;
    options.is_sharded = false;
    search::Engine engine{db, options, {.embedder_of = [&](const auto&) -> embed::Embedder& { return embedder; }}};
    const auto ask = [&](std::size_t query, const std::string&) {
        // Without a threshold: every model has its own, and what is compared is the order.
        search::Answer answer = engine.search({.text = set.queries[query].query.text,
                                               .limit = judged_cut,
                                               .threshold = -1,
                                               .strategy = search::Strategy::pgvector});
        return quality::Answered{.hits = std::move(answer.hits), .is_degraded = answer.degraded};
    };
    const quality::Evaluation evaluation =
        quality::evaluate(set, {.strategies = {"pgvector"}, .cut = judged_cut, .relevant = relevant}, ask,
                          [](std::size_t, std::size_t) { return !interrupted(); });
    const quality::Summary summary = summarise(evaluation, evaluation.runs.front());
    return {.ndcg = summary.ndcg.value_or(0), .queries = summary.scored};
}

class ModelChange final : public Command {
public:
    ModelChange()
        : Command("model change",
                  "Move the catalog to another embedding model while searches go on; exit 1: it is worse, and the old "
                  "one stays",
                  {"decant model change bge-m3", "decant model change use-multilingual --provider local --dry-run",
                   "decant model change bge-m3 --queries queries.jsonl --qrels qrels.txt"}) {}
    void declare(Options& options) override {
        options.required_positional("NAME", name_, "The model, as its provider names it");
        options.choice("--provider", provider_, {"local", "ollama", "openai"},
                       "Who runs it (default: who is known to, else the server of the settings)");
        options.flag("--halfvec", is_half_, "Index it in half precision: half the size, for up to 4000 dimensions");
        options.number("--batch-size", batch_size_, "Products a batch (default: 64)");
        options.text("--recall", recall_, "Share of the true nearest that its index must find (default: 0.95)");
        judged_.declare(options);
        options.text("--most-loss", most_loss_,
                     "With --qrels: most that nDCG@10 may fall under the old model's (default: 0.02)");
        options.flag("--force", force_, "Swap also below these bounds");
        options.flag("--dry-run", is_dry_, "Look at all that could stop it; change nothing");
    }

    int run(const Context& context) override {
        catch_interrupts();
        const Settings& settings = context.settings;
        operate::ModelChangeRequest request{.conninfo = conninfo_of(context), .model = name_};
        const embed::EmbedderChoice wanted{provider_.empty() ? provider_of(settings, name_) : provider_, name_};
        request.open = [&] { return embed::require_embedder(settings, wanted); };
        request.asked_dimension = wanted.provider == "local" ? 0 : server_options(settings, wanted).settings.dimension;
        request.configured = configured(settings);
        request.batch_size = in_range({.option = "--batch-size", .low = 1, .high = 10'000, .unset = 64}, batch_size_);
        if (is_half_) request.index_type = pg::VectorType::halfvec;
        if (!recall_.empty()) request.least_recall = parse_share("--recall", recall_);
        if (!most_loss_.empty()) request.most_loss = parse_share("--most-loss", most_loss_);
        request.accepts_worse = force_;
        request.dry_run = is_dry_;
        quality::JudgedSet set;
        if (judged_.has_qrels() || !judged_.queries().empty()) {
            pg::Connection db = pg::Connection::open(request.conninfo);
            set = judged_.read(db);
            warn_of_gaps(set);
            request.judge = [&](const store::VectorColumns& columns, embed::Embedder& embedder) {
                return judge(context, set, judged_.relevant(), columns, embedder);
            };
            request.open_before = [&](const ColumnModel& before) {
                return work::open_catalog_embedder(settings, before);
            };
        }
        const operate::OperationLock lock{request.conninfo, "model change"};
        ModelChangeReport report;
        {
            PhaseMeter meter;
            report = operate::change_model(request, lock, meter.watch<operate::ModelChangeWatch>());
        }
        if (context.json)
            print_json(report);
        else
            print_text(report);
        return report.is_swapped || is_dry_ ? 0 : 1;
    }

private:
    /// What the settings say of the vectors that are there.
    static ColumnModel configured(const Settings& settings) {
        const embed::EmbedderChoice choice = embed::chosen_embedder(settings);
        if (choice.provider == "local") {
            const embed::Model* known = embed::find_known_model("local", choice.model);
            return known != nullptr ? work::column_model(*known) : ColumnModel{"local", choice.model};
        }
        const embed::ServerOptions options = server_options(settings, choice);
        return work::column_model(embed::server_model(choice.provider, choice.model, options.settings),
                                  options.settings.dimension);
    }

    void print_json(const ModelChangeReport& report) const {
        json::array refused;
        for (const operate::RefusedProduct& one : report.refused)
            refused.push_back(json::object{{"product_id", one.id}, {"reason", one.reason}});
        fmt::print("{}\n", json_text(json::object{{"before", json_of(report.before)},
                                                  {"after", json_of(report.after)},
                                                  {"dry_run", is_dry_},
                                                  {"swapped", report.is_swapped},
                                                  {"too_bad", text_or_null(report.too_bad)},
                                                  {"resumed", report.is_resumed},
                                                  {"products", report.products},
                                                  {"needed_bytes", report.needed_bytes},
                                                  {"embedded", report.embedded},
                                                  {"refused", std::move(refused)},
                                                  {"queries", report.queries},
                                                  {"recall_before", or_null(report.recall_before)},
                                                  {"recall", report.recall},
                                                  {"judged_before", cli::json_of(report.judged_before)},
                                                  {"judged", cli::json_of(report.judged)},
                                                  {"queued", report.queued},
                                                  {"fill_seconds", report.fill_seconds},
                                                  {"build_seconds", report.build_seconds},
                                                  {"pause_milliseconds", report.pause_milliseconds}}));
    }

    void print_text(const ModelChangeReport& report) const {
        if (is_dry_) {
            fmt::print("would change  {} to {}\n", shown(report.before), shown(report.after));
            fmt::print("would embed   {} products; the server's disk needs about {}\n", grouped(report.products),
                       bytes_text(report.needed_bytes));
            return;
        }
        fmt::print("embedded   {} products by {}{}, in {:.1f} s\n", grouped(report.embedded), shown(report.after),
                   report.is_resumed ? ", going on" : "", report.fill_seconds);
        for (const operate::RefusedProduct& one : report.refused)
            fmt::print("refused    product {}: {}\n", one.id, printable(one.reason));
        fmt::print("indexed    in {:.1f} s\n", report.build_seconds);
        fmt::print("compared   recall@10 {:.3f} of {} queries against the exact scan{}\n", report.recall,
                   report.queries, report.recall_before ? fmt::format("; before: {:.3f}", *report.recall_before) : "");
        if (report.judged)
            fmt::print("judged     nDCG@10 {:.3f} over {} queries; before: {:.3f}\n", report.judged->ndcg,
                       report.judged->queries, report.judged_before->ndcg);
        if (!report.is_swapped) {
            fmt::print("kept       {}: {}\n", shown(report.before), report.too_bad);
            fmt::print("To change all the same: decant model change {} --force; to give it up: decant model forget\n",
                       shell_word(report.after.name));
            return;
        }
        fmt::print("swapped    {} for {}; searches waited {:.0f} ms\n", shown(report.before), shown(report.after),
                   report.pause_milliseconds);
        if (report.queued > 0) fmt::print("queued     {} products that changed meanwhile\n", grouped(report.queued));
        fmt::print(
            "The vectors before are kept. Back to them: decant model rollback; let them go: decant model forget\n");
    }

    std::string name_;
    std::string provider_;
    bool is_half_ = false;
    bool force_ = false;
    bool is_dry_ = false;
    std::string recall_;
    std::string most_loss_;
    std::optional<std::uint64_t> batch_size_;
    JudgedOptions judged_;
};

class ModelRollback final : public Command {
public:
    ModelRollback()
        : Command("model rollback", "Search with the model before the last change again, at once",
                  {"decant model rollback", "decant model rollback --json"}) {}

    int run(const Context& context) override {
        const std::string conninfo = conninfo_of(context);
        const operate::OperationLock lock{conninfo, "model rollback"};
        const operate::ModelRollbackReport report = operate::roll_model_back(conninfo, lock);
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"before", json_of(report.before)},
                                                      {"after", json_of(report.after)},
                                                      {"queued", report.queued},
                                                      {"seconds", report.seconds},
                                                      {"pause_milliseconds", report.pause_milliseconds}}));
            return 0;
        }
        fmt::print("swapped    {} for {}, in {:.3f} s; searches waited {:.0f} ms\n", shown(report.before),
                   shown(report.after), report.seconds, report.pause_milliseconds);
        if (report.queued > 0) {
            fmt::print("queued     {} products that changed or came since; a worker embeds them\n",
                       grouped(report.queued));
        }
        fmt::print("The vectors of {} are kept. Forth again: decant model rollback; let them go: decant model forget\n",
                   printable(report.before.name));
        return 0;
    }
};

class ModelForget final : public Command {
public:
    ModelForget()
        : Command("model forget", "Let the second column of vectors go: the model before, or a change that is not made",
                  {"decant model forget --yes"}) {}
    void declare(Options& options) override { options.flag("--yes", is_confirmed_, "Do not ask"); }

    int run(const Context& context) override {
        const std::string conninfo = conninfo_of(context);
        if (!is_confirmed_ && !confirm(danger(conninfo), "decant model forget")) return 1;
        const operate::OperationLock lock{conninfo, "model forget"};
        const store::SecondColumn second = operate::forget_second_model(conninfo, lock);
        const bool was_kept = second.comment->second == SecondState::kept;
        if (context.json) {
            fmt::print("{}\n", json_text(json::object{{"model", json_of(second.comment->model)},
                                                      {"was", was_kept ? "kept" : "filling"}}));
            return 0;
        }
        fmt::print("removed    the vectors of {}\n", shown(second.comment->model));
        fmt::print("Their room is used again for new rows; VACUUM FULL products would give it back.\n");
        return 0;
    }

private:
    static std::string danger(const std::string& conninfo) {
        pg::Connection db = pg::Connection::open(conninfo);
        const auto second = store::read_second_column(db);
        if (!second || !second->comment) return "model forget removes the second column of vectors, where there is one";
        return second->comment->second == SecondState::kept
                   ? fmt::format("model forget removes the vectors of {}: there is no rollback to it any more",
                                 second->comment->model.name)
                   : fmt::format("model forget gives up the change to {}, with what is embedded of it",
                                 second->comment->model.name);
    }

    bool is_confirmed_ = false;
};

class ModelStatus final : public Command {
public:
    ModelStatus()
        : Command("model status", "Show which model the catalog's vectors are of, and what is beside them",
                  {"decant model status", "decant model status --json"}) {}

    int run(const Context& context) override {
        pg::Connection db = pg::Connection::open(conninfo_of(context));
        if (auto problem = store::embedding_problem(db, store::read_catalog_state(db))) throw std::move(*problem);
        const auto told = store::read_column_model(db);
        const auto second = store::read_second_column(db);
        const bool is_ours = second && second->comment;
        const auto counts = is_ours ? std::optional{store::count_second(db)} : std::nullopt;
        if (context.json)
            print_json(context, told, is_ours ? second : std::nullopt, counts);
        else
            print_text(context, told, is_ours ? second : std::nullopt, counts);
        return 0;
    }

private:
    using Second = std::optional<store::SecondColumn>;
    using Counts = std::optional<store::SecondCounts>;

    static void print_json(const Context& context, const std::optional<ColumnModel>& told, const Second& second,
                           const Counts& counts) {
        const embed::EmbedderChoice chosen = embed::chosen_embedder(context.settings);
        json::object out{{"column", told ? json::value(json_of(*told)) : json::value(nullptr)},
                         {"settings", json::object{{"name", chosen.model}, {"provider", chosen.provider}}},
                         {"second", nullptr}};
        if (second) {
            const store::ColumnComment& comment = *second->comment;
            out["second"] = json::object{{"state", comment.second == SecondState::kept ? "kept" : "filling"},
                                         {"model", json_of(comment.model)},
                                         {"since", text_or_null(comment.since)},
                                         {"products", counts->products},
                                         {"fresh", counts->fresh},
                                         {"stale", counts->stale},
                                         {"missing", counts->missing},
                                         {"indexes", json::array(second->indexes.begin(), second->indexes.end())}};
        }
        fmt::print("{}\n", json_text(out));
    }

    static void print_text(const Context& context, const std::optional<ColumnModel>& told, const Second& second,
                           const Counts& counts) {
        const embed::EmbedderChoice chosen = embed::chosen_embedder(context.settings);
        fmt::print("searched   {}\n",
                   told ? shown(*told)
                        : fmt::format("{} ({}), as the settings say", printable(chosen.model), chosen.provider));
        if (!second) {
            fmt::print("beside it  nothing\n");
            return;
        }
        const store::ColumnComment& comment = *second->comment;
        const bool is_kept = comment.second == SecondState::kept;
        fmt::print("beside it  {}, {} since {}\n", shown(comment.model), is_kept ? "kept" : "being filled",
                   comment.since);
        fmt::print("           {} of {} products have a fresh vector, {} a stale one, {} none\n",
                   grouped(counts->fresh), grouped(counts->products), grouped(counts->stale), grouped(counts->missing));
        fmt::print("{}\n", is_kept ? "Back to it: decant model rollback; let it go: decant model forget"
                                   : fmt::format("Go on: decant model change {}; give it up: decant model forget",
                                                 shell_word(comment.model.name)));
    }
};

}  // namespace

Commands make_model_change() {
    return commands_of<ModelChange, ModelRollback, ModelForget, ModelStatus>();
}

}  // namespace decant::cli
