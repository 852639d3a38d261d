#include "search/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <span>

#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "pg/sql_state.hpp"
#include "search/fusion.hpp"
#include "search/question_vector.hpp"
#include "search/shared_vocabulary.hpp"

namespace decant::search {
namespace {

std::optional<double> threshold_setting(const Settings& settings, std::string_view key) {
    const std::optional<std::string> text = settings.get(key);
    if (!text) return std::nullopt;
    double value = 0;
    const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failed == std::errc{} && end == text->data() + text->size() && value >= -1 && value <= 1) return value;
    throw Error{ErrorCode::config_invalid, fmt::format("{} is no number from -1 to 1: '{}'", key, *text),
                fmt::format("Set it like {}=0.7, or leave it out: every model has its own.", key)};
}

/// Of a question for something cheap: so many of the nearest, of which the cheaper come first.
constexpr std::size_t price_block = 40;
constexpr double price_weight = 0.5;
constexpr double named_threshold_share = 0.5;

/// What is wrong with the token, the collection or the directory is between this side and Chroma: to who asks, Chroma
/// is away.
bool is_refusal_of_chroma(const Error& error) noexcept {
    switch (error.code()) {
        case ErrorCode::unauthenticated:
        case ErrorCode::permission_denied:
        case ErrorCode::not_found:
        case ErrorCode::conflict:
        case ErrorCode::rate_limited:
        case ErrorCode::too_large:
            return !pg::is_statement_error(error);
        default:
            return false;
    }
}

/// By the place in the answer and the place by price, half and half.
void order_by_price_too(std::span<Hit> hits, PriceWish wish) {
    std::vector<std::size_t> by_price(hits.size());
    std::iota(by_price.begin(), by_price.end(), 0);
    std::ranges::stable_sort(by_price, [&](std::size_t a, std::size_t b) {
        return wish == PriceWish::cheap ? hits[a].price < hits[b].price : hits[a].price > hits[b].price;
    });
    std::vector<double> places(hits.size());
    for (std::size_t place = 0; place < by_price.size(); ++place)
        places[by_price[place]] = price_weight * static_cast<double>(place);
    for (std::size_t place = 0; place < hits.size(); ++place)
        places[place] += (1 - price_weight) * static_cast<double>(place);
    std::vector<std::size_t> order(hits.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return places[i]; });
    std::vector<Hit> ordered;
    for (const std::size_t i : order)
        ordered.push_back(std::move(hits[i]));
    std::ranges::move(ordered, hits.begin());
}

/// Block by block of the nearest, so that no page of an answer depends on how many others were asked for.
void order_blocks_by_price_too(std::span<Hit> hits, PriceWish wish) {
    for (std::size_t at = 0; at < hits.size(); at += price_block)
        order_by_price_too(hits.subspan(at, std::min(price_block, hits.size() - at)), wish);
}

/// All that was understood but for categories and brands.
Filter without_names(const Filter& given, Understood understood) {
    understood.categories = {};
    understood.subcategories = {};
    understood.brands = {};
    return merged(given, understood);
}

using Clock = std::chrono::steady_clock;

/// A question meets a change of the model, which may be taken back a moment later, and again.
constexpr int most_models = 10;

}  // namespace

EngineOptions engine_options(const Settings& settings) {
    const std::string name = settings.get("PRODUCT_SEARCH_STRATEGY").value_or("pgvector_primary");
    return {.strategy = strategy_names.find(name).value_or(Strategy::pgvector_primary),
            .use_pgvector = settings.is_on("USE_PGVECTOR"),
            .pgvector_threshold = threshold_setting(settings, "PGVECTOR_SIMILARITY_THRESHOLD"),
            .chroma_threshold = threshold_setting(settings, "CHROMA_SIMILARITY_THRESHOLD"),
            .is_sharded = settings.is_on("SHARD_SEARCH"),
            .on_shard_failure = shard_failure_names.find(settings.get("SHARD_FAILURE").value_or("partial"))
                                    .value_or(ShardFailure::partial)};
}

/// A question as the model of a column makes it.
struct QuestionVector {
    std::optional<store::ColumnModel> column;
    std::shared_ptr<const std::vector<float>> vector;
};

/// A request under way.
struct Engine::Question {
    const Request& request;
    std::string text;  ///< that is searched for
    Filter filter;
    Answer answer = {};
    std::mutex embedding = {};  ///< both vector legs may want a vector at once
    std::vector<QuestionVector> vectors = {};

