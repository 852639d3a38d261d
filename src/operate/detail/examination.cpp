#include "operate/detail/examination.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "operate/operation_lock.hpp"
#include "store/database_address.hpp"
#include "work/catalog_model.hpp"

namespace decant::operate::detail {
namespace {

constexpr std::string_view dimensions_sql =
    "SELECT {}.vector_dims(embedding) FROM products WHERE embedding IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 "
    "LIMIT 1";

// NaN is greater than infinity, to PostgreSQL.
constexpr std::string_view facts_sql = R"sql(
SELECT count(*), count(*) FILTER (WHERE norm = 0), count(*) FILTER (WHERE norm >= 'Infinity'),
       count(*) FILTER (WHERE dimension <> $1::int)
FROM (SELECT {0}.vector_norm(embedding) AS norm, {0}.vector_dims(embedding) AS dimension FROM products
      WHERE embedding IS NOT NULL) v)sql";

/// A person waits.
constexpr embed::ServerPatience embedder_patience{.idle = std::chrono::seconds{60},
                                                  .total = std::chrono::seconds{60},
                                                  .first_pause = std::chrono::milliseconds{200},
                                                  .tries = 1};

}  // namespace

void Examination::connect() {
    if (conninfo_.empty()) conninfo_ = store::resolve_database(settings()).conninfo;
    db_.emplace(pg::Connection::open(conninfo_));
}

pg::Connection& Examination::db() {
    if (!db_) {
        throw Error{ErrorCode::store_unavailable, "PostgreSQL cannot be reached",
                    "Mend what the check `connection` names."};
    }
    return *db_;
}

const std::string& Examination::conninfo() {
    db();
    return conninfo_;
}

const store::CatalogState& Examination::catalog() {
    if (!catalog_) catalog_ = store::read_catalog_state(db());
    if (!catalog_->has_products)
        throw Error{ErrorCode::not_found, fmt::format("There is no table products in database '{}'", db().database()),
                    "Mend what the check `schema.catalog` names."};
    return *catalog_;
}

const store::Pgvector& Examination::pgvector() {
    if (!pgvector_) pgvector_ = store::find_pgvector(db());
    if (!pgvector_)
        throw Error{ErrorCode::not_found, "pgvector extension not installed",
                    "Mend what the check `pgvector.installed` names."};
    return *pgvector_;
}

void Examination::require_vectors() {
    pgvector();
    if (!catalog().has_embedding())
        throw Error{ErrorCode::not_found, "products.embedding column not found",
                    "Mend what the check `schema.columns` names."};
    if (catalog().embedding_type != "vector")
        throw Error{ErrorCode::not_found, fmt::format("products.embedding is {}, not vector", catalog().column_type()),
                    "Mend what the check `vectors.dimension` names."};
}

const VectorFacts& Examination::vectors() {
    if (vectors_) return *vectors_;
    require_vectors();
    const std::string& schema = pgvector().schema;
    VectorFacts facts{.dimension = catalog().dimension.value_or(0)};
    if (facts.dimension == 0) {
        const pg::Result most = db().exec(fmt::format(dimensions_sql, schema));
        if (!most.empty()) facts.dimension = static_cast<std::uint32_t>(most.integer(0, 0));
    }
    const pg::Result row = db().query(fmt::format(facts_sql, schema), {std::to_string(facts.dimension)});
    facts.rows = static_cast<std::uint64_t>(row.integer(0, 0));
    facts.zero = static_cast<std::uint64_t>(row.integer(0, 1));
    facts.not_finite = static_cast<std::uint64_t>(row.integer(0, 2));
    facts.other_dimension = static_cast<std::uint64_t>(row.integer(0, 3));
    vectors_ = facts;
    return *vectors_;
}

const store::EmbeddingStatistics& Examination::statistics() {
    require_vectors();
    if (!statistics_) statistics_ = store::read_embedding_statistics(db(), choice().model);
    return *statistics_;
}

const store::EmbeddingStorage& Examination::storage() {
    require_vectors();
    if (!storage_) storage_ = store::read_embedding_storage(db());
    return *storage_;
}

const store::EmbeddingIndex* Examination::search_index() {
    const auto& indexes = storage().indexes;
    const auto found = std::ranges::find_if(indexes, [](const store::EmbeddingIndex& index) {
        return index.is_valid && index.operator_class.ends_with("_cosine_ops");
    });
    return found == indexes.end() ? nullptr : &*found;
}

embed::EmbedderChoice Examination::choice() {
    return db_ ? work::catalog_choice(settings(), *db_) : embed::chosen_embedder(settings());
}

embed::Embedder& Examination::embedder() {
    if (embedder_error_) throw Error{*embedder_error_};
    if (embedder_) return *embedder_;
    try {
        embedder_ = embed::require_embedder(settings(), choice(), embedder_patience);
    } catch (const Error& error) {
        embedder_error_ = error;
        throw;
    }
    return *embedder_;
}

bool Examination::has_chroma() const {
    std::error_code ignored;
    return settings().get("CHROMA_URL") || settings().origin("CHROMA_PATH") != SettingOrigin::default_value ||
           std::filesystem::exists(settings().get("CHROMA_PATH").value_or(""), ignored);
}

chroma::Source& Examination::chroma() {
    if (!has_chroma())
        throw Error{ErrorCode::not_found, "No Chroma is configured",
                    "Set CHROMA_URL or CHROMA_PATH where there is one."};
    if (chroma_error_) throw Error{*chroma_error_};
    if (chroma_) return *chroma_;
    try {
        chroma_ = chroma::open_source(chroma::source_address(settings(), std::nullopt));
    } catch (const Error& error) {
        chroma_error_ = error;
        throw;
    }
    return *chroma_;
}

const chroma::Collection& Examination::collection() {
    return chroma::find_collection(chroma(), {.name = settings().get("CHROMA_COLLECTION").value_or("")});
}

void Examination::exclusively(const std::function<void()>& work) {
    const OperationLock lock{conninfo(), "doctor --fix"};
    work();
}

void Examination::forget() {
    catalog_.reset();
    pgvector_.reset();
    vectors_.reset();
    statistics_.reset();
    storage_.reset();
    if (db_) connect();
}

void Examination::forget_embedder() {
    embedder_.reset();
    embedder_error_.reset();
}

}  // namespace decant::operate::detail
