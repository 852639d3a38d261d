#include "catalog/synonym_groups.hpp"

#include <gmock/gmock.h>

namespace decant::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SynonymKey, IsTheSameInAnyCaseWithoutAccentsAndPunctuation) {
    EXPECT_EQ(synonym_key("Tarjeta  Gráfica"), "tarjeta grafica");
    EXPECT_EQ(synonym_key("Wi-Fi"), "wi fi");
    EXPECT_EQ(synonym_key("PORTÁTIL "), "portatil");
    EXPECT_EQ(synonym_key("¿?"), "");
}

TEST(SynonymFault, SaysWhatIsNoGroup) {
    const auto fault = [](std::vector<std::string> words) { return synonym_fault(words).value_or("none"); };
    EXPECT_EQ(fault({"notebook", "laptop"}), "none");
    EXPECT_EQ(fault({"placa de video", "gpu"}), "none");
    EXPECT_EQ(fault({}), "there is no word");
    EXPECT_THAT(fault({"notebook"}), HasSubstr("'notebook' is alone"));
    EXPECT_THAT(fault({"ratón", "RATON"}), HasSubstr("two different words"));
    EXPECT_THAT(fault({"notebook", "--"}), HasSubstr("'--' has no letter and no digit"));
    EXPECT_THAT(fault({"notebook", "una computadora que se lleva"}), HasSubstr("more than 4 words"));
    EXPECT_THAT(fault({"notebook", std::string(101, 'x')}), HasSubstr("longer than 100 characters"));
    EXPECT_THAT(fault({"notebook", "lap\ntop"}), HasSubstr("no text"));
    EXPECT_THAT(fault({"notebook", "lap\xfftop"}), HasSubstr("no text in UTF-8"));
    EXPECT_THAT(fault({"c#", "c sharp"}), HasSubstr("stands for something else in a file"));
}

TEST(ReadSynonyms, TakesOneGroupALineByCommasOrEqualsSigns) {
    const std::vector<SynonymLine> lines = read_synonyms(
        "\xef\xbb\xbf# words of our shop\n"
        "notebook, laptop ,portátil\r\n"
        "\n"
        "placa de video = gpu  # cards\n"
        "alone\n"
        "a,,b,\n"
        "last = one");
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[0].line, 2U);
    EXPECT_THAT(lines[0].words, ElementsAre("notebook", "laptop", "portátil"));
    EXPECT_EQ(lines[1].line, 4U);
    EXPECT_THAT(lines[1].words, ElementsAre("placa de video", "gpu"));
    EXPECT_EQ(lines[2].line, 5U);
    EXPECT_THAT(lines[2].fault.value_or(""), HasSubstr("'alone' is alone"));
    EXPECT_THAT(lines[3].words, ElementsAre("a", "b"));
    EXPECT_FALSE(lines[3].fault);
    EXPECT_THAT(lines[4].words, ElementsAre("last", "one"));
    EXPECT_TRUE(read_synonyms("").empty());
}

}  // namespace
}  // namespace decant::catalog
