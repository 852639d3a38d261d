#include "cli/completion_script.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "core/child_process.hpp"

namespace decant::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<CompletionPlace> places() {
    return completion_places(all_commands());
}

/// What bash offers for the last of `words`, which are words of bash.
std::vector<std::string> offered(const std::string& words, int last) {
    const std::string script =
        fmt::format("{}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_decant\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
                    bash_completion(places()), words, last);
    std::istringstream lines{run_program({.argv = {"/bin/bash", "-c", script}, .environment = {}}).output};
    std::vector<std::string> offers;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty()) offers.push_back(line);
    }
    return offers;
}

TEST(Completion, HasAPlaceForEveryCommandWithItsOptions) {
    const std::vector<CompletionPlace> all = places();
    for (const auto& command : all_commands()) {
        const auto place = std::ranges::find(all, "decant " + command->name(), &CompletionPlace::words);
        ASSERT_NE(place, all.end()) << command->name();
        OptionTable table;
        command->declare(table);
        const auto shown = std::ranges::count_if(table.declared(), [](const DeclaredOption& option) {
            return !option.is_positional && !option.help.empty();
        });
        EXPECT_EQ(static_cast<std::ptrdiff_t>(place->options.size()), shown) << command->name();
    }
}

TEST(Completion, OffersCommandsAndThoseBelowThem) {
    EXPECT_THAT(offered("decant mig", 1), ElementsAre("migrate"));
    EXPECT_THAT(offered("decant ''", 1), Contains("search"));
    EXPECT_THAT(offered("decant ''", 1), Not(Contains("start"))) << "it is below db";
    EXPECT_THAT(offered("decant db st", 2), ElementsAre("start", "stop", "status"));
    EXPECT_THAT(offered("decant eval r", 2), ElementsAre("recall")) << "eval is a command and has one below it";
}

TEST(Completion, OffersTheOptionsOfTheCommandAndThoseOfEveryCommand) {
    EXPECT_THAT(offered("decant copy --ind", 2), ElementsAre("--index"));
    EXPECT_THAT(offered("decant db start --js", 3), ElementsAre("--json"));
    EXPECT_THAT(offered("decant inspect --ind", 2), IsEmpty());
}

TEST(Completion, OffersTheChoicesOfAnOptionAfterBlankOrEqualsSign) {
    EXPECT_THAT(offered("decant copy --index h", 3), ElementsAre("hnsw"));
    EXPECT_THAT(offered("decant copy --index = iv", 4), ElementsAre("ivfflat"));
    EXPECT_THAT(offered("decant copy --index =", 3), ElementsAre("hnsw", "ivfflat", "none"));
}

TEST(Completion, LeavesFilesAndOtherTextToBash) {
    EXPECT_THAT(offered("decant copy --from da", 3), IsEmpty());
    EXPECT_THAT(offered("decant inspect da", 2), IsEmpty());
}

TEST(Completion, TakesNoValueOfAnOptionForACommand) {
    EXPECT_THAT(offered("decant --db search mig", 3), ElementsAre("migrate"));
    EXPECT_THAT(offered("decant eval --queries recall --rec", 4), Not(Contains("--recall")));
    EXPECT_THAT(offered("decant eval --queries recall --que", 4), ElementsAre("--queries"));
}

TEST(Completion, OfZshAndFishNamesEveryOptionWithItsHelp) {
    const std::string zsh = zsh_completion(places());
    const std::string fish = fish_completion(places());
    EXPECT_THAT(zsh, HasSubstr("'--index:Vector index, built after the load (default: hnsw)'"));
    EXPECT_THAT(zsh, HasSubstr("'decant copy --index' 'hnsw ivfflat none'"));
    EXPECT_THAT(zsh, HasSubstr("the collection'\\''s name"));
    EXPECT_THAT(fish,
                HasSubstr("complete -c decant -n '__decant_at decant copy' -l index -x -a 'hnsw ivfflat none' -d "));
    EXPECT_THAT(fish, HasSubstr("complete -c decant -s h -l help -d 'This text'"));
    EXPECT_THAT(fish, HasSubstr("the collection\\'s name"));
}

}  // namespace
}  // namespace decant::cli
