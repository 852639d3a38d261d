#include <fmt/format.h>

#include "api/problem.hpp"
#include "api/products_json.hpp"
#include "api/routes.hpp"
#include "api/search_record.hpp"
#include "api/worker.hpp"
#include "core/error.hpp"
#include "search/answer_json.hpp"
#include "store/similar_products.hpp"

namespace decant::api {
namespace {

const Shape filters_shape{
    .name = "Filters",
    .fields = {
        {.name = "category_id", .type = FieldType::uuid, .about = "Only of this category", .nullable = true},
        {.name = "brand_id", .type = FieldType::uuid, .about = "Only of this brand", .nullable = true},
        {.name = "category", .about = "Only of this category, by name", .least = 1, .most = 200, .nullable = true},
        {.name = "brand", .about = "Only of this brand, by name", .least = 1, .most = 200, .nullable = true},
        {.name = "min_price", .type = FieldType::number, .least = 0, .most = 1e12, .nullable = true},
        {.name = "max_price", .type = FieldType::number, .least = 0, .most = 1e12, .nullable = true},
        {.name = "in_stock_only", .type = FieldType::boolean, .fallback = false},
        {.name = "active_only", .type = FieldType::boolean, .fallback = true},
        {.name = "featured_only", .type = FieldType::boolean, .fallback = false},
        {.name = "on_sale_only", .type = FieldType::boolean, .fallback = false}}};

const Shape search_body{
    .name = "SearchRequest",
    .fields = {{.name = "query",
                .about = "What is looked for, in Spanish or English",
                .required = true,
                .least = 1,
                .most = 5000},
               {.name = "limit",
                .type = FieldType::integer,
                .about = "At most so many",
                .least = 1,
                .most = 100,
                .fallback = 10},
               {.name = "page",
                .type = FieldType::integer,
                .about = "The page of that many",
                .least = 1,
                .most = 100,
                .fallback = 1},
               {.name = "similarity_threshold",
                .type = FieldType::number,
                .about = "Least cosine similarity. Default: the setting's, else the model's own",
                .least = 0,
                .most = 1,
                .nullable = true},
               {.name = "strategy",
                .about = "Who answers. Default: PRODUCT_SEARCH_STRATEGY",
                .choices = {search::strategy_names.names.begin(), search::strategy_names.names.end()},
                .nullable = true},
               {.name = "filters", .type = FieldType::object, .shape = &filters_shape, .nullable = true},
               {.name = "facets",
                .type = FieldType::boolean,
                .about = "How what passes the filters divides into categories, brands and prices",
                .fallback = false},
               {.name = "literal",
                .type = FieldType::boolean,
                .about = "Search for all of the text; take nothing in it for a price or a category",
                .fallback = false}}};

const Shape product_shape{.name = "ProductHit",
                          .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true},
                                     {.name = "sku", .required = true, .nullable = true},
                                     {.name = "name", .required = true},
                                     {.name = "brand", .required = true, .nullable = true},
                                     {.name = "category", .required = true, .nullable = true},
                                     {.name = "model", .required = true, .nullable = true},
                                     {.name = "price", .type = FieldType::number, .required = true},
                                     {.name = "stock", .type = FieldType::integer, .required = true},
                                     {.name = "similarity_score",
                                      .type = FieldType::number,
                                      .about = "Cosine similarity; null where no vectors were compared",
                                      .required = true,
                                      .nullable = true},
                                     {.name = "description", .required = true},
                                     {.name = "image_url", .required = true, .nullable = true}}};

const Shape leg_shape{.name = "Leg",
                      .fields = {{.name = "leg", .required = true, .choices = {"pgvector", "chroma", "keyword"}},
                                 {.name = "found", .type = FieldType::integer, .required = true},
                                 {.name = "milliseconds", .type = FieldType::number, .required = true},
                                 {.name = "error", .about = "Code of its failure"}}};

const Shape search_metadata{
    .name = "SearchMetadata",
    .fields = {
        {.name = "total_results", .type = FieldType::integer, .required = true},
        {.name = "search_duration_ms", .type = FieldType::number, .required = true},
        {.name = "similarity_threshold", .type = FieldType::number, .required = true, .nullable = true},
        {.name = "filters_applied", .type = FieldType::any_object, .required = true},
        {.name = "strategy", .about = "That was asked for", .required = true},
        {.name = "strategy_used", .about = "Who answered", .required = true},
        {.name = "degraded",
         .type = FieldType::boolean,
         .about = "A leg that the strategy asks first failed, so others answered",
         .required = true},
        {.name = "reason", .about = "Why another leg answered than the first", .required = true, .nullable = true},
        {.name = "understood", .type = FieldType::any_object, .required = true},
        {.name = "legs", .type = FieldType::objects, .required = true, .shape = &leg_shape},
        {.name = "diagnosis", .type = FieldType::any_object, .about = "Why the answer is empty or weak"},
        {.name = "warnings", .type = FieldType::texts, .required = true}}};