    /// A model's own threshold keeps out answers to questions about what is not in the catalog. One that names a
    /// category or brand of the catalog is about it.
    double eased(double threshold) const noexcept {
        const bool is_about_catalog =
            !filter.categories.empty() || !filter.subcategories.empty() || !filter.brands.empty();
        return is_about_catalog ? threshold * named_threshold_share : threshold;
    }
};

Engine::Engine(pg::Connection& db, EngineOptions options, Resources resources)
    : db_(db), options_(options), resources_(std::move(resources)) {
    if (resources_.vocabulary) return;
    resources_.vocabulary = [own = std::make_shared<SharedVocabulary>()](pg::Connection& asking) {
        return own->get(asking);
    };
}

std::shared_ptr<const Vocabulary> Engine::vocabulary() {
    return resources_.vocabulary(db_);
}

std::string Engine::question_text(const std::string& text) {
    std::string left = understand(text, *vocabulary()).text;
    return left.empty() ? text : left;
}

embed::Embedder& Engine::embedder_of(const std::optional<store::ColumnModel>& column) {
    const std::lock_guard lock{opening_};  // both vector legs may ask at once
    return resources_.embedder_of ? resources_.embedder_of(column) : resources_.embedder();
}

VectorSearcher& Engine::vectors() {
    if (!vectors_) {
        vectors_ = std::make_unique<VectorSearcher>(db_, options_.columns);
        column_ = vectors_->model();
    }
    return *vectors_;
}

/// A question whose vector is of the model before is embedded again: its model was changed in between.
VectorAnswer Engine::nearest(Question& question, VectorQuery query) {
    if (options_.is_sharded) return nearest_of_shards(question, query);
    for (int tries = 1;; ++tries) {
        VectorSearcher& searcher = vectors();
        const auto vector = vector_of(question, column_);
        query.vector = *vector;
        if (auto answer = searcher.find_unless_changed(query)) return std::move(*answer);
        column_ = searcher.model();
        if (tries == most_models || !question.request.vector.empty()) {
            throw Error{ErrorCode::source_changed, "The catalog's model was changed while the question was under way",
                        "Ask again."};
        }
    }
}

ShardSearcher& Engine::shards() {
    if (!shards_) {
        shards_ = std::make_unique<ShardSearcher>(db_, options_.on_shard_failure);
        // A copy of before a change of the model has vectors of the settings' one.
        const auto told = store::read_column_model(db_);
        column_ = told && told->name == shards_->model() ? told : std::nullopt;
    }
    return *shards_;
}

VectorAnswer Engine::nearest_of_shards(Question& question, VectorQuery query) {
    ShardSearcher& searcher = shards();
    const auto vector = vector_of(question, column_);
    query.vector = *vector;
    const std::string& wanted = embedder_of(column_).model().name;
    if (searcher.model() == wanted) return searcher.find(query);
    const std::string copied = searcher.model();
    shards_.reset();  // by the next question it may have been made anew
    throw Error{ErrorCode::conflict,
                fmt::format("The sharded copy of the catalog has vectors of {}, the model is {}", copied, wanted),
                "Make the copy anew: decant schema shard."};
}

std::shared_ptr<const std::vector<float>> Engine::vector_of(Question& question,
                                                            const std::optional<store::ColumnModel>& column) {
    const std::lock_guard lock{question.embedding};
    for (const QuestionVector& one : question.vectors)
        if (one.column == column) return one.vector;
    std::vector<float> vector = question.request.vector;
    if (vector.empty()) {
        const auto start = Clock::now();
        vector = question_vector(embedder_of(column), question.text);
        std::optional<double>& spent = question.answer.times.embed_ms;
        spent = spent.value_or(0) + milliseconds_since(start);
    }
    question.vectors.push_back({column, std::make_shared<const std::vector<float>>(std::move(vector))});
    return question.vectors.back().vector;
}

