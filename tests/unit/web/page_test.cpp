#include "web/page.hpp"

#include <algorithm>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace decant::web {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Page, TakesTheLanguageThatTheVisitorLikesBest) {
    EXPECT_EQ(language_for("es-AR,es;q=0.9,en;q=0.8"), "es");
    EXPECT_EQ(language_for("en-US,en;q=0.9,es;q=0.8"), "en");
    EXPECT_EQ(language_for("fr, ES ; q=0.5, en;q=0.4"), "es");
    EXPECT_EQ(language_for("es"), "es");
}

TEST(Page, IsEnglishForWhoAsksForNeitherOfItsLanguages) {
    for (const auto* header : {"", "fr-FR,fr;q=0.9", "*", "es;q=0", "es;q=x", ";;,,=", "est-EE"})
        EXPECT_EQ(language_for(header), "en") << header;
}

TEST(Page, NamesLanguageAccessAndFilesInItsHead) {
    const std::string page = index_for({.accept_language = "es", .needs_key = true});
    EXPECT_THAT(page, HasSubstr(R"(<html lang="es" data-access="key">)"));
    EXPECT_THAT(page, HasSubstr("/page/" + page_version() + "/app.js"));
    EXPECT_THAT(page, Not(HasSubstr("{{")));
    EXPECT_THAT(index_for({.accept_language = ""}), HasSubstr(R"(<html lang="en" data-access="open">)"));
}

TEST(Page, HasEveryFileThatItsFilesName) {
    static const std::regex named{R"re((?:from|import\(?) *'\./([a-z.-]+)'|/page/\{\{version\}\}/([a-z.-]+))re"};
    std::set<std::string> missing;
    for (const File& file : page_files()) {
        if (file.name.starts_with("uPlot.")) continue;
        const std::string text{file.bytes};
        for (std::sregex_iterator match{text.begin(), text.end(), named}, end; match != end; ++match) {
            const std::string name = (*match)[1].matched ? (*match)[1] : (*match)[2];
            if (find_file(name) == nullptr) missing.insert(std::string{file.name} + " names " + name);
        }
    }
    EXPECT_THAT(missing, IsEmpty());
}

/// A policy of content forbids it, and so must the files.
TEST(Page, HasNeitherInlineScriptsNorStylesNorHtmlFromText) {
    for (const File& file : page_files()) {
        if (file.name.starts_with("uPlot.")) continue;
        for (const auto* word : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " style=\"",
                                 " onclick=\"", "javascript:"})
            EXPECT_EQ(file.bytes.find(word), std::string_view::npos) << file.name << " has " << word;
    }
}

TEST(Page, KnowsTheTypeOfEachOfItsFiles) {
    for (const File& file : page_files())
        EXPECT_NE(media_type(file.name), "application/octet-stream") << file.name;
}

}  // namespace
}  // namespace decant::web
