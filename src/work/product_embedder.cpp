#include "work/product_embedder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "catalog/similarity.hpp"
#include "core/error.hpp"
#include "store/catalog_state.hpp"
#include "work/catalog_model.hpp"

namespace decant::work {
namespace {

using Kind = ProductResult::Kind;

constexpr std::string_view canary_text = "Notebook 15,6\" con 16 GB de memoria y disco SSD de 512 GB, color gris";
/// Another batch or another machine rounds otherwise; other weights are far away from this.
constexpr double least_cosine = 0.999;

// As migrations/002 has it: a catalog whose schema was made by hand, as the migration guide says, has no queue.
constexpr std::string_view prepare_sql =
    "CREATE TABLE IF NOT EXISTS decant.embedding_models (provider text NOT NULL, name text NOT NULL, fingerprint text "
    "NOT NULL, canary real[] NOT NULL, first_used_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (provider, name))";
constexpr std::string_view is_prepared_sql = "SELECT pg_catalog.to_regclass('decant.embedding_models') IS NOT NULL";

constexpr std::string_view known_sql =
    "SELECT array_to_string(canary, ' ') FROM decant.embedding_models WHERE provider = $1 AND name = $2";
constexpr std::string_view namesake_sql =
    "SELECT array_to_string(canary, ' ') FROM decant.embedding_models WHERE provider <> $1 AND name = $2 "
    "AND EXISTS (SELECT FROM products WHERE embedding_model = $2 AND embedding IS NOT NULL) "
    "ORDER BY first_used_at DESC LIMIT 1";
constexpr std::string_view remember_sql =
    "INSERT INTO decant.embedding_models (provider, name, fingerprint, canary) VALUES ($1, $2, $3, $4::real[]) "
    "ON CONFLICT (provider, name) DO UPDATE SET fingerprint = excluded.fingerprint, canary = excluded.canary";

std::vector<float> parse_floats(std::string_view text) {
    std::vector<float> values;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find(' ', start), text.size());
        values.push_back(std::stof(std::string{text.substr(start, end - start)}));
        start = end + 1;
    }
    return values;
}

