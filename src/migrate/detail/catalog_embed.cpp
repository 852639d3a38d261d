#include <fmt/format.h>

#include <algorithm>

#include "catalog/similarity.hpp"
#include "core/failpoint.hpp"
#include "embed/checked_embedder.hpp"
#include "migrate/detail/catalog_job.hpp"
#include "migrate/detail/retry.hpp"

namespace decant::migrate::detail {
namespace {

using Kind = work::ProductResult::Kind;

constexpr double least_likeness = 0.99;

constexpr std::string_view fence_sql = "SELECT id FROM decant.runs WHERE id = $1 AND token = $2 FOR SHARE";

}  // namespace

void CatalogJob::open_embedder() {
    if (request_.open_embedder && !embedder_) embedder_ = request_.open_embedder();
}

/// Where vectors are made the model's dimension counts, where Chroma's are all that is written the collection's.
void CatalogJob::check_dimensions(const store::CatalogState& catalog) {
    std::optional<Error> problem;
    if (embedder_) {
        const embed::Model& model = embedder_->model();
        problem = store::dimension_problem(catalog, static_cast<std::uint32_t>(model.dimension),
                                           fmt::format("model '{}' ({}) gives", model.name, model.provider));
        if (problem && shape_.dimension == catalog.dimension) {
            problem = Error{problem->code(), problem->happened(),
                            problem->remedy() +
                                " To take ChromaDB's vectors alone, which fit the column: decant "
                                "migrate --reuse always --embedder none."};
        }
    } else if (shape_.dimension > 0) {
        problem = store::dimension_problem(catalog, shape_.dimension,
                                           fmt::format("collection '{}' holds", report_.collection.name));
    }
    if (problem) problems_.push_back(std::move(*problem));
}

/// That Chroma's vectors are the model's is held against what the model makes of the same documents.
bool CatalogJob::proves_reuse() {
    const embed::Model& model = embedder_->model();
    if (request_.reuse == Reuse::never) {
        report_.not_reused = "--reuse never";
        return false;
    }
    if (request_.force) {
        report_.not_reused = "--force embeds all products anew; with --reuse always it does not";
        return false;
    }
    if (shape_.dimension != model.dimension) {
        report_.not_reused =
            fmt::format("they have {} dimensions, those of {} have {}", shape_.dimension, model.name, model.dimension);
        return false;
    }
    if (plan_.samples.empty()) {
        report_.not_reused = "they cannot be proven, the records have no documents (--reuse always takes them)";
        return false;
    }
    std::vector<std::string_view> documents;
    for (const CatalogPlan::Sample& sample : plan_.samples)
        documents.push_back(sample.document);
    std::vector<double> likenesses;
    const auto outcomes = embed::CheckedEmbedder{*embedder_}.embed(documents, embed::Role::passage);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto* vector = std::get_if<embed::TextVector>(&outcomes[i]);
        likenesses.push_back(vector == nullptr ? 0 : catalog::cosine(vector->values, plan_.samples[i].vector));
    }
    const auto middle = likenesses.begin() + static_cast<std::ptrdiff_t>(likenesses.size() / 2);
    std::ranges::nth_element(likenesses, middle);
    report_.likeness = *middle;
    report_.probed = likenesses.size();
    if (*middle >= least_likeness) return true;
    report_.not_reused = fmt::format("{} makes others of the same documents (median cosine {:.3f} of {})", model.name,
                                     *middle, likenesses.size());
    return false;
}

