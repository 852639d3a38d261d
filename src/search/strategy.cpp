#include "search/strategy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <set>
#include <span>

#include "core/elapsed.hpp"
#include "search/fusion.hpp"

namespace decant::search {
namespace {

/// Of fusion: twice what is shown, so that what both legs find in the middle comes up; further down so many times more.
constexpr std::uint64_t least_candidates = 100;
constexpr std::uint64_t growth_of_candidates = 2;

struct Asked {
    LegReport report;
    std::vector<Hit> hits = {};
    double threshold = -1;
};

const LegSearch& leg_of(const Legs& legs, Leg leg) {
    switch (leg) {
        case Leg::pgvector:
            return legs.pgvector;
        case Leg::chroma:
            return legs.chroma;
        default:
            return legs.keyword;
    }
}

Asked ask(const Legs& legs, Leg leg, const LegQuery& query) {
    Asked asked{.report = {.leg = leg}};
    const auto begin = std::chrono::steady_clock::now();
    try {
        LegAnswer answer = leg_of(legs, leg)(query);
        asked.hits = std::move(answer.hits);
        asked.threshold = answer.threshold;
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled) throw;
        asked.report.failure = error;
    }
    asked.report.milliseconds = milliseconds_since(begin);
    asked.report.found = asked.hits.size();
    return asked;
}

/// "pgvector found 1 product" or "pgvector failed: ..."
std::string told(const LegReport& report) {
    if (report.failure) return fmt::format("{} failed: {}", leg_names[report.leg], report.failure->happened());
    return fmt::format("{} found {}", leg_names[report.leg],
                       report.found == 0   ? "nothing"
                       : report.found == 1 ? "1 product"
                                           : fmt::format("{} products", report.found));
}

Error absent(std::string_view strategy, Leg leg) {
    if (leg == Leg::pgvector) {
        return {ErrorCode::config_invalid, fmt::format("Strategy {} needs pgvector, which is off", strategy),
                "Set USE_PGVECTOR=true, or choose another strategy."};
    }
    return {ErrorCode::config_invalid, fmt::format("Strategy {} needs Chroma, which is not configured", strategy),
            "Set CHROMA_PATH or CHROMA_URL, or choose another strategy."};
}

/// The first 50 are of the first 100 of both legs, those up to 100 of the first 200, and so on: no page depends on how
/// many others were asked for.
std::vector<Hit> fused_in_blocks(const Asked& pgvector, const Asked& words, std::uint64_t candidates,
                                 double words_weight) {
    const auto first = [](const std::vector<Hit>& hits, std::uint64_t count) {
        return std::span{hits}.first(std::min<std::size_t>(hits.size(), count));
    };
    std::vector<Hit> fused;
    std::set<std::string> known;
    for (std::uint64_t count = least_candidates; count <= candidates; count *= growth_of_candidates) {
        for (Hit& hit : fuse(first(pgvector.hits, count), first(words.hits, count), pgvector.threshold, words_weight))
            if (fused.size() < count / 2 && known.insert(hit.id).second) {
                if (!fused.empty()) hit.score = std::min(hit.score, fused.back().score);
                fused.push_back(std::move(hit));
            }
    }
    return fused;
}

class Run {
public:
    Run(Strategy strategy, const Legs& legs, std::uint64_t limit) : strategy_(strategy), legs_(legs), limit_(limit) {}

    StrategyOutcome outcome() {
        switch (strategy_) {
            case Strategy::pgvector_primary:
                chain({Leg::pgvector, Leg::chroma, Leg::keyword});
                break;
            case Strategy::chroma_primary:
                chain({Leg::chroma, Leg::pgvector, Leg::keyword});
                break;
            case Strategy::hybrid:
                hybrid();
                break;
            case Strategy::fusion:
                fusion();
                break;
            case Strategy::pgvector:
                only(Leg::pgvector);
                break;
            case Strategy::chroma:
                only(Leg::chroma);
                break;
            case Strategy::keyword:
                only(Leg::keyword);
                break;
        }
        if (out_.hits.size() > limit_) out_.hits.resize(limit_);
        return std::move(out_);
    }

private:
    bool has(Leg leg) const { return static_cast<bool>(leg_of(legs_, leg)); }