std::string_view view(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

ProductEmbedder::ProductEmbedder(pg::Connection& db, embed::Embedder& embedder, const store::VectorColumns& columns)
    : db_(db),
      rows_(db, columns),
      column_(rows_.column_model()),
      embedder_(embedder),
      fingerprint_(embedder.model().fingerprint()) {
    const embed::Model& model = embedder.model();
    if (column_ && !is_of(*column_, model)) throw other_model(*column_, model);
    if (columns.embedding != store::live_columns.embedding) return;
    const std::string holder = fmt::format("model '{}' ({}) gives", model.name, model.provider);
    if (auto problem = store::dimension_problem(store::read_catalog_state(db),
                                                static_cast<std::uint32_t>(model.dimension), holder)) {
        throw std::move(*problem);
    }
}

void ProductEmbedder::require_same_column() {
    if (rows_.column_model() == column_) return;
    throw Error{
        ErrorCode::source_changed,
        fmt::format("The catalog's vectors are of another model than '{}' ({}) by now", model().name, model().provider),
        "What was embedded is embedded again by that one."};
}

Error ProductEmbedder::canary_failed(const std::string& reason) const {
    return {ErrorCode::embedder_unavailable,
            fmt::format("Model '{}' ({}) cannot embed a plain sentence: {}", model().name, model().provider, reason),
            "Check that it is a model for embeddings: decant model info " + model().name};
}

std::vector<float> ProductEmbedder::embed_canary() {
    const std::string_view text = canary_text;
    embed::Outcome outcome = std::move(embedder_.embed({&text, 1}, embed::Role::passage).front());
    if (const auto* fault = std::get_if<embed::TextFault>(&outcome)) throw canary_failed(fault->reason);
    return std::move(std::get<embed::TextVector>(outcome).values);
}

std::vector<float> ProductEmbedder::known_canary() {
    if (!db_.exec(is_prepared_sql).boolean(0, 0)) return {};
    const pg::Result known = db_.query(known_sql, {model().provider, model().name});
    return known.empty() ? std::vector<float>{} : parse_floats(known.text(0, 0));
}

/// Vectors in the catalog tell the name of their model, but not the provider: those of another one's model of this name
/// would count as this one's.
std::vector<float> ProductEmbedder::canary_of_namesake() {
    if (!db_.exec(is_prepared_sql).boolean(0, 0)) return {};
    const pg::Result known = db_.query(namesake_sql, {model().provider, model().name});
    return known.empty() ? std::vector<float>{} : parse_floats(known.text(0, 0));
}

std::optional<ModelLikeness> ProductEmbedder::compare_model() {
    const std::vector<float> known = known_canary();
    if (known.empty()) return std::nullopt;
    const double likeness = catalog::cosine(known, embed_canary());
    return ModelLikeness{.cosine = likeness, .is_same = likeness >= least_cosine};
}

bool ProductEmbedder::check_model(bool accept) {
    const std::vector<float> now = embed_canary();
    canary_ = known_canary();
    if (canary_.empty() && !column_) canary_ = canary_of_namesake();
    const bool is_known = !canary_.empty();
    const double likeness = is_known ? catalog::cosine(canary_, now) : 1;
    const bool is_other = likeness < least_cosine;
    if (is_other && !accept) refuse_changed_model(likeness);
    // Before it is remembered: who dies in between finds another model again.
    if (is_other) rows_.mark_stale(model().name, true);
    if (!is_known || is_other) canary_ = now;
    if (!db_.exec(is_prepared_sql).boolean(0, 0)) db_.exec(prepare_sql);
    db_.query(remember_sql,
              {model().provider, model().name, fingerprint_, fmt::format("{{{}}}", fmt::join(canary_, ","))});
    return is_other;
}

void ProductEmbedder::refuse_changed_model(double likeness) {
    const std::uint64_t marked = rows_.mark_stale(model().name, false);
    throw Error{ErrorCode::conflict,
                fmt::format("Model '{}' ({}) is not the one that made the catalog's vectors: it gives another vector "
                            "for the same text (cosine {:.3f}). {} products of it are marked stale; no vector was "
                            "written",
                            model().name, model().provider, likeness, marked),
                "Bring the old model back, or take the new one for all products: decant embed --all"};
}

std::string ProductEmbedder::text_of(const store::EmbeddedProduct& product) const {
    return catalog::embedding_text(product.product, model().recipe);
}

bool ProductEmbedder::is_fresh(const store::EmbeddedProduct& product, store::Demand demand) const {
    if (demand == store::Demand::all) return false;
    if (!product.is_active) return true;
    return demand == store::Demand::stale && is_current(product);
}

bool ProductEmbedder::prepare(const std::vector<Wanted>& products, Blame blame) {
    results_.clear();
    prepared_.clear();
    std::vector<std::string> ids;
    std::map<std::string, std::size_t, std::less<>> places;
    for (const Wanted& wanted : products) {
        places.emplace(wanted.id, results_.size());
        results_.push_back({.id = wanted.id, .kind = Kind::gone});
        ids.push_back(wanted.id);
    }
    std::vector<std::string> texts;
    std::vector<std::size_t> sent;  // in prepared_
    for (const store::EmbeddedProduct& product : rows_.read(ids)) {
        const std::size_t place = places.at(product.id);
        const store::Demand demand = products[place].demand;
        results_[place].kind = Kind::fresh;
        if (is_fresh(product, demand)) continue;
        std::string text = text_of(product);
        const Prepared one{.place = place,
                           .hash = catalog::embedding_hash(fingerprint_, text),
                           .is_forced = demand == store::Demand::all};
        const bool is_kept = has_vector_of(product, one);
        if (is_kept && is_current(product)) continue;
        if (!is_kept) {
            sent.push_back(prepared_.size());
            texts.push_back(std::move(text));
        }
        prepared_.push_back(one);
    }
    if (texts.empty()) return false;
    std::vector<embed::Outcome> outcomes = embed_texts(texts, blame);
    bool has_answered = false;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        Prepared& one = prepared_[sent[i]];
        ProductResult& result = results_[one.place];
        if (auto* fault = std::get_if<embed::TextFault>(&outcomes[i])) {
            result.reason = std::move(fault->reason);
            continue;
        }
        auto& vector = std::get<embed::TextVector>(outcomes[i]);
        result.cut_tokens = vector.cut_tokens;
        one.vector = std::move(vector.values);
        has_answered = true;
    }
    return has_answered;
}

