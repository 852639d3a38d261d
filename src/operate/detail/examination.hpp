#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "chroma/source.hpp"
#include "core/error.hpp"
#include "embed/open_embedder.hpp"
#include "operate/doctor.hpp"
#include "pg/connection.hpp"
#include "store/catalog_state.hpp"
#include "store/embedding_indexes.hpp"
#include "store/embedding_statistics.hpp"
#include "store/pgvector.hpp"

namespace decant::operate::detail {

/// What one pass over products.embedding tells.
struct VectorFacts {
    std::uint64_t rows = 0;  ///< with a vector, active or not
    std::uint64_t zero = 0;
    std::uint64_t not_finite = 0;
    std::uint64_t other_dimension = 0;  ///< than `dimension`
    std::uint32_t dimension = 0;        ///< the column's, else that of most rows; 0: there is no vector
};

/// What the checks look at, read when it is first asked for. Everything throws Error where it cannot be had, which
/// skips the check that asked.
class Examination {
public:
    explicit Examination(const DoctorRequest& request) : request_(request) {}

    const DoctorRequest& request() const noexcept { return request_; }
    const Settings& settings() const noexcept { return request_.settings; }

    /// Throws what resolve_database and Connection::open throw.
    void connect();
    pg::Connection& db();
    const std::string& conninfo();

    /// Throws where there is no table products.
    const store::CatalogState& catalog();
    const store::Pgvector& pgvector();
    /// The column is there and of type vector.
    void require_vectors();
    const VectorFacts& vectors();
    /// Of active products, for the configured model.
    const store::EmbeddingStatistics& statistics();
    const store::EmbeddingStorage& storage();
    /// The index that searches may use; null: there is none.
    const store::EmbeddingIndex* search_index();

    /// What embeds: the model that the column is told to have vectors of, else the settings' choice.
    embed::EmbedderChoice choice();
    embed::Embedder& embedder();

    /// False: nothing names a source, and at the default place is none.
    bool has_chroma() const;
    chroma::Source& chroma();
    const chroma::Collection& collection();

    /// Nothing else that is exclusive runs on the database meanwhile. Throws as OperationLock.
    void exclusively(const std::function<void()>& work);

    /// The database is connected to and read anew: something was mended.
    void forget();
    /// The same with the embedder.
    void forget_embedder();

private:
    const DoctorRequest& request_;
    std::string conninfo_;
    std::optional<pg::Connection> db_;
    std::optional<store::CatalogState> catalog_;
    std::optional<store::Pgvector> pgvector_;
    std::optional<VectorFacts> vectors_;
    std::optional<store::EmbeddingStatistics> statistics_;
    std::optional<store::EmbeddingStorage> storage_;
    std::unique_ptr<embed::Embedder> embedder_;
    std::optional<Error> embedder_error_;
    std::unique_ptr<chroma::Source> chroma_;
    std::optional<Error> chroma_error_;
};

}  // namespace decant::operate::detail
