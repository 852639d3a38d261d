#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "embed/open_embedder.hpp"
#include "store/column_model.hpp"

namespace decant::work {

/// What a column is told to have when it gets this model's vectors. `asked_dimension` as of store::ColumnModel.
store::ColumnModel column_model(const embed::Model& model, std::size_t asked_dimension = 0);

/// Whether the vectors of this model may be compared with the column's.
bool is_of(const store::ColumnModel& column, const embed::Model& model);

/// "The catalog's vectors are of ..., not of ...".
Error other_model(const store::ColumnModel& column, const embed::Model& model);

/// What embeds products and questions: the model that the column is told to have vectors of; where it tells none, what
/// the settings choose. Throws Error{conflict} where the command line names another than the column.
embed::EmbedderChoice catalog_choice(const Settings& settings, const std::optional<store::ColumnModel>& column);

/// The same, as the connected database tells it; nothing is asked of one that has no catalog.
embed::EmbedderChoice catalog_choice(const Settings& settings, pg::Connection& db);

/// The same of a database that may be away: then what the settings choose, and whoever asks it next tells of it.
embed::EmbedderChoice catalog_choice_at(const Settings& settings, const std::string& conninfo);

/// Throws as embed::require_embedder.
std::unique_ptr<embed::Embedder> open_catalog_embedder(const Settings& settings,
                                                       const std::optional<store::ColumnModel>& column,
                                                       const embed::ServerPatience& patience = {});

/// What embeds for whom the column's model may change under: gives a column's model, opened when it is first asked for.
using EmbedderOf = std::function<embed::Embedder&(const std::optional<store::ColumnModel>& column)>;

/// The models of one command. One that was opened stays: somebody may be at it still. One thread at a time.
class CatalogEmbedder {
public:
    /// `settings` must outlive it.
    explicit CatalogEmbedder(const Settings& settings) : settings_(settings) {}

    /// Throws as open_catalog_embedder.
    embed::Embedder& of(const std::optional<store::ColumnModel>& column);

private:
    struct Opened {
        std::optional<store::ColumnModel> column;
        std::unique_ptr<embed::Embedder> embedder;
    };

    const Settings& settings_;
    std::vector<Opened> opened_;
};

}  // namespace decant::work