/// Sets what becomes of each product.
void CatalogJob::decide() {
    choose(plan_, index_, request_, embedder_ || request_.open_embedder, true);
    // Also what the run that this one goes on with has written is compared with Chroma's vectors.
    bool has_reused = plan_.planned > 0;
    for (std::size_t i = 0; i < plan_.choices.size(); ++i)
        has_reused |= plan_.choices[i].state == Choice::State::usable && index_.products()[i].is_written;
    const bool reuses = !embedder_ || request_.reuse == Reuse::always || !has_reused || proves_reuse();
    if (!reuses) choose(plan_, index_, request_, true, false);
    const bool is_one_to_embed =
        std::ranges::any_of(plan_.choices, [](const Choice& choice) { return choice.is_embedded; });
    if (!embedder_ && is_one_to_embed) {
        open_embedder();
        check_dimensions(store::read_catalog_state(*db_));
        throw_problems(problems_);
        if (!embedder_) choose(plan_, index_, request_, false, reuses);
    }
    if (!report_.not_reused.empty()) shape_.dimension = static_cast<std::uint32_t>(embedder_->model().dimension);
    report_.model = model();
}

void CatalogJob::embed_waiting() {
    if (report_.to_embed == 0) return;
    timed("embed", report_.planned, [&] {
        std::vector<std::uint32_t> batch;
        for (std::uint32_t i = 0; i < plan_.choices.size(); ++i) {
            if (plan_.choices[i].is_embedded) batch.push_back(i);
            if (batch.size() < request_.batch_size && (i + 1 < plan_.choices.size() || batch.empty())) continue;
            embed_batch(batch);
            batch.clear();
            if (!observer_.progress(done_, report_.bytes)) throw interrupted_error();
        }
    });
}

work::ProductEmbedder& CatalogJob::product_embedder() {
    if (!product_embedder_) {
        reconnect_if_lost();
        auto opened = std::make_unique<work::ProductEmbedder>(*db_, *embedder_);
        opened->check_model(request_.force);
        product_embedder_ = std::move(opened);
    }
    return *product_embedder_;
}

void CatalogJob::embed_batch(const std::vector<std::uint32_t>& products) {
    std::vector<work::Wanted> wanted;
    std::vector<std::string> ids;
    for (const std::uint32_t product : products) {
        ids.push_back(text_of(index_.products()[product].id));
        wanted.push_back({ids.back(), request_.force ? store::Demand::all : store::Demand::stale});
    }
    for (RetryBudget budget;;) {
        try {
            work::ProductEmbedder& embedder = product_embedder();
            embedder.prepare(wanted);
            pg::Transaction tx{*db_};
            if (db_->query(fence_sql, {std::to_string(report_.run_id), lock_->token()}).empty()) {
                throw Error{
                    ErrorCode::busy,
                    fmt::format("Run {} was taken over by another process while this one was away", report_.run_id),
                    fmt::format("Look at it with `decant runs show {}`.", report_.run_id)};
            }
            // In order of their ids, as products are.
            const std::vector<work::ProductResult>& results = embedder.store(ids);
            failpoint("migrate.batch_embedded");
            tx.commit();
            for (std::size_t i = 0; i < results.size(); ++i) {
                take(products[i], results[i]);
                say_batches();
            }
            return;
        } catch (const Error& error) {
            // What was committed, if it was, is found fresh and not embedded again.
            product_embedder_.reset();
            if (!error.is_retryable() || !budget.wait(error, false, observer_)) throw;
        }
    }
}

void CatalogJob::take(std::uint32_t product, const work::ProductResult& result) {
    ++done_;
    switch (result.kind) {
        case Kind::embedded:
            ++report_.migrated;
            ++report_.embedded;
            if (result.cut_tokens > 0) ++report_.cut;
            report_.bytes += 4UL * embedder_->model().dimension;
            is_written_[product] = is_embedded_[product] = true;
            return;
        case Kind::failed:
            ++report_.errors;
            return note_product(product, result.reason);
        case Kind::fresh:
            ++report_.skipped;
            ++report_.already;
            is_embedded_[product] = true;
            return;
        case Kind::gone:
        case Kind::changed:
            ++report_.skipped;
            ++report_.waiting;
            return note_product(product, result.kind == Kind::gone ? "it was removed while it was migrated"
                                                                   : "it was changed or locked while it was migrated");
    }
}

}  // namespace decant::migrate::detail