LegAnswer Engine::ask_pgvector(Question& question, const LegQuery& query) {
    const auto threshold_now = [&] {
        const double own = question.eased(embedder_of(column_).model().search_threshold.value_or(0));
        return question.request.threshold.value_or(options_.pgvector_threshold.value_or(own));
    };
    // These know whose vectors are compared.
    if (options_.is_sharded)
        shards();
    else
        vectors();
    double threshold = 0;
    VectorAnswer found;
    // Another model, which may have come in between, has a threshold of its own.
    do {
        threshold = threshold_now();
        found = nearest(question, {.vector = {},
                                   .filter = question.filter,
                                   .limit = query.limit,
                                   .threshold = query.below_threshold ? -1 : threshold,
                                   .facets = question.request.facets,
                                   .explains = question.request.explains});
    } while (threshold_now() != threshold);
    question.answer.threshold = threshold;
    LegAnswer answer{.hits = std::move(found.hits), .threshold = threshold};
    question.answer.facets = std::move(found.facets);
    question.answer.explained = std::move(found);
    return answer;
}

/// A connection that broke while nobody used it is no failure of Chroma's.
ChromaAnswer Engine::find_in_chroma(const VectorQuery& asked) {
    const bool is_new = !second_;
    if (is_new) second_ = resources_.connect();
    try {
        return resources_.chroma->find(asked, *second_);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::store_unavailable) throw;
        second_.reset();
        if (is_new) throw;
    }
    second_ = resources_.connect();
    return resources_.chroma->find(asked, *second_);
}

LegAnswer Engine::ask_chroma(Question& question, const LegQuery& query) {
    // Chroma has vectors of the model that the settings choose, also after the catalog went to another.
    const auto vector = vector_of(question, std::nullopt);
    const embed::Model& model = embedder_of(std::nullopt).model();
    const double own = question.eased(model.chroma_threshold.value_or(model.search_threshold.value_or(0)));
    const double threshold = question.request.threshold.value_or(options_.chroma_threshold.value_or(own));
    const VectorQuery asked{.vector = *vector,
                            .filter = question.filter,
                            .limit = query.limit,
                            .threshold = query.below_threshold ? -1 : threshold};
    ChromaAnswer found;
    try {
        found = find_in_chroma(asked);
    } catch (const Error& error) {
        if (!is_refusal_of_chroma(error)) throw;
        throw Error{ErrorCode::source_unavailable, error.happened(), error.remedy()};
    }
    if (!found.cut.empty()) question.answer.warnings.push_back(found.cut);
    return {.hits = std::move(found.hits), .threshold = threshold};
}

LegAnswer Engine::ask_keyword(Question& question, const LegQuery& query) {
    if (!words_) words_ = std::make_unique<WordSearcher>(db_);
    KeywordAnswer found = words_->find({.text = question.text, .filter = question.filter, .limit = query.limit});
    question.answer.corrections = std::move(found.corrections);
    return {.hits = std::move(found.hits)};
}

bool Engine::can_ask(Strategy strategy) const noexcept {
    const bool needs_chroma =
        strategy == Strategy::chroma || strategy == Strategy::chroma_primary || strategy == Strategy::hybrid;
    const bool needs_pgvector = strategy == Strategy::pgvector || strategy == Strategy::pgvector_primary ||
                                strategy == Strategy::hybrid || strategy == Strategy::fusion;
    return (resources_.chroma != nullptr || !needs_chroma) && (options_.use_pgvector || !needs_pgvector);
}

Legs Engine::legs_for(Question& question) {
    Legs legs{.keyword_weight = words_weight_of(question.text)};
    if (options_.use_pgvector) legs.pgvector = [&](const LegQuery& query) { return ask_pgvector(question, query); };
    if (resources_.chroma != nullptr) legs.chroma = [&](const LegQuery& query) { return ask_chroma(question, query); };
    legs.keyword = [&](const LegQuery& query) { return ask_keyword(question, query); };
    return legs;
}

void Engine::diagnose_weak(Question& question) {
    Answer& answer = question.answer;
    Diagnosis diagnosis = diagnose(db_, bind(db_, question.filter), question.request.text);
    const bool has_compared = std::ranges::any_of(
        answer.legs, [](const LegReport& report) { return report.leg == Leg::pgvector && !report.failure; });
    diagnosis.compares_vectors = has_compared;
    if (has_compared && diagnosis.passing > 0) {
        const VectorAnswer best = nearest(question, {.vector = {}, .filter = question.filter, .limit = 1});
        diagnosis.threshold = *answer.threshold;
        if (!best.hits.empty() && best.hits.front().score < *answer.threshold)
            diagnosis.best_similarity = best.hits.front().score;
    }
    answer.diagnosis = std::move(diagnosis);
}

/// It looks at more than the search did, and what that found counts without it.
void Engine::try_to_diagnose(Question& question) {
    try {
        diagnose_weak(question);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::store_unavailable) throw;
        log::warning("why little was found could not be looked up: {}", printable(error.happened()));
        question.answer.warnings.emplace_back("what kept products out was not looked up: that failed");
    }
}