    /// Takes the report in; true when the leg answered.
    bool note(const Asked& asked) {
        out_.legs.push_back(asked.report);
        out_.reason += out_.reason.empty() ? told(asked.report) : "; " + told(asked.report);
        return !asked.report.failure;
    }

    void throw_if_none_answered() const {
        const auto failed = [](const LegReport& report) { return report.failure.has_value(); };
        if (!out_.legs.empty() && std::ranges::all_of(out_.legs, failed)) throw *out_.legs.front().failure;
    }

    /// The first that finds enough; else the one that found most, the earlier of two.
    void chain(const std::vector<Leg>& order) {
        for (const Leg leg : order) {
            if (!has(leg)) continue;
            Asked asked = ask(legs_, leg, {.limit = limit_});
            const std::string before = out_.reason;
            const bool answered = note(asked);
            if (!answered) out_.degraded = true;
            if (answered && (out_.used.empty() || asked.hits.size() > out_.hits.size())) {
                out_.used = leg_names[leg];
                out_.hits = std::move(asked.hits);
                if (out_.hits.size() >= enough_hits) {
                    out_.reason = before;
                    return;
                }
            }
        }
        throw_if_none_answered();
        if (out_.legs.size() == 1) out_.reason.clear();
    }

    void only(Leg leg) {
        if (!has(leg)) throw absent(strategy_names[strategy_], leg);
        Asked asked = ask(legs_, leg, {.limit = limit_});
        if (asked.report.failure) throw *asked.report.failure;
        out_.used = leg_names[leg];
        out_.legs.push_back(asked.report);
        out_.hits = std::move(asked.hits);
    }

    void hybrid() {
        if (!has(Leg::pgvector) || !has(Leg::chroma)) {
            chain({Leg::pgvector, Leg::chroma, Leg::keyword});
            return;
        }
        auto beside = std::async(std::launch::async, [&] { return ask(legs_, Leg::chroma, {.limit = limit_}); });
        Asked pgvector = ask(legs_, Leg::pgvector, {.limit = limit_});
        Asked chroma = beside.get();
        const bool has_pgvector = note(pgvector);
        const bool both = note(chroma) && has_pgvector;
        out_.degraded = !both;
        out_.used = both ? "hybrid" : std::string{leg_names[pgvector.report.failure ? Leg::chroma : Leg::pgvector]};
        out_.hits = merge_by_similarity(std::move(pgvector.hits), std::move(chroma.hits));
        if (both && out_.hits.size() >= enough_hits) out_.reason.clear();
        fall_back_on_words();
    }

    void fall_back_on_words() {
        if (out_.hits.size() >= enough_hits || !has(Leg::keyword)) return throw_if_none_answered();
        Asked words = ask(legs_, Leg::keyword, {.limit = limit_});
        if (note(words) && words.hits.size() > out_.hits.size()) {
            out_.used = leg_names[Leg::keyword];
            out_.hits = std::move(words.hits);
        }
        throw_if_none_answered();
    }

    void fusion() {
        if (!has(Leg::pgvector)) {
            chain({Leg::keyword, Leg::chroma});
            return;
        }
        std::uint64_t candidates = least_candidates;
        while (candidates < 2 * limit_)
            candidates *= growth_of_candidates;
        Asked pgvector = ask(legs_, Leg::pgvector, {.limit = candidates, .below_threshold = true});
        Asked words = ask(legs_, Leg::keyword, {.limit = candidates});
        const bool has_pgvector = note(pgvector);
        const bool both = note(words) && has_pgvector;
        throw_if_none_answered();
        out_.degraded = !both;
        out_.hits = fused_in_blocks(pgvector, words, candidates, legs_.keyword_weight);
        out_.used = both ? "fusion" : std::string{leg_names[pgvector.report.failure ? Leg::keyword : Leg::pgvector]};
        if (both) out_.reason.clear();
    }

    Strategy strategy_;
    const Legs& legs_;
    std::uint64_t limit_;
    StrategyOutcome out_;
};

}  // namespace

StrategyOutcome run_strategy(Strategy strategy, const Legs& legs, std::uint64_t limit) {
    return Run{strategy, legs, limit}.outcome();
}

}  // namespace decant::search
