#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/judged_options.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/json_members.hpp"
#include "core/log.hpp"
#include "core/table.hpp"
#include "quality/query_vectors.hpp"
#include "quality/threshold.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"

namespace decant::cli {
namespace {

using quality::ScoredQuery;

/// The thresholds that are told of, by what speaks for them.
struct Candidate {
    double threshold;
    std::string reason;
};

class Threshold final : public Command {
public:
    Threshold()
        : Command("threshold", "Propose the least similarity of a search result, from queries and judgments",
                  {"decant threshold --queries queries.jsonl --qrels qrels.txt --split work",
                   "decant threshold --queries queries.jsonl --qrels qrels.txt --keep 95",
                   "decant threshold --queries queries.jsonl"}) {}
    void declare(Options& options) override {
        judged_.declare(options);
        options.number("--keep", keep_,
                       "Propose the highest that keeps this many percent of the relevant hits, not the best F1");
        options.number("--limit", limit_, "Hits a query that are looked at (default: 10)");
        declare_embedder(options);
    }

    int run(const Context& context) override {
        catch_interrupts();
        const std::uint64_t keep = in_range({.option = "--keep", .low = 1, .high = 100, .unset = 95}, keep_);
        const quality::ScoreOptions options{
            .limit = in_range({.option = "--limit", .low = 1, .high = 1'000, .unset = 10}, limit_),
            .relevant = judged_.relevant()};
        pg::Connection db = pg::Connection::open(store::resolve_database(context.settings).conninfo);
        const quality::JudgedSet set = judged_.read(db);
        const auto embedder = work::open_catalog_embedder(context.settings, store::read_column_model(db));
        const quality::QueryVectors vectors = embed_queries(*embedder, set);
        const std::vector<ScoredQuery> queries = score_queries(db, set, vectors, options);
        model_ = &embedder->model();
        if (judged_.has_qrels()) {
            warn_of_gaps(set);
            tell_judged(queries, static_cast<double>(keep) / 100, context.json);
        } else {
            tell_unjudged(queries, chance_similarities(db, vectors), context.json);
        }
        return 0;
    }

private:
    static Error nothing_to_go_by(std::string happened) {
        return {ErrorCode::not_found, std::move(happened),
                "See what is there with `decant products list`, and which products the judgments name."};
    }

    void tell_judged(const std::vector<ScoredQuery>& queries, double keep, bool as_json) const {
        const quality::Proposals proposals = quality::propose(queries, keep);
        if (!proposals.best_f1)
            throw nothing_to_go_by("None of the judged queries finds a relevant product, whatever the threshold");
        const Candidate best{*proposals.best_f1, "best F1"};
        const Candidate keeping{*proposals.keeping, fmt::format("keeps {:.0f} % of the relevant hits", keep * 100)};
        const Candidate& chosen = keep_ ? keeping : best;
        std::vector<quality::ThresholdEffect> effects;
        for (const double threshold : thresholds_to_show(queries, std::array{best.threshold, keeping.threshold}))
            effects.push_back(effect_of(queries, threshold));
        if (as_json)
            print_json(effects, chosen);
        else
            print_table(effects, {best, keeping}, chosen);
        const double judged = judged_share(queries);
        if (judged < 1)
            log::warning("Nobody judged {:.1f} % of the hits; they count as irrelevant", 100 * (1 - judged));
    }

    void print_json(const std::vector<quality::ThresholdEffect>& effects, const Candidate& chosen) const {
        json::array table;
        for (const quality::ThresholdEffect& effect : effects) {
            table.push_back(json::object{{"threshold", effect.threshold},
                                         {"relevant_kept", effect.relevant_kept},
                                         {"irrelevant_kept", effect.irrelevant_kept},
                                         {"f1", effect.f1},
                                         {"rightly_empty", or_null(effect.rightly_empty)}});
        }
        print_json(chosen, std::move(table));
    }

    void print_json(const Candidate& chosen, json::array table) const {
        fmt::print("{}\n", json_text(json::object{{"model", model_->name},
                                                  {"threshold", chosen.threshold},
                                                  {"reason", chosen.reason},
                                                  {"model_threshold", or_null(model_->search_threshold)},
                                                  {"table", std::move(table)}}));
    }

    void print_table(const std::vector<quality::ThresholdEffect>& effects, const std::vector<Candidate>& candidates,
                     const Candidate& chosen) const {
        constexpr auto right = Table::Align::right;
        Table table{{{"threshold", right},
                     {"relevant kept", right},
                     {"irrelevant kept", right},
                     {"F1", right},
                     {"rightly empty", right},
                     {""}}};
        for (const quality::ThresholdEffect& effect : effects) {
            table.add_row({fmt::format("{:.2f}", effect.threshold), fmt::format("{:.3f}", effect.relevant_kept),
                           fmt::format("{:.3f}", effect.irrelevant_kept), fmt::format("{:.3f}", effect.f1),
                           effect.rightly_empty ? fmt::format("{:.3f}", *effect.rightly_empty) : "-",
                           reasons_for(effect.threshold, candidates)});
        }
        fmt::print("{}", table.text());
        print_proposal(chosen);
    }

    static std::string reasons_for(double threshold, const std::vector<Candidate>& candidates) {
        std::string reasons;
        for (const Candidate& candidate : candidates) {
            if (std::abs(candidate.threshold - threshold) > 0.001) continue;
            reasons += reasons.empty() ? candidate.reason : ", " + candidate.reason;
        }
        return reasons;
    }

    void print_proposal(const Candidate& chosen) const {
        fmt::print("\nProposed for {}: {:.2f} ({}){}. Into .env:\nPGVECTOR_SIMILARITY_THRESHOLD={:.2f}\n", model_->name,
                   chosen.threshold, chosen.reason,
                   model_->search_threshold ? fmt::format("; its own is {:.2f}", *model_->search_threshold) : "",
                   chosen.threshold);
    }

    void tell_unjudged(const std::vector<ScoredQuery>& queries, const std::vector<double>& chance, bool as_json) const {
        const std::optional<double> proposed = quality::propose_unjudged(queries);
        if (!proposed) throw nothing_to_go_by("No query finds anything: no active product has an embedding");
        const Candidate chosen{*proposed, "nine of ten queries keep their best hit"};
        std::vector<quality::UnjudgedEffect> effects;
        for (const double threshold : thresholds_to_show(queries, std::array{*proposed}))
            effects.push_back(unjudged_effect_of(queries, chance, threshold));
        if (as_json) {
            json::array table;
            for (const quality::UnjudgedEffect& effect : effects) {
                table.push_back(json::object{{"threshold", effect.threshold},
                                             {"answered", effect.answered},
                                             {"hits", effect.hits},
                                             {"chance_passes", effect.chance_passes}});
            }
            print_json(chosen, std::move(table));
            return;
        }
        constexpr auto right = Table::Align::right;
        Table table{
            {{"threshold", right}, {"answered", right}, {"hits a query", right}, {"chance passes", right}, {""}}};
        for (const quality::UnjudgedEffect& effect : effects) {
            table.add_row({fmt::format("{:.2f}", effect.threshold), fmt::format("{:.3f}", effect.answered),
                           fmt::format("{:.1f}", effect.hits), fmt::format("{:.4f}", effect.chance_passes),
                           reasons_for(effect.threshold, {chosen})});
        }
        fmt::print("{}", table.text());
        print_proposal(chosen);
        fmt::print("Without judgments it is taken for granted that every query has something to find.\n");
    }

    JudgedOptions judged_;
    std::optional<std::uint64_t> keep_;
    std::optional<std::uint64_t> limit_;
    const embed::Model* model_ = nullptr;
};

}  // namespace

Commands make_threshold() {
    return commands_of<Threshold>();
}

}  // namespace decant::cli
