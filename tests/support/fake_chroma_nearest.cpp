#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <set>

#include "core/json.hpp"
#include "tests/support/fake_chroma.hpp"

namespace decant::test {
namespace {

struct Ranked {
    double distance;
    std::size_t row;
};

/// In the collection's space, as Chroma defines it; NaN for the cosine of a zero vector.
double distance(const std::string& space, const json::array& a, const json::array& b) {
    double dot = 0;
    double squares_a = 0;
    double squares_b = 0;
    double squared = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto x = a[i].to_number<double>();
        const auto y = b[i].to_number<double>();
        dot += x * y;
        squares_a += x * x;
        squares_b += y * y;
        squared += (x - y) * (x - y);
    }
    if (space == "l2") return squared;
    return space == "ip" ? 1 - dot : 1 - dot / std::sqrt(squares_a * squares_b);
}

json::value number(double value) {
    return std::isfinite(value) ? json::value(value) : nullptr;
}

}  // namespace

std::string FakeChroma::space_of(const Collection& collection) const {
    const json::value& place = api_ == Api::v2 ? collection.described.at("configuration_json").at("hnsw").at("space")
                                               : collection.described.at("metadata").at("hnsw:space");
    return place.as_string().c_str();
}

/// Exact, where the real ones ask their index; a vector of another length than the question's is not in that.
StandInAnswer FakeChroma::nearest(const Collection& collection, const std::string& body) {
    boost::system::error_code error;
    const json::value parsed = json::parse(body, error);
    if (error || !parsed.is_object()) return violation("a question that is no JSON object");
    const std::set<std::string> known{"query_embeddings", "n_results", "include"};
    for (const auto& [key, value] : parsed.as_object())
        if (!known.contains(std::string{key})) return violation("query with the member " + std::string{key});
    const json::array& questions = parsed.at("query_embeddings").as_array();
    const auto count = parsed.at("n_results").to_number<std::size_t>();
    if (questions.size() != 1 || count == 0) return violation("not one question for at least one record");
    const json::array& question = questions[0].as_array();
    const json::value* dimension = collection.described.if_contains("dimension");
    if (dimension != nullptr && !dimension->is_null() && dimension->to_number<std::size_t>() != question.size()) {
        return violation("a question of another dimension");
    }

    std::vector<Ranked> order;
    for (std::size_t row = 0; row < collection.rows.size(); ++row) {
        const json::array& vector = collection.rows[row].embedding.as_array();
        const bool compares = vector.size() == question.size() &&
                              std::ranges::all_of(vector, [](const json::value& each) { return each.is_number(); });
        if (compares) order.push_back({distance(space_of(collection), question, vector), row});
    }
    std::ranges::stable_sort(order, {}, [](const Ranked& one) {
        return std::isnan(one.distance) ? std::numeric_limits<double>::infinity() : one.distance;
    });
    order.resize(std::min(order.size(), count));

    std::set<std::string> include;
    for (const json::value& name : parsed.at("include").as_array())
        include.emplace(name.as_string());
    const auto shown = [&](const std::string& name, const auto& value_of) {
        if (name != "ids" && !include.contains(name)) return json::value(nullptr);
        json::array list;
        for (const Ranked& one : order)
            list.push_back(value_of(one));
        json::array of_questions;  // of one; in braces clang would take the list for it
        of_questions.push_back(std::move(list));
        return json::value(std::move(of_questions));
    };
    const auto row = [&](const Ranked& one) -> const Row& { return collection.rows[one.row]; };
    const json::object answer{
        {"ids", shown("ids", [&](const Ranked& one) { return json::value(json::string(row(one).id)); })},
        {"embeddings", shown("embeddings", [&](const Ranked& one) { return row(one).embedding; })},
        {"documents", shown("documents", [&](const Ranked& one) { return row(one).document; })},
        {"uris", shown("uris", [&](const Ranked& one) { return row(one).uri; })},
        {"metadatas", shown("metadatas", [&](const Ranked& one) { return row(one).metadata; })},
        {"distances", shown("distances", [&](const Ranked& one) { return number(one.distance); })},
        {"include", json::array(include.begin(), include.end())}};
    return {.body = json::serialize(answer), .headers = {"Content-Type: application/json"}};
}

}  // namespace decant::test
