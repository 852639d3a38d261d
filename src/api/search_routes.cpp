#include <fmt/format.h>

#include <functional>

#include "api/problem.hpp"
#include "api/products_json.hpp"
#include "api/routes.hpp"
#include "api/search_record.hpp"
#include "api/shadow_search.hpp"
#include "api/worker.hpp"
#include "core/elapsed.hpp"
#include "core/error.hpp"
#include "core/json_members.hpp"
#include "search/answer_json.hpp"
#include "search/product_details.hpp"
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
                .most = 5000,
                .not_blank = true},
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
                .fallback = false},
               {.name = "ignore",
                .type = FieldType::texts,
                .about = "Kinds of meanings that are not taken from the text, as `understood` names them",
                .most = 9,
                .choices = {search::meaning_names.names.begin(), search::meaning_names.names.end()}},
               {.name = "user_id",
                .about = "Who keeps an arm while an experiment runs. Default: the session, else the credential",
                .least = 1,
                .most = 100,
                .nullable = true},
               {.name = "session_id", .about = "The same", .least = 1, .most = 100, .nullable = true}}};

const Shape product_shape{.name = "ProductHit",
                          .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true},
                                     {.name = "sku", .required = true, .nullable = true},
                                     {.name = "name", .required = true},
                                     {.name = "brand", .required = true, .nullable = true},
                                     {.name = "category", .required = true, .nullable = true},
                                     {.name = "category_display_name", .required = true, .nullable = true},
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

const Shape exposure_shape{
    .name = "Exposure",
    .fields = {{.name = "name", .required = true}, {.name = "arm", .about = "Who answered in it", .required = true}}};

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
        {.name = "warnings", .type = FieldType::texts, .required = true},
        {.name = "experiment",
         .type = FieldType::object,
         .about = "That the answer was part of",
         .shape = &exposure_shape}}};

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

const Shape details_answer{.name = "ProductDetails",
                           .fields = {{.name = "product_id", .type = FieldType::uuid, .required = true},
                                      {.name = "sku", .required = true, .nullable = true},
                                      {.name = "name", .required = true},
                                      {.name = "brand", .required = true, .nullable = true},
                                      {.name = "category", .required = true, .nullable = true},
                                      {.name = "category_display_name", .required = true, .nullable = true},
                                      {.name = "model", .required = true, .nullable = true},
                                      {.name = "price", .type = FieldType::number, .required = true},
                                      {.name = "stock", .type = FieldType::integer, .required = true},
                                      {.name = "description", .about = "All of it", .required = true},
                                      {.name = "image_url", .required = true, .nullable = true},
                                      {.name = "active", .type = FieldType::boolean, .required = true},
                                      {.name = "featured", .type = FieldType::boolean, .required = true},
                                      {.name = "on_sale", .type = FieldType::boolean, .required = true}}};

search::Filter filter_of(const json::object& filters) {
    const auto either = [&](std::string_view id, std::string_view name) {
        std::optional<std::string> by_id = text_member(filters, id);
        return by_id ? by_id : text_member(filters, name);
    };
    return {.category = either("category_id", "category"),
            .brand = either("brand_id", "brand"),
            .min_price = number_member(filters, "min_price"),
            .max_price = number_member(filters, "max_price"),
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
                            .threshold = number_member(body, "similarity_threshold"),
                            .literal = is_set(body, "literal"),
                            .facets = is_set(body, "facets")};
    if (const json::value* filters = given_member(body, "filters")) request.filter = filter_of(filters->as_object());
    if (const json::value* ignored = given_member(body, "ignore")) {
        for (const json::value& kind : ignored->as_array())
            request.ignored.push_back(*search::meaning_names.find(std::string_view{kind.as_string()}));
    }
    if (const auto name = text_member(body, "strategy")) request.strategy = search::strategy_names.find(*name);
    return request;
}

/// What failed first, without what only the log may know.
json::value reason_of(const search::Answer& answer) {
    for (const search::LegReport& leg : answer.legs)
        if (leg.failure)
            return json::value(fmt::format("{}: {}", search::leg_names[leg.leg], public_detail(*leg.failure)));
    return text_or_null(answer.reason);
}

json::object metadata_of(const search::Answer& answer, const json::object& body, double milliseconds) {
    json::array warnings;
    for (const std::string& warning : answer.warnings)
        warnings.emplace_back(warning);
    const json::value* filters = given_member(body, "filters");
    json::object metadata{{"total_results", answer.hits.size()},
                          {"search_duration_ms", milliseconds},
                          {"similarity_threshold", or_null(answer.threshold)},
                          {"filters_applied", filters == nullptr ? json::object{} : filters->as_object()},
                          {"strategy", search::strategy_names[answer.strategy]},
                          {"strategy_used", answer.used},
                          {"degraded", answer.degraded},
                          {"reason", reason_of(answer)},
                          {"understood", search::understood_json(answer)},
                          {"legs", search::legs_json(answer)},
                          {"warnings", std::move(warnings)}};
    if (answer.diagnosis) metadata["diagnosis"] = search::json_of(*answer.diagnosis);
    return metadata;
}

/// None where the caller names a strategy, or nothing runs.
std::optional<Trial> trial_of(const Call& call, const search::Request& request) {
    if (request.strategy) return std::nullopt;
    const std::string user = text_member(call.body, "user_id").value_or("");
    const std::string session = text_member(call.body, "session_id").value_or("");
    return call.worker->services().experiments.trial_of_search(
        {.user = user, .session = session, .caller = call.caller.rate_key});
}