/// One outcome a text.
std::vector<embed::Outcome> ProductEmbedder::embed_texts(const std::vector<std::string>& texts, Blame blame) {
    // A service may change the model under its name at any time: the fixed text goes along with every batch.
    const bool is_watched = model().provider != "local" && !canary_.empty();
    std::vector<std::string_view> views{texts.begin(), texts.end()};
    if (is_watched) views.push_back(canary_text);
    std::vector<embed::Outcome> outcomes;
    try {
        outcomes = embedder_.embed(views, embed::Role::passage);
    } catch (const Error& error) {
        if (blame != Blame::text || texts.size() != 1 || !error.is_retryable()) throw;
        // Who is only busy may have had time for the answer before.
        if (error.code() == ErrorCode::overloaded) require_answer();
        return {embed::TextFault{error.happened()}};
    }
    if (!is_watched) return outcomes;
    if (const auto* fault = std::get_if<embed::TextFault>(&outcomes.back())) throw canary_failed(fault->reason);
    const double likeness = catalog::cosine(canary_, std::get<embed::TextVector>(outcomes.back()).values);
    if (likeness < least_cosine) refuse_changed_model(likeness);
    outcomes.pop_back();
    return outcomes;
}

bool ProductEmbedder::has_vector_of(const store::EmbeddedProduct& product, const Prepared& one) const {
    return !one.is_forced && product.has_embedding && product.hash == view(one.hash);
}

bool ProductEmbedder::is_current(const store::EmbeddedProduct& product) const {
    return product.has_embedding && !product.is_marked && product.model == model().name;
}

const std::vector<ProductResult>& ProductEmbedder::store(const std::vector<std::string>& held) {
    std::map<std::string_view, const Prepared*> ready;
    std::vector<std::string> ids;
    for (const Prepared& one : prepared_) {
        ProductResult& result = results_[one.place];
        result.kind = Kind::changed;
        if (!std::ranges::binary_search(held, result.id)) continue;
        ready.emplace(result.id, &one);
        ids.push_back(result.id);
    }
    std::vector<store::NewEmbedding> embeddings;
    std::vector<std::string> confirmed;
    if (!ids.empty()) {
        const std::vector<store::EmbeddedProduct> locked = rows_.lock(ids);
        require_same_column();
        for (const store::EmbeddedProduct& product : locked) {
            const Prepared& one = *ready.at(product.id);
            ProductResult& result = results_[one.place];
            if (catalog::embedding_hash(fingerprint_, text_of(product)) != one.hash) continue;
            if (has_vector_of(product, one)) {  // also when another worker has stored it meanwhile
                result.kind = Kind::fresh;
                if (!is_current(product)) confirmed.push_back(product.id);
            } else if (!one.vector.empty()) {
                result.kind = Kind::embedded;
                embeddings.push_back({.id = result.id, .vector = one.vector, .hash = one.hash});
            } else if (!result.reason.empty()) {
                result.kind = Kind::failed;
            }
        }
    }
    if (!embeddings.empty()) rows_.write(embeddings, model().name);
    if (!confirmed.empty()) rows_.confirm(confirmed, model().name);
    return results_;
}

}  // namespace decant::work
