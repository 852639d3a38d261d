#include "quality/query_vectors.hpp"

#include <fmt/format.h>

#include <chrono>

#include "catalog/similarity.hpp"
#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/utf8.hpp"
#include "embed/checked_embedder.hpp"
#include "quality/detail/stored_vectors.hpp"
#include "search/vector_search.hpp"

namespace decant::quality {
namespace {

constexpr std::size_t products_by_chance = 200;
constexpr std::uint64_t seed = 42;

void stop_if_interrupted() {
    if (interrupted()) throw Error{ErrorCode::cancelled, "Interrupted", "Run it again: nothing was kept."};
}

}  // namespace

QueryVectors embed_queries(embed::Embedder& embedder, const JudgedSet& set) {
    QueryVectors out;
    embed::CheckedEmbedder checked{embedder};
    for (const JudgedQuery& judged : set.queries) {
        stop_if_interrupted();
        const std::string_view text = judged.query.text;
        const auto start = std::chrono::steady_clock::now();
        embed::Outcome outcome = std::move(checked.embed({&text, 1}, embed::Role::query).front());
        const double milliseconds = milliseconds_since(start);
        if (const auto* fault = std::get_if<embed::TextFault>(&outcome)) {
            throw Error{ErrorCode::request_invalid,
                        fmt::format("Query '{}' (line {}) cannot be embedded: {}", printable(judged.query.id),
                                    judged.query.line, fault->reason),
                        "Mend its text, or take it out."};
        }
        out.vectors.push_back(std::move(std::get<embed::TextVector>(outcome).values));
        out.milliseconds.push_back(milliseconds);
    }
    return out;
}

std::vector<ScoredQuery> score_queries(pg::Connection& db, const JudgedSet& set, const QueryVectors& queries,
                                       const ScoreOptions& options) {
    search::VectorSearcher searcher{db};
    std::vector<ScoredQuery> scored;
    for (std::size_t i = 0; i < set.queries.size(); ++i) {
        stop_if_interrupted();
        const JudgedQuery& judged = set.queries[i];
        const auto found = searcher.find({.vector = queries.vectors[i], .limit = options.limit});
        ScoredQuery& query = scored.emplace_back(
            ScoredQuery{.is_judged = judged.is_judged(), .has_nothing_to_find = judged.has_nothing_to_find()});
        for (const search::Hit& hit : found.hits) {
            query.hits.push_back({.similarity = hit.similarity.value_or(0),
                                  .is_relevant = judged.grade_of(hit.id) >= options.relevant,
                                  .is_judged = judged.has_judged(hit.id)});
        }
    }
    return scored;
}

std::vector<double> chance_similarities(pg::Connection& db, const QueryVectors& queries) {
    const auto products = draw_stored_vectors(db, products_by_chance, seed);
    std::vector<double> similarities;
    for (const std::vector<float>& query : queries.vectors) {
        for (const std::vector<float>& product : products)
            similarities.push_back(catalog::cosine(query, product));
    }
    return similarities;
}

}  // namespace decant::quality
