#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/fake_ollama.hpp"
#include "tests/support/schema_case.hpp"

namespace decant::test {

/// A catalog whose vectors the model "first" of a stand-in for Ollama made, which has others: "second" with as many
/// dimensions, "wide" with more, "huge" with more than an index takes.
class ModelCase : public SchemaCase {
public:
    static constexpr std::size_t dimension = 8;

    explicit ModelCase(int products = 60, ThrowawayCluster& cluster = ThrowawayCluster::shared())
        : SchemaCase(cluster.create_database()),
          ollama_({.name = "first", .digest = "d1", .weights = "one", .dimension = dimension}) {
        ollama_.put({.name = "second", .digest = "d2", .weights = "two", .dimension = dimension});
        ollama_.put({.name = "wide", .digest = "d3", .weights = "three", .dimension = 12});
        ollama_.put({.name = "huge", .digest = "d4", .weights = "four", .dimension = 2'100});
        require(decant().run({"schema", "up", "--dimension", std::to_string(dimension)}));
        exec("INSERT INTO categories (name, display_name) VALUES ('audio', 'Audio')");
        put(1, products);
        require(run({"embed", "--all"}));
        exec("ANALYZE products");
    }

    /// Products "Producto N" of the skus p-N.
    void put(int first, int count) const {
        exec(fmt::format(
            "INSERT INTO products (name, specs, price, stock, sku, category_id) SELECT 'Producto ' || i, '', "
            "100 + i, 5, 'p-' || i, c.id FROM generate_series({}, {}) i, categories c",
            first, first + count - 1));
    }

    FakeOllama& ollama() noexcept { return ollama_; }
    std::string url() const { return ollama_.url(); }
    std::vector<std::string> environment() const {
        return {"OLLAMA_API_URL=" + ollama_.url(), "OLLAMA_API_MODEL_EMBEDDING=first",
                "PGVECTOR_SIMILARITY_THRESHOLD=-1", "DECANT_RATE_SEARCH=0", "DECANT_RATE_EMBEDDING=0"};
    }
    Outcome run(const std::vector<std::string>& arguments, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all = environment();
        all.insert(all.end(), more.begin(), more.end());
        return decant().run(arguments, all);
    }
    RunningDecant start(const std::vector<std::string>& arguments, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> all = environment();
        all.insert(all.end(), more.begin(), more.end());
        return decant().start(arguments, all);
    }
    boost::json::object told(std::vector<std::string> arguments, int exit_code = 0) const {
        arguments.emplace_back("--json");
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.exit_code, exit_code) << outcome.told();
        return outcome.out.empty() ? boost::json::object{} : outcome.json().as_object();
    }
    boost::json::object changed(const std::string& model, const std::vector<std::string>& more = {},
                                int exit_code = 0) const {
        std::vector<std::string> arguments{"model", "change", model, "--provider", "ollama"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return told(arguments, exit_code);
    }

    /// The models of the live vectors, with how many each has, and how many of them are stale.
    std::string live() const {
        return value(
            "SELECT coalesce(string_agg(m, ', ' ORDER BY m), '') FROM (SELECT embedding_model || ' ' || count(*) || ' "
            "' || "
            "count(*) FILTER (WHERE last_embedding_update IS NULL) AS m FROM products WHERE embedding IS NOT NULL "
            "GROUP BY embedding_model) x");
    }
    /// Names of all that is there of the live and the second column, for comparing.
    std::string shape() const {
        return value(
            "SELECT string_agg(name, ' ' ORDER BY name) FROM (SELECT attname::text AS name FROM pg_attribute WHERE "
            "attrelid = 'products'::regclass AND attname LIKE '%embedding%' AND NOT attisdropped UNION ALL SELECT "
            "relname FROM pg_class WHERE relname LIKE '%embedding%' AND relkind IN ('i', 'm') AND relnamespace = "
            "'public'::regnamespace UNION ALL SELECT relname FROM pg_class WHERE relname LIKE '%category_brand_stock%' "
            "UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE '%embedding_version%') n");
    }
    /// Of the first hit of a search for the very text that the product's vector is made of, and that hit's sku: 1 and
    /// its own where both are of one model, whichever, and by chance nearly never else.
    boost::json::object first_hit(int product, const std::vector<std::string>& more = {}) const {
        const Outcome outcome =
            run({"search", text_of(product), "--literal", "--strategy", "pgvector", "--json"}, more);
        EXPECT_EQ(outcome.exit_code, 0) << outcome.told();
        return outcome.json().at("results").as_array().at(0).as_object();
    }
    /// The sku of the first hit of a search for some words.
    std::string first_hit_of(const std::string& words) const {
        const Outcome outcome = run({"search", words, "--strategy", "pgvector", "--json"});
        return std::string{outcome.json().at("results").as_array().at(0).at("sku").as_string()};
    }
    double similarity_of(int product) const {
        const boost::json::object hit = first_hit(product);
        EXPECT_EQ(std::string{hit.at("sku").as_string()}, fmt::format("p-{}", product));
        return hit.at("similarity").to_number<double>();
    }
    static std::string text_of(int product) { return fmt::format("Product: Producto {}. Category: Audio", product); }

private:
    static void require(const Outcome& outcome) {
        if (outcome.exit_code != 0) throw std::runtime_error(outcome.told());
    }

    FakeOllama ollama_;
};

}  // namespace decant::test
