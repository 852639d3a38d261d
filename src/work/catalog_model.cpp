#include "work/catalog_model.hpp"

#include <fmt/format.h>

namespace decant::work {
namespace {

bool is_named_by_flag(const Settings& settings) {
    return settings.origin("DECANT_EMBEDDER") == SettingOrigin::flag ||
           settings.origin("DECANT_EMBEDDING_MODEL") == SettingOrigin::flag;
}

}  // namespace

store::ColumnModel column_model(const embed::Model& model, std::size_t asked_dimension) {
    return {.provider = model.provider,
            .name = model.name,
            .dimension = static_cast<std::uint32_t>(model.dimension),
            .asked_dimension = static_cast<std::uint32_t>(asked_dimension),
            .passage_prefix = model.passage_prefix,
            .query_prefix = model.query_prefix,
            .recipe = model.recipe};
}

bool is_of(const store::ColumnModel& column, const embed::Model& model) {
    return column.provider == model.provider && column.name == model.name && column.dimension == model.dimension;
}

Error other_model(const store::ColumnModel& column, const embed::Model& model) {
    return {ErrorCode::conflict,
            fmt::format("The catalog's vectors are of model '{}' ({}, {} dimensions), not of '{}' ({}, {})",
                        column.name, column.provider, column.dimension, model.name, model.provider, model.dimension),
            fmt::format("Leave the model out, or move the catalog to it: decant model change {}.", model.name)};
}

embed::EmbedderChoice catalog_choice(const Settings& settings, const std::optional<store::ColumnModel>& column) {
    embed::EmbedderChoice chosen = embed::chosen_embedder(settings);
    if (!column) return chosen;
    if (is_named_by_flag(settings) && (chosen.provider != column->provider || chosen.model != column->name)) {
        throw Error{ErrorCode::conflict,
                    fmt::format("The catalog's vectors are of model '{}' ({}), and the command line names '{}' ({})",
                                column->name, column->provider, chosen.model, chosen.provider),
                    fmt::format("Leave it out, or move the catalog to it: decant model change {}.", chosen.model)};
    }
    return {.provider = column->provider,
            .model = column->name,
            .fixed = embed::ModelSettings{.passage_prefix = column->passage_prefix,
                                          .query_prefix = column->query_prefix,
                                          .recipe = column->recipe,
                                          .dimension = column->asked_dimension}};
}

embed::EmbedderChoice catalog_choice(const Settings& settings, pg::Connection& db) {
    return catalog_choice(settings, store::read_column_model(db));
}

embed::EmbedderChoice catalog_choice_at(const Settings& settings, const std::string& conninfo) {
    std::optional<store::ColumnModel> column;
    try {
        pg::Connection db = pg::Connection::open(conninfo);
        column = store::read_column_model(db);
    } catch (const Error&) {
        return embed::chosen_embedder(settings);
    }
    return catalog_choice(settings, column);
}

std::unique_ptr<embed::Embedder> open_catalog_embedder(const Settings& settings,
                                                       const std::optional<store::ColumnModel>& column,
                                                       const embed::ServerPatience& patience) {
    return embed::require_embedder(settings, catalog_choice(settings, column), patience);
}

embed::Embedder& CatalogEmbedder::of(const std::optional<store::ColumnModel>& column) {
    for (const Opened& one : opened_)
        if (one.column == column) return *one.embedder;
    opened_.push_back({column, open_catalog_embedder(settings_, column)});
    return *opened_.back().embedder;
}

}  // namespace decant::work
