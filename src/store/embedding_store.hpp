#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/embedding_text.hpp"
#include "pg/connection.hpp"
#include "store/column_model.hpp"

namespace decant::store {

/// What of a row of products decides whether it needs a vector, and which.
struct EmbeddedProduct {
    std::string id;
    catalog::Product product;  ///< the fields of the embedding text
    bool is_active = false;
    bool has_embedding = false;
    bool is_marked = false;  ///< changed after its vector was made
    std::string model;       ///< that made it; empty: not known
    std::string hash;        ///< embedding_hash, its bytes; empty: not known
};

struct NewEmbedding {
    std::string_view id;
    std::span<const float> vector;
    Digest hash;
};

/// The vectors of the table products, of one of its columns.
class EmbeddingStore {
public:
    /// Throws Error{store_unavailable} as find_pgvector, Error{not_found} where the column or the extension is missing.
    explicit EmbeddingStore(pg::Connection& db, const VectorColumns& columns = live_columns);

    /// Those of `ids` that exist, in any order.
    std::vector<EmbeddedProduct> read(const std::vector<std::string>& ids);
    /// The same, locked until the transaction under way ends; those that another session has locked are left out.
    std::vector<EmbeddedProduct> lock(const std::vector<std::string>& ids);

    /// Vector, model, time and digest of each in one statement.
    void write(std::span<const NewEmbedding> embeddings, const std::string& model);
    /// The vectors stay; they are of `model` and of the text as it is now.
    void confirm(const std::vector<std::string>& ids, const std::string& model);
    /// What a person should know when active products have vectors of other models than `model`, which cannot be
    /// compared with its own; none when all are its own.
    std::optional<std::string> note_of_others(const std::string& model);
    /// Marks all vectors of `model` as stale; the number marked. `for_good`: also where the text stays as it is.
    std::uint64_t mark_stale(const std::string& model, bool for_good);
    /// As read_column_model(). After lock(), in its transaction, it holds to the end of that.
    std::optional<ColumnModel> column_model();

private:
    std::string with_columns(std::string_view statement, const std::string& type = {}) const;

    pg::Connection& db_;
    VectorColumns columns_;
    std::string read_sql_;
    std::string write_sql_;
    std::uint32_t vector_type_ = 0;
};

}  // namespace decant::store
