#include "store/column_model.hpp"

#include <boost/json/parse.hpp>

#include "core/enum_names.hpp"
#include "core/json.hpp"
#include "core/json_members.hpp"

namespace decant::store {
namespace {

constexpr std::string_view made_by = "decant";
constexpr EnumNames<SecondState, 2> state_names{{"filling", "kept"}};

constexpr std::string_view comment_sql =
    "SELECT pg_catalog.col_description(attrelid, attnum) FROM pg_catalog.pg_attribute "
    "WHERE attrelid = pg_catalog.to_regclass('products') AND attname = $1 AND NOT attisdropped";

std::optional<ColumnComment> parse(std::string_view text) {
    boost::system::error_code failure;
    const json::value value = json::parse(text, failure);
    const json::object* object = failure ? nullptr : value.if_object();
    if (object == nullptr || text_member(*object, "by") != made_by) return std::nullopt;
    const auto number = [&](std::string_view name) {
        return static_cast<std::uint32_t>(number_member(*object, name).value_or(0));
    };
    const auto text_of = [&](std::string_view name) { return text_member(*object, name).value_or(""); };
    ColumnComment comment{.model = {.provider = text_of("provider"),
                                    .name = text_of("model"),
                                    .dimension = number("dimension"),
                                    .asked_dimension = number("asked_dimension"),
                                    .passage_prefix = text_of("passage_prefix"),
                                    .query_prefix = text_of("query_prefix")},
                          .since = text_of("since")};
    if (text_of("recipe") == name_of(catalog::TextRecipe::title_first))
        comment.model.recipe = catalog::TextRecipe::title_first;
    comment.second = state_names.find(text_of("second"));
    return comment;
}

std::optional<ColumnComment> comment_of(const pg::Result& rows) {
    return rows.empty() || rows.is_null(0, 0) ? std::nullopt : parse(rows.text(0, 0));
}

}  // namespace

pg::Statement column_model_statement(std::string_view column) {
    return {.sql = std::string{comment_sql}, .params = {std::string{column}}};
}

std::optional<ColumnModel> column_model_of(const pg::Result& rows) {
    auto comment = comment_of(rows);
    return comment ? std::optional{std::move(comment->model)} : std::nullopt;
}

std::optional<ColumnModel> read_column_model(pg::Connection& db, std::string_view column) {
    const pg::Statement statement = column_model_statement(column);
    return column_model_of(db.query(statement.sql, statement.params));
}

std::optional<ColumnComment> read_column_comment(pg::Connection& db, std::string_view column) {
    const pg::Statement statement = column_model_statement(column);
    return comment_of(db.query(statement.sql, statement.params));
}

std::string comment_text(const ColumnComment& comment) {
    const ColumnModel& model = comment.model;
    json::object object{{"by", made_by}, {"provider", model.provider}, {"model", model.name}};
    object["dimension"] = model.dimension;
    if (model.asked_dimension != 0) object["asked_dimension"] = model.asked_dimension;
    object["passage_prefix"] = model.passage_prefix;
    object["query_prefix"] = model.query_prefix;
    object["recipe"] = catalog::name_of(model.recipe);
    if (comment.second) object["second"] = state_names[*comment.second];
    if (!comment.since.empty()) object["since"] = comment.since;
    return json_text(object);
}

}  // namespace decant::store
