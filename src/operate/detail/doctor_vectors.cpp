#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <random>

#include "core/quantity_text.hpp"
#include "operate/detail/check.hpp"
#include "store/job_queue.hpp"
#include "store/server_check.hpp"
#include "work/run_worker.hpp"

namespace decant::operate::detail {
namespace {

// The targets of `decant quality`.
constexpr double least_coverage = 0.99;
constexpr double most_stale = 0.05;

constexpr std::string_view queue_sql = R"sql(
SELECT (SELECT count(*) FROM decant.embedding_dead_letters), count(*),
       coalesce(extract(epoch FROM pg_catalog.now() - min(created_at)), 0)
FROM decant.embedding_jobs
WHERE coalesce(not_before, '-infinity') <= pg_catalog.now() AND coalesce(leased_until, '-infinity') <= pg_catalog.now())sql";
constexpr double most_waiting_seconds = 3'600;

/// They are embedded anew.
constexpr std::string_view forget_sql =
    "UPDATE products SET embedding = NULL, embedding_hash = NULL, last_embedding_update = NULL WHERE {};";

Mend embed_now(Examination& patient, store::ProductSelection::Kind kind) {
    return {.is_safe = false, .what = "embed them now", .run = [&patient, kind] {
                store::JobQueue queue{patient.db()};
                queue.require();
                queue.enqueue({.kind = kind, .model = patient.embedder().model().name});
                work::run_worker({.conninfo = patient.conninfo(),
                                  .setup = {.seed = std::random_device{}()},
                                  .once = true,
                                  .embedder = [&patient]() -> embed::Embedder& { return patient.embedder(); }});
            }};
}

double share(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

Finding look_dimension(Examination& patient) {
    const store::CatalogState& state = patient.catalog();
    if (!state.has_embedding()) patient.require_vectors();
    const embed::Model& model = patient.embedder().model();
    const std::string holder = fmt::format("model '{}' ({}) gives", model.name, model.provider);
    if (const auto problem = store::dimension_problem(state, static_cast<std::uint32_t>(model.dimension), holder)) {
        return failure(problem->happened(), model.provider == "ollama"
                                                ? fmt::format("{} Pull the model if it is missing: ollama pull {}",
                                                              problem->remedy(), model.name)
                                                : problem->remedy());
    }
    return ok(fmt::format("Column and model have {} dimensions", model.dimension));
}

/// Vectors that no search can use: `count` of them, which `condition` finds.
Finding unusable(Examination& patient, std::uint64_t count, const std::string& what, const std::string& condition) {
    if (count == 0) return ok(fmt::format("None of {} vectors", grouped(patient.vectors().rows)));
    const std::string sql = fmt::format(forget_sql, condition);
    return failure(fmt::format("{} products have {}", grouped(count), what),
                   store::psql_call(patient.db(), sql) + ", then: decant embed",
                   statement(patient, false, "remove these vectors, so that they are made anew", sql));
}

Finding look_row_dimension(Examination& patient) {
    const VectorFacts& facts = patient.vectors();
    return unusable(patient, facts.other_dimension,
                    fmt::format("vectors of another dimension than {}", facts.dimension),
                    fmt::format("{}.vector_dims(embedding) <> {}", patient.pgvector().schema, facts.dimension));
}

Finding look_finite(Examination& patient) {
    return unusable(patient, patient.vectors().not_finite, "vectors with NaN or infinity in them",
                    fmt::format("{}.vector_norm(embedding) >= 'Infinity'", patient.pgvector().schema));
}

Finding look_zero(Examination& patient) {
    return unusable(patient, patient.vectors().zero, "zero vectors",
                    fmt::format("{}.vector_norm(embedding) = 0", patient.pgvector().schema));
}

Finding look_models(Examination& patient) {
    patient.require_vectors();
    const embed::EmbedderChoice choice = patient.choice();
    std::vector<std::string> shown;
    std::uint64_t others = 0;
    const auto models = store::read_embeddings_by_model(patient.db());
    for (const store::ModelEmbeddings& one : models) {
        if (one.model != choice.model) others += one.products;
        shown.push_back(fmt::format("{} of {}", grouped(one.products), one.model.value_or("an unknown model")));
    }
    const std::string told = shown.empty() ? "No product has a vector" : fmt::format("{}", fmt::join(shown, ", "));
    if (models.size() <= 1 && (others == 0 || choice.provider == "none")) return ok(told);
    return failure(
        fmt::format("{}; questions are embedded by {}", told, choice.model.empty() ? "no model" : choice.model),
        "decant embed --stale", embed_now(patient, store::ProductSelection::Kind::stale));
}

Finding look_stale(Examination& patient) {
    const store::EmbeddingStatistics& all = patient.statistics();
    const std::string told = fmt::format("{} of {} vectors are stale", grouped(all.stale), grouped(all.with_embedding));
    if (share(all.stale, all.with_embedding) <= most_stale) return ok(told);
    return warning(told, "decant embed --stale", embed_now(patient, store::ProductSelection::Kind::stale));
}

Finding look_coverage(Examination& patient) {
    const store::EmbeddingStatistics& all = patient.statistics();
    const std::string told =
        fmt::format("{} of {} active products have a vector", grouped(all.with_embedding), grouped(all.products));
    if (share(all.without_embedding(), all.products) <= 1 - least_coverage) return ok(told);
    const auto found = all.with_embedding == 0 ? failure : warning;
    return found("Products missing embeddings: " + told, "decant embed",
                 embed_now(patient, store::ProductSelection::Kind::missing));
}

Finding look_waiting(Examination& patient) {
    const pg::Result row = patient.db().exec(queue_sql);
    const std::string told =
        fmt::format("{} products wait to be embedded", grouped(static_cast<std::uint64_t>(row.integer(0, 1))));
    if (row.real(0, 2) <= most_waiting_seconds) return ok(told);
    return warning(fmt::format("{}, the first one for {:.0f} minutes: no worker takes them", told, row.real(0, 2) / 60),
                   "decant worker --once, or have decant serve run",
                   embed_now(patient, store::ProductSelection::Kind::missing));
}

Finding look_dead(Examination& patient) {
    const std::int64_t dead = patient.db().exec(queue_sql).integer(0, 0);
    if (dead == 0) return ok("None");
    return warning(fmt::format("{} products could not be embedded, however often it was tried", dead),
                   "decant jobs list, then: decant jobs retry",
                   Mend{.is_safe = true, .what = "put them into the queue again", .run = [&patient] {
                            store::JobQueue{patient.db()}.retry({});
                        }});
}

constexpr std::array checks{
    Check{"vectors.dimension", "A question's vector is compared with the products', number by number.", look_dimension},
    Check{"vectors.row_dimension", "One row of another length makes a search that meets it fail.", look_row_dimension},
    Check{"vectors.finite", "Their distance to anything is NaN: they come first, or never.", look_finite},
    Check{"vectors.zero", "A zero vector has no direction: it is in no index, and no search finds it.", look_zero},
    Check{"vectors.models", "Vectors of two models cannot be compared.", look_models},
    Check{"vectors.stale", "These products are found by what they were.", look_stale},
    Check{"vectors.coverage", "No Results Found: a product without a vector is not found by meaning.", look_coverage},
    Check{"queue.waiting", "New and changed products are found by meaning once they are embedded.", look_waiting},
    Check{"queue.dead", "Nobody tries them again by itself.", look_dead},
};

}  // namespace

std::span<const Check> vectors_checks() noexcept {
    return checks;
}

}  // namespace decant::operate::detail
