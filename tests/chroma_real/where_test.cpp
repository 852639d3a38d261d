#include "search/where.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "core/child_process.hpp"
#include "core/error.hpp"
#include "search/table_search.hpp"
#include "search/where_sql.hpp"
#include "tests/support/decant_program.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/support/throwaway_cluster.hpp"

namespace decant::test {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

const fs::path source_dir = DECANT_SOURCE_DIR;

/// What tests/support/where_filters.py writes, one filter a line.
struct Asked {
    json::object line;

    bool has(const char* name) const { return line.contains(name) && !line.at(name).is_null(); }
    bool is_refused() const { return line.contains("refused"); }
    std::string told() const { return json::serialize(line); }

    /// Throws decant::Error where decant refuses it.
    std::vector<search::Where> filters() const {
        std::vector<search::Where> out;
        if (has("where")) out.push_back(search::parse_where(line.at("where").as_string().c_str()));
        if (has("where_document"))
            out.push_back(search::parse_where_document(line.at("where_document").as_string().c_str()));
        return out;
    }
    std::set<std::string> ids() const {
        std::set<std::string> out;
        for (const json::value& id : line.at("ids").as_array())
            out.emplace(id.as_string());
        return out;
    }
};

/// 500 generated filters (WHERE_FILTERS and WHERE_SEED in the environment have others), chromadb's answers to them, and
/// the table that decant copied.
class WhereOfRealChroma : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        const std::string make_venv = (source_dir / "scripts/make-venv").string();
        ASSERT_EQ(run_program({.argv = {make_venv, "1.5.9"}}).exit_code, 0);
        const ProgramResult made =
            run_program({.argv = {(source_dir / ".deps/venv-1.5.9/bin/python").string(),
                                  (source_dir / "tests/support/where_filters.py").string(), scratch_.string(),
                                  "--filters", filters(), "--seed", seed(), "--space", GetParam()}});
        ASSERT_EQ(made.exit_code, 0) << made.output;
        const Outcome copied = decant_.run(
            {"copy", "--from", (scratch_ / "chroma").string(), "--collection", "filters", "--to", "filters"});
        ASSERT_EQ(copied.exit_code, 0) << copied.told();
        std::ifstream file{scratch_ / "filters.jsonl"};
        for (std::string line; std::getline(file, line);)
            asked_.push_back({json::parse(line).as_object()});
        ASSERT_GE(asked_.size(), 600U);
    }

    void TearDown() override { fs::remove_all(scratch_); }

    static std::string from_environment(const char* name, const char* unset) {
        const char* value = std::getenv(name);
        return value == nullptr ? unset : value;
    }
    static std::string filters() { return from_environment("WHERE_FILTERS", "500"); }
    static std::string seed() { return from_environment("WHERE_SEED", "20"); }

    std::set<std::string> found(pg::Connection& db, const Asked& asked) const {
        const search::Condition condition = search::condition_of(asked.filters());
        const pg::Result rows = db.query("SELECT t.id FROM filters t WHERE " + condition.sql, condition.params);
        std::set<std::string> ids;
        for (int row = 0; row < rows.rows(); ++row)
            ids.emplace(rows.text(row, 0));
        return ids;
    }

    const fs::path scratch_ = make_scratch_folder("where");
    DecantProgram decant_{ThrowawayCluster::shared().create_database()};
    std::vector<Asked> asked_;
};

TEST_P(WhereOfRealChroma, FindsTheSameRowsAndRefusesTheSameFilters) {
    pg::Connection db = pg::Connection::open(decant_.conninfo());
    std::size_t telling = 0;  // neither all rows nor none
    for (const Asked& asked : asked_) {
        if (asked.is_refused()) {
            EXPECT_THROW(asked.filters(), Error) << asked.told();
            continue;
        }
        const std::set<std::string> wanted = asked.ids();
        telling += !wanted.empty() && wanted.size() < 400 ? 1U : 0U;
        try {
            EXPECT_EQ(found(db, asked), wanted) << asked.told();
        } catch (const Error& error) {
            ADD_FAILURE() << error.what() << ": " << asked.told();
        }
    }
    EXPECT_GE(telling, 300U);
}

TEST_P(WhereOfRealChroma, FindsTheSameNearestRowsAtTheSameDistances) {
    pg::Connection db = pg::Connection::open(decant_.conninfo());
    const search::CopiedTable table = search::read_copied_table(db, "public", "filters", std::nullopt);
    std::size_t compared = 0;
    for (const Asked& asked : asked_) {
        if (!asked.has("nearest")) continue;
        std::vector<float> vector;
        for (const json::value& value : asked.line.at("query").as_array())
            vector.push_back(static_cast<float>(value.to_number<double>()));
        const auto answer =
            search::find_nearest(db, table, {.vector = vector, .filters = asked.filters(), .limit = 12});
        const json::array& nearest = asked.line.at("nearest").as_array();
        ASSERT_EQ(answer.rows.size(), nearest.size()) << asked.told();
        for (std::size_t i = 0; i < nearest.size(); ++i) {
            EXPECT_EQ(answer.rows[i].id, nearest[i].at(0).as_string().c_str()) << i << " of " << asked.told();
            EXPECT_NEAR(answer.rows[i].distance, nearest[i].at(1).to_number<double>(), 1e-4);
            ++compared;
        }
    }
    EXPECT_GE(compared, 100U);
}

INSTANTIATE_TEST_SUITE_P(Cosine, WhereOfRealChroma, testing::Values("cosine"));
INSTANTIATE_TEST_SUITE_P(LongOtherSpaces, WhereOfRealChroma, testing::Values("l2", "ip"));

}  // namespace
}  // namespace decant::test
