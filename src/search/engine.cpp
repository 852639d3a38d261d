#include "search/engine.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/error.hpp"
#include "search/fusion.hpp"
#include "search/question_vector.hpp"

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

bool is_true(std::string_view value) {
    return value == "true" || value == "True" || value == "1" || value == "yes" || value == "on";
}

}  // namespace

EngineOptions engine_options(const Settings& settings) {
    const std::string name = settings.get("PRODUCT_SEARCH_STRATEGY").value_or("pgvector_primary");
    return {.strategy = strategy_names.find(name).value_or(Strategy::pgvector_primary),
            .use_pgvector = is_true(settings.get("USE_PGVECTOR").value_or("true")),
            .pgvector_threshold = threshold_setting(settings, "PGVECTOR_SIMILARITY_THRESHOLD"),
            .chroma_threshold = threshold_setting(settings, "CHROMA_SIMILARITY_THRESHOLD")};
}

/// A request under way.
struct Engine::Question {
    const Request& request;
    BoundFilter filter;
    Answer answer = {};
    std::mutex embedding = {};  ///< both vector legs may want the vector at once
    std::optional<std::vector<float>> vector = {};
    double threshold = 0;  ///< of pgvector; the model is asked for it with the vector
};

Engine::Engine(pg::Connection& db, EngineOptions options, Resources resources)
    : db_(db), options_(options), resources_(std::move(resources)) {}

std::vector<float> Engine::embed(const std::string& text) {
    return question_vector(resources_.embedder(), text);
}

VectorSearcher& Engine::vectors() {
    if (!vectors_) vectors_ = std::make_unique<VectorSearcher>(db_);
    return *vectors_;
}

std::span<const float> Engine::vector_of(Question& question) {
    const std::lock_guard lock{question.embedding};
    if (!question.vector) {
        question.vector = question.request.vector;
        if (question.vector->empty()) question.vector = embed(question.request.text);
    }
    return *question.vector;
}

LegAnswer Engine::ask_pgvector(Question& question, const LegQuery& query) {
    const std::span<const float> vector = vector_of(question);
    const double threshold = question.request.threshold.value_or(
        options_.pgvector_threshold.value_or(resources_.embedder().model().search_threshold.value_or(0)));
    question.answer.threshold = threshold;
    VectorAnswer found = vectors().find({.vector = vector,
                                         .filter = question.request.filter,
                                         .limit = query.limit,
                                         .threshold = query.below_threshold ? -1 : threshold,
                                         .facets = question.request.facets,
                                         .explains = question.request.explains});
    LegAnswer answer{.hits = std::move(found.hits), .threshold = threshold};
    question.answer.facets = std::move(found.facets);
    question.answer.explained = std::move(found);
    return answer;
}

LegAnswer Engine::ask_keyword(Question& question, const LegQuery& query) {
    if (!words_) words_ = std::make_unique<WordSearcher>(db_);
    KeywordAnswer found =
        words_->find({.text = question.request.text, .filter = question.request.filter, .limit = query.limit});
    question.answer.corrections = std::move(found.corrections);
    return {.hits = std::move(found.hits)};
}

Legs Engine::legs_for(Question& question) {
    Legs legs{.keyword_weight = words_weight_of(question.request.text)};
    if (options_.use_pgvector) legs.pgvector = [&](const LegQuery& query) { return ask_pgvector(question, query); };
    legs.keyword = [&](const LegQuery& query) { return ask_keyword(question, query); };
    return legs;
}

void Engine::diagnose_weak(Question& question) {
    Answer& answer = question.answer;
    Diagnosis diagnosis = diagnose(db_, question.filter, question.request.text);
    if (answer.threshold && question.vector && diagnosis.passing > 0) {
        const VectorAnswer best =
            vectors().find({.vector = *question.vector, .filter = question.request.filter, .limit = 1});
        diagnosis.threshold = *answer.threshold;
        if (!best.hits.empty() && best.hits.front().score < *answer.threshold)
            diagnosis.best_similarity = best.hits.front().score;
    }
    answer.diagnosis = std::move(diagnosis);
}

void Engine::warn_of_threshold(Question& question) const {
    if (!options_.pgvector_threshold || question.request.threshold || !question.answer.threshold) return;
    const embed::Model& model = resources_.embedder().model();
    if (!model.threshold_range || model.threshold_range->contains(*options_.pgvector_threshold)) return;
    question.answer.warnings.push_back(fmt::format(
        "PGVECTOR_SIMILARITY_THRESHOLD={} lies outside of what was measured for {}, {} to {}; its own is {}",
        *options_.pgvector_threshold, model.name, model.threshold_range->low, model.threshold_range->high,
        model.search_threshold.value_or(0)));
}

Answer Engine::search(const Request& request) {
    Question question{.request = request, .filter = bind(db_, request.filter)};
    Answer& answer = question.answer;
    answer.strategy = request.strategy.value_or(options_.strategy);
    StrategyOutcome outcome = run_strategy(answer.strategy, legs_for(question), request.limit + request.offset);
    answer.used = std::move(outcome.used);
    answer.degraded = outcome.degraded;
    answer.reason = std::move(outcome.reason);
    answer.legs = std::move(outcome.legs);
    const bool is_weak = outcome.hits.size() < enough_hits;
    if (request.offset < outcome.hits.size()) {
        outcome.hits.erase(outcome.hits.begin(), outcome.hits.begin() + static_cast<std::ptrdiff_t>(request.offset));
        answer.hits = std::move(outcome.hits);
    }
    if (request.facets && !answer.facets) {
        const std::vector<pg::Statement> statements{facets_statement(question.filter)};
        answer.facets = read_facets(db_.run_batch(statements).front());
    }
    if (is_weak) diagnose_weak(question);
    warn_of_threshold(question);
    return std::move(answer);
}

}  // namespace decant::search
