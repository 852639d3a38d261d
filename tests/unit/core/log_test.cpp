#include "core/log.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"

namespace decant {
namespace {

namespace fs = std::filesystem;

class LogTest : public testing::Test {
protected:
    LogTest() {
        std::string pattern = (fs::temp_directory_path() / "decant-log-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
    }
    ~LogTest() override {
        configure({});
        fs::remove_all(folder_);
    }

    void configure(Settings::Variables environment) const {
        environment["DECANT_ENV_FILE"] = (folder_ / "env").string();
        std::ofstream{folder_ / "env"};
        log::configure(Settings::from({}, environment));
    }

    std::string file() const { return (folder_ / "log").string(); }

    std::string file_text() const {
        std::ifstream stream{file()};
        return {std::istreambuf_iterator<char>{stream}, {}};
    }

    fs::path folder_;
};

TEST_F(LogTest, WritesTextToStderrAndWithTheTimeToTheFile) {
    configure({{"LOG_FILE", file()}});
    testing::internal::CaptureStderr();
    log::info("{} rows", 7);
    log::warning("slow");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "decant: 7 rows\ndecant: warning: slow\n");
    EXPECT_THAT(file_text(), testing::MatchesRegex("....-..-..T..:..:..\\....Z info 7 rows\n.*Z warning slow\n"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
    configure({{"LOG_LEVEL", "error"}});
    testing::internal::CaptureStderr();
    log::debug("a");
    log::warning("b");
    log::error("c");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "decant: error: c\n");
}

TEST_F(LogTest, WritesOneJsonObjectALine) {
    configure({{"LOG_FORMAT", "json"}});
    testing::internal::CaptureStderr();
    log::info("a\n\"b\"");
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                testing::AllOf(testing::StartsWith(R"({"time":"2)"),
                               testing::EndsWith(R"(","level":"info","message":"a\n\"b\""})"
                                                 "\n")));
}

TEST_F(LogTest, WritesLinesOfANamedLoggerInTheFormOfTheGuide) {
    configure({{"LOG_FILE", file()}});
    testing::internal::CaptureStderr();
    log::named("app.agents.subagent.product_agent", log::Level::info, "Using pgvector results: 10 products found");
    const auto line = testing::MatchesRegex(
        "....-..-.. ..:..:.. - app.agents.subagent.product_agent - INFO - Using pgvector results: 10 products "
        "found\n");
    EXPECT_THAT(testing::internal::GetCapturedStderr(), line);
    EXPECT_THAT(file_text(), line);
}

TEST_F(LogTest, NamesTheLoggerInJsonAndKeepsToTheLevel) {
    configure({{"LOG_FORMAT", "json"}, {"LOG_LEVEL", "warning"}});
    testing::internal::CaptureStderr();
    log::named("app.x", log::Level::info, "left out");
    log::named("app.x", log::Level::warning, "a\nb");
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                testing::EndsWith(R"("level":"warning","message":"a\nb","logger":"app.x"})"
                                  "\n"));
}

TEST_F(LogTest, CannotBeForgedByANewlineInAMessage) {
    configure({});
    testing::internal::CaptureStderr();
    log::warning("id {}", "x\ndecant: error: made up");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "decant: warning: id x\\x0adecant: error: made up\n");
}

TEST_F(LogTest, StartsANewLineBehindAnOpenProgressLine) {
    configure({});
    testing::internal::CaptureStderr();
    log::set_line_open(true);
    log::info("a");
    log::info("b");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "\ndecant: a\ndecant: b\n");
}

TEST_F(LogTest, RefusesALogFileThatCannotBeOpened) {
    EXPECT_THROW(configure({{"LOG_FILE", "/proc/none/log"}}), Error);
}

}  // namespace
}  // namespace decant
