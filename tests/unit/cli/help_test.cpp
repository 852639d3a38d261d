#include "cli/help.hpp"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::cli {
namespace {

TEST(Help, ListsEveryCommand) {
    const auto commands = all_commands();
    const std::string overview = overview_help(commands, "");
    for (const auto& command : commands) {
        EXPECT_THAT(overview, testing::HasSubstr("\n  " + command->name() + " ")) << command->name();
    }
}

TEST(Help, HasASummaryAndExamplesForEveryCommand) {
    for (const auto& command : all_commands()) {
        EXPECT_THAT(command->summary(), testing::Not(testing::EndsWith("."))) << command->name();
        EXPECT_FALSE(command->examples().empty()) << command->name();
        for (const std::string& example : command->examples()) {
            EXPECT_THAT(example, testing::HasSubstr("decant " + command->name()));
        }
    }
}

TEST(Help, FitsALineOf110Characters) {
    for (const auto& command : all_commands()) {
        std::istringstream lines{command_help(*command)};
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(line.size(), 110U) << line;
    }
}

TEST(Help, NamesNoOptionOfACommandThatIsAlsoGlobal) {
    GlobalOptions globals;
    OptionTable global_table;
    globals.declare(global_table);
    std::set<std::string> global_names;
    for (const DeclaredOption& option : global_table.declared())
        global_names.insert(option.names);
    for (const auto& command : all_commands()) {
        OptionTable table;
        command->declare(table);
        for (const DeclaredOption& option : table.declared()) {
            EXPECT_FALSE(global_names.contains(option.names)) << command->name() << " " << option.names;
        }
    }
}

}  // namespace
}  // namespace decant::cli
