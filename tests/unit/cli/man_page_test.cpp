#include "cli/man_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "cli/option_table.hpp"

namespace decant::cli {
namespace {

using testing::HasSubstr;

/// As roff has a hyphen that can be copied.
std::string hyphenated(const std::string& text) {
    std::string out;
    for (const char letter : text)
        out += letter == '-' ? std::string{"\\-"} : std::string{letter};
    return out;
}

TEST(ManPage, IsThereForDecantAndForEveryCommand) {
    const auto commands = all_commands();
    const std::vector<ManPage> pages = man_pages(commands);
    ASSERT_EQ(pages.size(), commands.size() + 1);
    EXPECT_EQ(pages.front().name, "decant");
    std::set<std::string> names;
    for (const ManPage& page : pages)
        EXPECT_TRUE(names.insert(page.name).second) << page.name;
    EXPECT_TRUE(names.contains("decant-db-start"));
}

TEST(ManPage, OfDecantListsCommandsSettingsAndExitCodes) {
    const std::string text = man_pages(all_commands()).front().text;
    for (const auto& command : all_commands()) {
        std::string page = "decant-" + command->name();
        std::ranges::replace(page, ' ', '-');
        EXPECT_THAT(text, HasSubstr("\\fB" + hyphenated(page) + "\\fR(1)"));
    }
    for (const SettingSpec& setting : all_settings())
        EXPECT_THAT(text, HasSubstr("\\fB" + std::string{setting.key} + "\\fR\n"));
    EXPECT_THAT(text, HasSubstr(".TP\n69\n"));
}

TEST(ManPage, OfACommandHasItsOptionsAndExamples) {
    const auto commands = all_commands();
    const std::vector<ManPage> pages = man_pages(commands);
    for (std::size_t at = 0; at < commands.size(); ++at) {
        OptionTable table;
        commands[at]->declare(table);
        for (const DeclaredOption& option : table.declared()) {
            if (option.help.empty()) continue;
            const std::string longest = option.names.substr(option.names.find(',') + 1);
            EXPECT_THAT(pages[at + 1].text, HasSubstr(hyphenated(longest)));
        }
        EXPECT_THAT(pages[at + 1].text, HasSubstr(".SH EXAMPLES\n.nf\n"));
    }
}

TEST(ManPage, HasNoLineThatRoffTakesForARequestOfItsOwn) {
    const std::set<std::string> used{".\\\"", ".TH", ".SH", ".TP", ".nf", ".fi"};
    for (const ManPage& page : man_pages(all_commands())) {
        std::istringstream lines{page.text};
        for (std::string line; std::getline(lines, line);) {
            EXPECT_FALSE(line.starts_with('\'')) << page.name << ": " << line;
            EXPECT_TRUE(!line.starts_with('.') || used.contains(line.substr(0, line.find(' ')))) << line;
        }
    }
}

}  // namespace
}  // namespace decant::cli