struct Searched {
    search::Answer answer;
    store::Exposure exposure;
    std::function<void()> shadows = {};
};

Searched search_and_record(Call& call, const search::Request& request, std::chrono::steady_clock::time_point start) {
    Services& services = call.worker->services();
    std::optional<Trial> trial = trial_of(call, request);
    SearchRecord record{.run_id = call.request_id, .question = request.text, .caller = caller_of(call.request())};
    if (trial) record.exposure = trial->exposure;
    try {
        Searched searched = call.worker->read(call.caller.rate_key, [&](const Reading& from) {
            std::optional<Trial> tried = trial;
            Searched found{
                .answer = tried ? search_in_trial(from.engine, request, *tried) : from.engine.search(request),
                .exposure = tried ? tried->exposure : store::Exposure{}};
            from.require_whole(found.answer);
            return found;
        });
        record.exposure = searched.exposure;
        if (trial) trial->exposure = searched.exposure;
        record.milliseconds = milliseconds_since(start);
        record_search(services, record, searched.answer);
        if (trial) searched.shadows = shadows_of(services, *trial, {request, searched.answer, call.request_id});
        return searched;
    } catch (const Error& error) {
        // A strategy of the caller's choice that is not to be had here is no fault of the server's settings.
        const bool is_choice = error.code() == ErrorCode::config_invalid && request.strategy;
        const bool is_retried = call.may_be_retried && error.code() == ErrorCode::store_unavailable;
        record.milliseconds = milliseconds_since(start);
        if (!is_choice && !is_retried) record_failure(services, record, error);
        if (!is_choice) throw;
        throw Error{ErrorCode::conflict, error.happened(), "Leave strategy out, or ask for another one."};
    } catch (const std::exception& error) {
        record.milliseconds = milliseconds_since(start);
        record_failure(services, record, {ErrorCode::internal, error.what(), ""});
        throw;
    }
}

Reply search_products(Call& call) {
    const auto start = std::chrono::steady_clock::now();
    const search::Request request = request_of(call.body);
    auto [answer, exposure, shadows] = search_and_record(call, request, start);
    json::object metadata = metadata_of(answer, call.body, milliseconds_since(start));
    if (!exposure.experiment.empty())
        metadata["experiment"] = json::object{{"name", exposure.experiment}, {"arm", exposure.arm}};
    json::object out{
        {"query", request.text}, {"results", products_json(answer.hits)}, {"metadata", std::move(metadata)}};
    if (answer.facets) out["facets"] = search::json_of(*answer.facets);
    return {.body = std::move(out), .afterwards = std::move(shadows)};
}

Reply similar_products(Call& call) {
    const auto start = std::chrono::steady_clock::now();
    const double threshold = call.query.at("similarity_threshold").to_number<double>();
    const store::SimilarRequest request{.product = call.path.front(),
                                        .limit = call.query.at("limit").to_number<std::uint64_t>(),
                                        .threshold = threshold,
                                        .in_stock = is_set(call.query, "in_stock_only"),
                                        .includes_itself = !is_set(call.query, "exclude_self")};
    const store::SimilarTo found = call.worker->read(
        call.caller.rate_key, [&](const Reading& from) { return store::find_similar(from.db, request); });
    std::vector<search::Hit> hits;
    for (int row = 0; row < found.products.rows(); ++row) {
        search::Hit& hit = hits.emplace_back(search::read_hit(found.products, row));
        hit.similarity = hit.score = found.products.real(row, search::hit_column_count);
    }
    record_similar(call.worker->services(),
                   {.kind = store::SearchEvent::Kind::similar,
                    .run_id = call.request_id,
                    .question = call.path.front(),
                    .milliseconds = milliseconds_since(start),
                    .caller = caller_of(call.request())},
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

Reply get_product(Call& call) {
    const search::ProductDetails details = call.worker->read(
        call.caller.rate_key, [&](const Reading& from) { return search::read_product(from.db, call.path.front()); });
    json::object body = std::move(products_json({details.product}).front().as_object());
    body.stable_erase("similarity_score");
    body["description"] = details.description;
    body["active"] = details.is_active;
    body["featured"] = details.is_featured;
    body["on_sale"] = details.is_on_sale;
    return {.body = std::move(body)};
}

}  // namespace

json::array products_json(const std::vector<search::Hit>& hits) {
    json::array products;
    for (const search::Hit& hit : hits)
        products.push_back(json::object{{"product_id", hit.id},
                                        {"sku", text_or_null(hit.sku)},
                                        {"name", hit.name},
                                        {"brand", text_or_null(hit.brand)},
                                        {"category", text_or_null(hit.category)},
                                        {"category_display_name", text_or_null(search::shown_category(hit))},
                                        {"model", text_or_null(hit.model)},
                                        {"price", hit.price},
                                        {"stock", hit.stock},
                                        {"similarity_score", or_null(hit.similarity)},
                                        {"description", hit.description},
                                        {"image_url", text_or_null(hit.image_url)}});
    return products;
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
             .handle = similar_products},
            {.method = "GET",
             .path = "/api/v1/pgvector/products/{product_id}",
             .id = "getProduct",
             .group = "search",
             .summary = "One product of the catalog, with the whole of its description",
             .scope = Scope::search,
             .rate = RateClass::search,
             .path_shape = &product_path,
             .answer = &details_answer,
             .refusals = {404},
             .handle = get_product}};
}

}  // namespace decant::api
