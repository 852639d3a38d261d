#pragma once

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <string>

#include "api/server.hpp"
#include "core/json.hpp"
#include "net/http_client.hpp"
#include "pg/binary_row.hpp"
#include "tests/support/embedding_case.hpp"

namespace decant::test {

/// The server of a small catalog, on a free port: twelve products p-1 to p-12 of prices 10 to 120, the even ones of
/// umbra and video, p-12 without a vector. A question "thing N" finds p-N with similarity 1.
class ApiCase {
public:
    /// `more` goes on top of the settings.
    explicit ApiCase(const Settings::Variables& more = {}, bool runs_worker = false) : settings_(settings_of(more)) {
        with_.put(1, 12);
        with_.empty_queue();
        with_.exec(
            "UPDATE products SET price = 10 * substr(sku, 3)::int, stock = CASE WHEN sku = 'p-3' THEN 0 ELSE 5 END;"
            "UPDATE products SET brand_id = (SELECT id FROM brands WHERE name = 'umbra'), "
            "category_id = (SELECT id FROM categories WHERE name = 'video') WHERE substr(sku, 3)::int % 2 = 0");
        pg::Connection db = with_.open();
        for (int i = 1; i < 12; ++i) {
            const std::string vector =
                pg::binary_vector(SmallEmbedder::vector_of(fmt::format("query: thing {}", i)).values);
            db.query(
                "UPDATE products SET embedding = $2::vector, embedding_model = 'small', last_embedding_update = now() "
                "WHERE sku = $1",
                {fmt::format("p-{}", i)}, vector);
        }
        with_.empty_queue();
        db.exec("ANALYZE products");
        server_ = std::make_unique<api::Server>(
            settings_, api::ServerPurpose{.version = "test", .runs_worker = runs_worker, .open_embedder = [this] {
                                              auto model = std::make_unique<SmallEmbedder>();
                                              model->spoil = [this](SmallEmbedder::Texts, SmallEmbedder::Answer&) {
                                                  if (is_model_broken) throw std::runtime_error("spoilt");
                                                  if (!is_model_away) return;
                                                  throw Error{ErrorCode::embedder_unavailable, "It is away", ""};
                                              };
                                              return model;
                                          }});
    }

    const EmbeddingCase& catalog() const { return with_; }
    api::Server& server() { return *server_; }

    net::HttpResponse get(const std::string& path, const std::vector<std::string>& headers = {}) const {
        return client(headers).send({.path = path, .tries = 1});
    }
    net::HttpResponse post(const std::string& path, const std::string& body,
                           const std::vector<std::string>& headers = {}) const {
        return client(headers).send({.path = path, .body = body, .tries = 1});
    }
    /// The skus of a search's answer.
    std::string skus(const json::object& answer) const {
        std::string out;
        for (const json::value& product : answer.at("results").as_array())
            out += (out.empty() ? "" : " ") + std::string{product.at("sku").as_string()};
        return out;
    }

    std::atomic<bool> is_model_away = false;
    std::atomic<bool> is_model_broken = false;  ///< fails by what nobody expects

private:
    Settings settings_of(const Settings::Variables& more) const {
        Settings::Variables variables{{"DATABASE_URL", with_.decant().conninfo()},
                                      {"DECANT_PORT", "0"},
                                      {"PGVECTOR_SIMILARITY_THRESHOLD", "0.5"}};
        for (const auto& [key, value] : more)
            variables[key] = value;
        return Settings::from({}, variables);
    }
    net::HttpClient client(const std::vector<std::string>& headers) const {
        return net::HttpClient{{.name = "decant", .url = net::parse_url(server_->url(), "URL"), .headers = headers}};
    }

    EmbeddingCase with_;
    Settings settings_;
    std::unique_ptr<api::Server> server_;
};

inline json::object body_of(const net::HttpResponse& response) {
    return json::parse(response.body).as_object();
}

}  // namespace decant::test