const Shape search_answer{
    .name = "SearchAnswer",
    .fields = {{.name = "query", .required = true},
               {.name = "results", .type = FieldType::objects, .required = true, .shape = &product_shape},
               {.name = "metadata", .type = FieldType::object, .required = true, .shape = &search_metadata},
               {.name = "facets", .type = FieldType::any_object}}};

const Shape product_path{.name = "ProductPath",
                         .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true}}};

const Shape similar_query{
    .name = "SimilarQuery",
    .fields = {{.name = "limit", .type = FieldType::integer, .least = 1, .most = 100, .fallback = 10},
               {.name = "similarity_threshold", .type = FieldType::number, .least = 0, .most = 1, .fallback = 0.6},
               {.name = "exclude_self", .type = FieldType::boolean, .fallback = true},
               {.name = "in_stock_only", .type = FieldType::boolean, .fallback = false}}};

const Shape similar_metadata{.name = "SimilarMetadata",
                             .fields = {{.name = "total_results", .type = FieldType::integer, .required = true},
                                        {.name = "search_duration_ms", .type = FieldType::number, .required = true},
                                        {.name = "similarity_threshold", .type = FieldType::number, .required = true}}};

const Shape similar_answer{
    .name = "SimilarAnswer",
    .fields = {{.name = "reference_product_id", .type = FieldType::uuid, .required = true},
               {.name = "reference_product_name", .required = true},
               {.name = "similar_products", .type = FieldType::objects, .required = true, .shape = &product_shape},
               {.name = "metadata", .type = FieldType::object, .required = true, .shape = &similar_metadata}}};

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

