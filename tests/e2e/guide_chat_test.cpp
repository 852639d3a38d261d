// The migration guide's "Test Product Search", as it is printed but for the port: its curl command, its look at the
// log.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "core/child_process.hpp"
#include "tests/support/serve_case.hpp"

namespace decant::test {
namespace {

using testing::ContainsRegex;

std::string shell(const ServeCase& with, const std::string& command) {
    return run_program({.argv = {"/bin/bash", "-c", command}, .directory = with.catalog().decant().folder()}).output;
}

TEST(TheGuidesChat, IsAnsweredByPgvectorAndTheLogTellsSo) {
    const ServeCase with;
    const ServedDecant server = with.serve({"PGVECTOR_SIMILARITY_THRESHOLD=-1"});

    const std::string answer = shell(with, fmt::format(R"(curl -s -X POST "http://localhost:{}/api/v1/chat/message" \
  -H "Content-Type: application/json" \
  -d '{{
    "user_id": "test_user",
    "message": "quiero una laptop gamer"
  }}')",
                                                       server.port()));
    const boost::json::value reply = boost::json::parse(answer);
    EXPECT_EQ(reply.at("status"), "success") << answer;
    EXPECT_EQ(reply.at("agent_used"), "product_agent");
    EXPECT_EQ(reply.at("session_id"), "chat_test_user");
    EXPECT_EQ(reply.at("metadata").at("strategy_used"), "pgvector") << answer;

    const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}";
    EXPECT_THAT(
        shell(with, "tail -n +1 logs/app.log | grep pgvector"),
        ContainsRegex(time + " - app.agents.subagent.product_agent - INFO - Attempting pgvector semantic search...\n" +
                      time +
                      " - app.agents.integrations.pgvector_integration - INFO - pgvector search found [0-9]+ "
                      "products \\(similarity >= -1\\)\n" +
                      time +
                      " - app.agents.subagent.product_agent - INFO - Using pgvector results: [0-9]+ products "
                      "found\n"));
}

}  // namespace
}  // namespace decant::test