void Engine::warn_of_threshold(Question& question) {
    if (!options_.pgvector_threshold || question.request.threshold || !question.answer.threshold) return;
    const embed::Model& model = embedder_of(column_).model();
    if (!model.threshold_range || model.threshold_range->contains(*options_.pgvector_threshold)) return;
    question.answer.warnings.push_back(fmt::format(
        "PGVECTOR_SIMILARITY_THRESHOLD={} lies outside of what was measured for {}, {} to {}; its own is {}",
        *options_.pgvector_threshold, model.name, model.threshold_range->low, model.threshold_range->high,
        model.search_threshold.value_or(0)));
}

StrategyOutcome Engine::answer_of(Question& question) {
    const Request& request = question.request;
    const std::uint64_t wanted = request.limit + request.offset;
    const PriceWish wish = question.answer.understood.wish;
    // One hit that was all that was asked for must not look like a leg that found too little.
    const std::uint64_t whole_blocks = (wanted + price_block - 1) / price_block * price_block;
    const std::uint64_t candidates =
        wish == PriceWish::none ? std::max<std::uint64_t>(wanted, enough_hits) : whole_blocks;
    StrategyOutcome outcome = run_strategy(question.answer.strategy, legs_for(question), candidates);
    if (wish != PriceWish::none) order_blocks_by_price_too(outcome.hits, wish);
    for (const LegReport& report : outcome.legs) {
        const bool is_of_shard = report.failure && report.failure->code() == ErrorCode::source_unavailable;
        if (report.leg == Leg::pgvector && is_of_shard && options_.on_shard_failure == ShardFailure::error)
            throw Error{*report.failure};
    }
    return outcome;
}

/// The answer is one of a part of the catalog.
void Engine::tell_missing(Answer& answer) {
    if (answer.explained.missing.empty()) return;
    answer.degraded = true;
    const std::string told =
        fmt::format("{} does not answer, so its products are missing", fmt::join(answer.explained.missing, ", "));
    answer.reason += (answer.reason.empty() ? "" : "; ") + told;
}

Answer Engine::search(const Request& request) {
    const auto start = Clock::now();
    Question question{.request = request, .text = request.text, .filter = request.filter};
    Answer& answer = question.answer;
    answer.strategy = request.strategy.value_or(options_.strategy);
    if (!request.literal) {
        answer.understood = understand(request.text, *vocabulary());
        for (const MeaningKind kind : request.ignored)
            forget(answer.understood, kind);
        if (!answer.understood.text.empty()) question.text = answer.understood.text;
        question.filter = merged(request.filter, answer.understood);
    }
    // Names are looked up once, and what is wrong with them is no leg's failure.
    question.filter = resolved(db_, question.filter);
    answer.times.understand_ms = milliseconds_since(start);
    StrategyOutcome outcome = answer_of(question);
    if (outcome.hits.empty() && answer.understood.has_names()) {
        answer.drops_names = true;
        question.filter = resolved(db_, without_names(request.filter, answer.understood));
        outcome = answer_of(question);
    }
    answer.used = std::move(outcome.used);
    answer.degraded = outcome.degraded;
    answer.reason = std::move(outcome.reason);
    answer.legs = std::move(outcome.legs);
    tell_missing(answer);
    const bool is_weak = outcome.hits.size() < enough_hits;
    outcome.hits.resize(std::min<std::size_t>(outcome.hits.size(), request.limit + request.offset));
    answer.found = std::min<std::size_t>(outcome.hits.size(), request.limit);
    if (request.offset < outcome.hits.size()) {
        outcome.hits.erase(outcome.hits.begin(), outcome.hits.begin() + static_cast<std::ptrdiff_t>(request.offset));
        answer.hits = std::move(outcome.hits);
    }
    if (request.facets && !answer.facets) {
        const std::vector<pg::Statement> statements{facets_statement(bind(db_, question.filter))};
        answer.facets = read_facets(db_.run_batch(statements).front());
    }
    if (is_weak) try_to_diagnose(question);
    warn_of_threshold(question);
    StageTimes& times = answer.times;
    times.search_ms = std::max(0.0, milliseconds_since(start) - times.understand_ms - times.embed_ms.value_or(0));
    return std::move(answer);
}

}  // namespace decant::search