/// A value that was given and is not null.
const json::value* given(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> text_of(const json::object& object, std::string_view name) {
    const json::value* value = given(object, name);
    return value == nullptr ? std::nullopt : std::optional{std::string{value->as_string()}};
}

std::optional<double> number_of(const json::object& object, std::string_view name) {
    const json::value* value = given(object, name);
    return value == nullptr ? std::nullopt : std::optional{value->to_number<double>()};
}

bool is_set(const json::object& object, std::string_view name) {
    const json::value* value = given(object, name);
    return value != nullptr && value->as_bool();
}

search::Filter filter_of(const json::object& filters) {
    const auto either = [&](std::string_view id, std::string_view name) {
        std::optional<std::string> by_id = text_of(filters, id);
        return by_id ? by_id : text_of(filters, name);
    };
    return {.category = either("category_id", "category"),
            .brand = either("brand_id", "brand"),
            .min_price = number_of(filters, "min_price"),
            .max_price = number_of(filters, "max_price"),
            .in_stock = is_set(filters, "in_stock_only"),
            .featured = is_set(filters, "featured_only"),
            .on_sale = is_set(filters, "on_sale_only"),
            .active = is_set(filters, "active_only")};
}

search::Request request_of(const json::object& body) {
    const auto limit = static_cast<std::uint64_t>(body.at("limit").as_int64());
    const auto page = static_cast<std::uint64_t>(body.at("page").as_int64());
    search::Request request{.text = std::string{body.at("query").as_string()},
                            .limit = limit,
                            .offset = (page - 1) * limit,
                            .threshold = number_of(body, "similarity_threshold"),
                            .literal = is_set(body, "literal"),
                            .facets = is_set(body, "facets")};
    if (const json::value* filters = given(body, "filters")) request.filter = filter_of(filters->as_object());
    if (const auto name = text_of(body, "strategy")) request.strategy = search::strategy_names.find(*name);
    return request;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// What failed first, without what only the log may know.
json::value reason_of(const search::Answer& answer) {
    for (const search::LegReport& leg : answer.legs)
        if (leg.failure)
            return json::value(fmt::format("{}: {}", search::leg_names[leg.leg], public_detail(*leg.failure)));
    return or_null(answer.reason);
}

json::array legs_json(const search::Answer& answer) {
    json::array legs;
    for (const search::LegReport& report : answer.legs) {
        json::object leg{
            {"leg", search::leg_names[report.leg]}, {"found", report.found}, {"milliseconds", report.milliseconds}};
        if (report.failure) leg["error"] = traits_of(report.failure->code()).name;
        legs.push_back(std::move(leg));
    }
    return legs;
}

json::object metadata_of(const search::Answer& answer, const json::object& body, double milliseconds) {
    json::array warnings;
    for (const std::string& warning : answer.warnings)
        warnings.emplace_back(warning);
    const json::value* filters = given(body, "filters");
    json::object metadata{{"total_results", answer.hits.size()},
                          {"search_duration_ms", milliseconds},
                          {"similarity_threshold", answer.threshold ? json::value(*answer.threshold) : nullptr},
                          {"filters_applied", filters == nullptr ? json::object{} : filters->as_object()},
                          {"strategy", search::strategy_names[answer.strategy]},
                          {"strategy_used", answer.used},
                          {"degraded", answer.degraded},
                          {"reason", reason_of(answer)},
                          {"understood", search::understood_json(answer)},
                          {"legs", legs_json(answer)},
                          {"warnings", std::move(warnings)}};
    if (answer.diagnosis) metadata["diagnosis"] = search::json_of(*answer.diagnosis);
    return metadata;
}

search::Answer search_and_record(Call& call, const search::Request& request,
                                 std::chrono::steady_clock::time_point start) {
    Services& services = call.worker->services();
    SearchRecord record{.run_id = call.request_id, .question = request.text};
    try {
        search::Answer answer = call.worker->engine().search(request);
        record.milliseconds = milliseconds_since(start);
        record_search(services, record, answer);
        return answer;
    } catch (const Error& error) {
        record.milliseconds = milliseconds_since(start);
        record_failure(services, record, error);
        // A strategy of the caller's choice that is not to be had here is no fault of the server's settings.
        if (error.code() != ErrorCode::config_invalid || !request.strategy) throw;
        throw Error{ErrorCode::conflict, error.happened(), "Leave strategy out, or ask for another one."};
    }
}

Reply search_products(Call& call) {
    const auto start = std::chrono::steady_clock::now();
    const search::Request request = request_of(call.body);
    const search::Answer answer = search_and_record(call, request, start);
    json::object out{{"query", request.text},
                     {"results", products_json(answer.hits)},
                     {"metadata", metadata_of(answer, call.body, milliseconds_since(start))}};
    if (answer.facets) out["facets"] = search::json_of(*answer.facets);
    return {.body = std::move(out)};
}

Reply similar_products(Call& call) {
    const auto start = std::chrono::steady_clock::now();
    const double threshold = call.query.at("similarity_threshold").to_number<double>();
    const store::SimilarTo found =
        store::find_similar(call.worker->db(), {.product = call.path.front(),
                                                .limit = call.query.at("limit").to_number<std::uint64_t>(),
                                                .threshold = threshold,
                                                .in_stock = is_set(call.query, "in_stock_only"),
                                                .includes_itself = !is_set(call.query, "exclude_self")});
    std::vector<search::Hit> hits;
    for (int row = 0; row < found.products.rows(); ++row) {
        search::Hit& hit = hits.emplace_back(search::read_hit(found.products, row));
        hit.similarity = hit.score = found.products.real(row, search::hit_column_count);
    }
    record_similar(call.worker->services(),
                   {.kind = store::SearchEvent::Kind::similar,
                    .run_id = call.request_id,
                    .milliseconds = milliseconds_since(start)},
                   hits);
    json::array products = products_json(hits);
    const std::size_t total = products.size();
    return {.body = json::object{{"reference_product_id", found.id},
                                 {"reference_product_name", found.name},
                                 {"similar_products", std::move(products)},
                                 {"metadata", json::object{{"total_results", total},
                                                           {"search_duration_ms", milliseconds_since(start)},
                                                           {"similarity_threshold", threshold}}}}};
}

}  // namespace

json::array products_json(const std::vector<search::Hit>& hits) {
    json::array products;
    for (const search::Hit& hit : hits)
        products.push_back(json::object{{"product_id", hit.id},
                                        {"sku", or_null(hit.sku)},
                                        {"name", hit.name},
                                        {"brand", or_null(hit.brand)},
                                        {"category", or_null(hit.category)},
                                        {"model", or_null(hit.model)},
                                        {"price", hit.price},
                                        {"stock", hit.stock},
                                        {"similarity_score", hit.similarity ? json::value(*hit.similarity) : nullptr},
                                        {"description", hit.description},
                                        {"image_url", or_null(hit.image_url)}});
    return products;
}

const Shape& product_hit_shape() {
    return product_shape;
}

std::vector<Route> search_routes() {
    return {{.method = "POST",
             .path = "/api/v1/pgvector/search",
             .id = "searchProducts",
             .group = "search",
             .summary = "The products that answer a question, by meaning and by words",
             .scope = Scope::search,
             .rate = RateClass::search,
             .body = &search_body,
             .answer = &search_answer,
             .refusals = {404, 409},
             .example = json::object{{"query", "notebook liviana para viajar"}, {"limit", 3}},
             .handle = search_products},
            {.method = "GET",
             .path = "/api/v1/pgvector/similar/{product_id}",
             .id = "similarProducts",
             .group = "search",
             .summary = "The products most similar to one of the catalog",
             .scope = Scope::search,
             .rate = RateClass::search,
             .path_shape = &product_path,
             .query = &similar_query,
             .answer = &similar_answer,
             .refusals = {404},
             .handle = similar_products}};
}

}  // namespace decant::api
