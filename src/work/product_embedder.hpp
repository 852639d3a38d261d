#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "embed/checked_embedder.hpp"
#include "store/embedding_store.hpp"
#include "store/job_queue.hpp"

namespace decant::work {

/// What became of one product.
struct ProductResult {
    enum class Kind : std::uint8_t {
        embedded,
        fresh,    ///< nothing was to do: its vector is of its text, or it is not active
        gone,     ///< there is no such product any more
        changed,  ///< its text is another one by now, or someone has it locked: to be done again
        failed,
    };
    std::string id;
    Kind kind = Kind::failed;
    std::string reason = {};     ///< of a failure
    std::size_t cut_tokens = 0;  ///< of the text's end that the model did not read
};

/// A product that is asked for.
struct Wanted {
    std::string id;
    store::Demand demand = store::Demand::stale;
};

/// Whom it is put down to that the model gives a lone text no answer.
enum class Blame : std::uint8_t { model, text };

/// Of a model now to the one that made the catalog's vectors.
struct ModelLikeness {
    double cosine = 0;  ///< of their vectors for one fixed text
    bool is_same = false;
};

/// Makes the vectors of products and stores them. The model is called outside of any transaction; what is stored is of
/// the text that the product has at that moment, under a lock. An unchanged text is not embedded again, but for
/// Demand::all.
class ProductEmbedder {
public:
    /// Both must outlive this. Throws as EmbeddingStore; Error{dimension_mismatch} when the column cannot take the
    /// model's vectors, and Error{conflict} when it is told to have those of another.
    ProductEmbedder(pg::Connection& db, embed::Embedder& embedder,
                    const store::VectorColumns& columns = store::live_columns);

    const embed::Model& model() const noexcept { return embedder_.model(); }

    /// Holds the model against what decant.embedding_models knows of it by the vector of one fixed text, and remembers
    /// it when it is new. One that gives other vectors than before under its name: with `accept` it is remembered as it
    /// is now and all of the old one's vectors are stale, else they are marked and Error{conflict} is thrown.
    /// True when the model is another one than before.
    bool check_model(bool accept);

    /// What check_model() looks at, without remembering or marking anything; none where the model is not known yet.
    std::optional<ModelLikeness> compare_model();

    /// Has the fixed text embedded alone. Throws what the model throws about itself.
    void require_answer() { embed_canary(); }

    /// Reads the products, each named once, and embeds what needs it. True when the model gave a vector.
    /// Throws what the model throws about itself, which with Blame::text a lone text has for its fault instead: for who
    /// has just had an answer. Throws check_model's conflict when a model that is a service changed.
    bool prepare(const std::vector<Wanted>& products, Blame blame = Blame::model);

    /// In the caller's transaction: stores what was prepared of the products in `held` (sorted). One result a product
    /// that was prepared, in that order; those not held say changed. May be called again with others.
    /// Throws Error{source_changed}, with nothing written, when the column is another model's by now.
    const std::vector<ProductResult>& store(const std::vector<std::string>& held);

private:
    struct Prepared {
        std::size_t place;  ///< in results_
        Digest hash;
        bool is_forced;                  ///< whatever vector is there
        std::vector<float> vector = {};  ///< empty: the one that is there is of this text, or the text is refused
    };

    std::vector<float> embed_canary();
    /// Empty: not known.
    std::vector<float> known_canary();
    std::vector<float> canary_of_namesake();
    Error canary_failed(const std::string& reason) const;
    bool is_fresh(const store::EmbeddedProduct& product, store::Demand demand) const;
    bool has_vector_of(const store::EmbeddedProduct& product, const Prepared& one) const;
    bool is_current(const store::EmbeddedProduct& product) const;
    std::string text_of(const store::EmbeddedProduct& product) const;
    std::vector<embed::Outcome> embed_texts(const std::vector<std::string>& texts, Blame blame);
    [[noreturn]] void refuse_changed_model(double likeness);
    void require_same_column();

    pg::Connection& db_;
    store::EmbeddingStore rows_;
    std::optional<store::ColumnModel> column_;  ///< as the column told it at the start
    embed::CheckedEmbedder embedder_;
    std::string fingerprint_;
    std::vector<float> canary_;  ///< what it is to be; empty: not known yet
    std::vector<ProductResult> results_;
    std::vector<Prepared> prepared_;
};

}  // namespace decant::work
